from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from replank import Ladder, Swap, compare, part
from replank.comparison import Robustness
from replank.errors import DataError, InterfaceMismatch, SlotError, UnknownName, UsageError
from replank.parts.linear import LowRankLinear
from tests.hosts import mlp

N_CLASSES = 3
LOW_RANK = {"low rank": Swap("head", part(LowRankLinear, rank=1))}
TIMES = r"wall|cpu|samples_per_s|memory|started"


def points(n: int = 60, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)


def settings() -> dict:
    return {"data": (points(), points(40, seed=1)), "seeds": 2, "epochs": 2, "batch_size": 20, "progress": False}


def without_times(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[:, ~frame.columns.str.contains(TIMES)]


@pytest.fixture(scope="module")
def result():
    return compare(mlp, LOW_RANK, controls=("frozen", "same-size"), **settings())


def test_frame_has_one_row_for_each_arm_and_seed(result):
    cells = result.frame[["arm", "seed"]].apply(tuple, axis=1)
    arms = ["host", "low rank", "low rank, frozen", "low rank, same-size"]
    assert list(cells) == [(arm, seed) for seed in range(2) for arm in arms]
    assert (result.frame["status"] == "done").all()
    assert result.baseline == "host"


def test_everything_the_documentation_lists_is_measured(result):
    promised = [
        "train_loss", "test_loss", "train_accuracy", "test_accuracy", "train_ece", "test_ece",
        "train_minus_test_accuracy", "least_train_loss", "parameters", "trainable_parameters", "forward_flops",
        "train_wall_s_per_epoch", "train_cpu_s_per_epoch", "train_samples_per_s", "peak_memory_mib",
        "initial_gradient_norm.head",
    ]  # fmt: skip
    assert set(promised) <= set(result.frame.columns)
    measured = result.frame.loc[result.frame["arm"] != "low rank, frozen", promised]
    assert np.isfinite(measured.to_numpy(float)).all()
    assert set(result.curves["epoch"]) == {1, 2}


def test_counts_are_exact(result):
    row = result.frame.set_index(["arm", "seed"]).loc[("low rank", 0)]
    assert row["parameters"] == 6 * 8 + 8 + (8 + 3) + 3
    assert row["forward_flops"] == 2 * (6 * 8 + 8 + 3)
    frozen = result.frame.set_index(["arm", "seed"]).loc[("low rank, frozen", 0)]
    assert frozen["trainable_parameters"] == 6 * 8 + 8


def test_same_arm_twice_gives_the_same_numbers_bit_by_bit():
    twin = Swap("head", part(LowRankLinear, rank=1))
    frame = compare(mlp, {"a": twin, "b": twin}, **settings()).frame
    a, b = (without_times(frame[frame["arm"] == arm]).select_dtypes("number").to_numpy() for arm in "ab")
    assert np.array_equal(a, b, equal_nan=True)


def test_a_repeated_comparison_gives_the_same_numbers(result):
    torch.manual_seed(999)  # what the user did before must not matter
    again = compare(mlp, LOW_RANK, controls=("frozen", "same-size"), **settings())
    numbers = [without_times(each.frame).select_dtypes("number").to_numpy() for each in (result, again)]
    assert np.array_equal(*numbers, equal_nan=True)


def test_global_random_state_is_left_alone():
    state = torch.get_rng_state()
    compare(mlp, LOW_RANK, **settings())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", ["arrays", "tensors", "loader", "loader with generator"])
def test_all_arms_see_the_same_batches_in_the_same_order(kind):
    """Although one arm's part draws far more random numbers than the other's."""
    seen: dict[nn.Module, list[torch.Tensor]] = {}

    class Watch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if torch.is_grad_enabled():
                seen.setdefault(self, []).append(x)
            return x

    def host() -> nn.Module:
        return nn.Sequential(Watch(), nn.Dropout(0.5), nn.Linear(6, 8), nn.Linear(8, N_CLASSES))

    def greedy(old: nn.Linear) -> nn.Module:
        return nn.Sequential(nn.Linear(8, 99), nn.Linear(99, N_CLASSES))

    data = _as(kind, points()), points(40, seed=1)
    compare(host, {"greedy": Swap("3", greedy)}, **(settings() | {"data": data, "seeds": 1}))
    # one batch for the gradient norms at initialisation, then two epochs of three batches
    trained = [batches[1:] for batches in seen.values() if len(batches) == 7]
    assert len(trained) == 2
    first, second = (torch.cat(batches) for batches in trained)
    assert torch.equal(first, second)
    assert not torch.equal(first[:60], first[60:])  # the order changes from epoch to epoch


def _as(kind: str, data: tuple[np.ndarray, np.ndarray]):
    tensors = tuple(torch.from_numpy(each) for each in data)
    if kind == "arrays":
        return data
    if kind == "tensors":
        return tensors
    generator = torch.Generator() if "generator" in kind else None
    return DataLoader(TensorDataset(*tensors), batch_size=20, shuffle=True, generator=generator)


def test_summary_pairs_differences_over_seeds(result):
    accuracy = result.frame.pivot(index="seed", columns="arm", values="test_accuracy")
    difference = accuracy["low rank"] - accuracy["host"]
    interval = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    row = result.summary().set_index("arm").loc["low rank"]
    assert row["difference"] == pytest.approx(difference.mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((interval.low, interval.high))


def test_printed_table_names_every_arm(result):
    assert all(arm in str(result) for arm in result.ladder.rungs)


def test_page_is_one_file_with_the_table(result, tmp_path):
    page = result.to_html(tmp_path / "page.html").read_text()
    assert "low rank, same-size" in page
    assert "<svg" in page


def test_plot_has_a_panel(result):
    assert result.plot("train_loss").axes


def test_regression_learns_a_linear_law():
    x, _ = points(200)
    y = x[:, :3] @ np.array([[1.0, 0, 2], [0, 3, 0], [1, 1, 1]], dtype=np.float32)
    adam = partial(torch.optim.Adam, lr=0.05)
    result = compare(
        lambda: nn.Sequential(nn.Linear(6, 3)),
        {"rank 1": Swap("0", part(LowRankLinear, rank=1))},
        ((x[:150], y[:150]), (x[150:], y[150:])),
        epochs=40, seeds=1, optimiser=adam, progress=False,
    )  # fmt: skip
    r2 = result.frame.set_index("arm")["test_r2"]
    assert r2["host"] > 0.999
    # a rank-one map can explain at most the leading singular direction of the law
    assert r2["rank 1"] < 0.9


def test_a_failing_arm_is_recorded_and_does_not_stop_the_others():
    class Fragile(nn.Linear):
        def forward(self, x):
            if self.training:
                raise RuntimeError("too hot")
            return super().forward(x)

    result = compare(mlp, {"fragile": Swap("head", lambda old: Fragile(8, 3))}, **settings())
    status = result.frame.groupby("arm")["status"].unique()
    assert list(status["fragile"]) == ["failed"]
    assert list(status["host"]) == ["done"]
    assert "too hot" in result.failures["fragile seed 0"]
    assert "too hot" in str(result)


def test_a_loss_that_becomes_nan_fails_that_trial():
    class Diverging(nn.Linear):
        n_batches = 0

        def forward(self, x):
            self.n_batches += self.training
            return super().forward(x) * (torch.nan if self.n_batches > 3 else 1)

    result = compare(mlp, {"diverging": Swap("head", lambda old: Diverging(8, 3))}, **settings())
    assert set(result.failures) == {"diverging seed 0", "diverging seed 1"}
    assert "smaller step size" in result.failures["diverging seed 0"]


def test_robustness_to_nothing_is_the_accuracy():
    robustness = Robustness(noise=(0.0, 50.0), attack=(0.0,), bounds=(-10.0, 10.0))
    frame = compare(mlp, LOW_RANK, robustness=robustness, **settings()).frame
    assert np.allclose(frame["test_accuracy_noise_0"], frame["test_accuracy"])
    assert np.allclose(frame["test_accuracy_attack_0"], frame["test_accuracy"])
    assert "test_accuracy_noise_50" in frame


def test_token_numbers_reach_an_embedding_as_they_are():
    """Integer inputs are not turned into floating-point numbers, and 32-bit labels are welcome."""
    rng = np.random.default_rng(0)
    tokens, labels = rng.integers(0, 7, (30, 4)), rng.integers(0, 3, 30, dtype=np.int32)
    host = lambda: nn.Sequential(nn.Embedding(7, 5), nn.Flatten(), nn.Linear(20, 3))  # noqa: E731
    arms = {"low rank": Swap("2", part(LowRankLinear, rank=1))}
    frame = compare(host, arms, ((tokens, labels), (tokens, labels)), seeds=1, epochs=1, progress=False).frame
    assert list(frame["status"]) == ["done", "done"]


def test_double_precision_tensors_keep_their_precision():
    x, y = (torch.from_numpy(each) for each in points())
    arms = {"low rank": Swap("head", part(LowRankLinear, rank=1))}
    data = ((x.double(), y), (x.double(), y))
    frame = compare(lambda: mlp().double(), arms, data, seeds=1, epochs=1, progress=False).frame
    assert list(frame["status"]) == ["done", "done"]


def test_the_rungs_of_a_ladder_are_arms():
    ladder = Ladder(mlp, {"host itself": None, **LOW_RANK})
    result = compare(ladder.host, ladder.rungs, **settings())
    assert list(result.ladder.rungs) == ["host itself", "low rank"]


# -- bad input ---------------------------------------------------------------------------------------------------------


def _with(x: np.ndarray, index: tuple[int, int], value: float) -> np.ndarray:
    x = x.copy()
    x[index] = value
    return x


X, Y = points()
BAD = {
    "NaN": ({"data": ((_with(X, (3, 1), np.nan), Y), (X, Y))}, DataError, r"1 NaN .* index \(3, 1\)"),
    "infinite test": ({"data": ((X, Y), (_with(X, (0, 0), np.inf), Y))}, DataError, "test x must be finite"),
    "labels too high": ({"data": ((X, Y + 1), (X, Y))}, DataError, r"0\.\.2, .*got 1\.\.3"),
    "labels negative": ({"data": ((X, Y), (X, Y - 1))}, DataError, "test labels"),
    "unequal lengths": ({"data": ((X, Y[:-1]), (X, Y))}, DataError, "60 and 59"),
    "empty": ({"data": ((X[:0], Y[:0]), (X, Y))}, DataError, "must not be empty"),
    "empty loader": (
        {"data": (DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), 99, drop_last=True), (X, Y))},
        DataError,
        "at least one batch",
    ),
    "text": ({"data": ((np.array(["a"]), Y[:1]), (X, Y))}, DataError, "numeric"),
    "no pair": ({"data": (X, Y, X)}, UsageError, "pair"),
    "width": ({"data": ((X[:, :5], Y), (X, Y))}, InterfaceMismatch, "must accept the training inputs"),
    "one-hot labels": ({"data": ((X, np.eye(3, dtype=np.int64)[Y]), (X, Y))}, DataError, "int64 of shape"),
    "seeds": ({"seeds": 0}, UsageError, "`seeds`.*got 0"),
    "epochs": ({"epochs": -1}, UsageError, "`epochs`"),
    "control": ({"controls": ("frozne",)}, UnknownName, "Did you mean 'frozen'"),
    "task": ({"task": "clasification"}, UnknownName, "Did you mean 'classification'"),
    "no arms": ({"arms": {}}, UsageError, "at least one swap"),
    "slot": ({"arms": {"a": Swap("haed", part(LowRankLinear, rank=1))}}, SlotError, "Did you mean 'head'"),
    "shapes": ({"arms": {"a": Swap("head", nn.Linear(8, 4))}}, InterfaceMismatch, "'head'"),
    "host is a module": ({"host": mlp()}, UsageError, "deepcopy"),
    "host on meta": ({"host": lambda: mlp().to("meta")}, UsageError, "meta"),
    "arm is no swap": ({"arms": {"a": "head"}}, TypeError, "must be a Swap"),
}


@pytest.mark.parametrize(("change", "error", "law"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_before_anything_is_trained(change, error, law, monkeypatch):
    monkeypatch.setattr("replank.comparison.train", lambda *_, **__: pytest.fail("trained"))
    arguments = {"host": mlp, "arms": LOW_RANK, **settings()} | change
    with pytest.raises(error, match=law):
        compare(**copy.copy(arguments))


def test_regression_target_of_another_shape_is_refused():
    """Torch would broadcast (n,) against (n, 1) without a word."""
    x, _ = points()
    with pytest.raises(DataError, match="shape of the model's output"):
        compare(lambda: nn.Sequential(nn.Linear(6, 1)), {"a": Swap("0", part(LowRankLinear, rank=1))},
                ((x, x[:, 0]), (x, x[:, 0])), progress=False)  # fmt: skip


def test_attack_needs_the_range_of_the_inputs():
    with pytest.raises(UsageError, match="bounds"):
        Robustness(attack=(0.1,))
