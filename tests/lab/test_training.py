"""The training loop against closed forms, and the feeds that give it its batches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from replank.errors import TrialError
from replank.lab.feed import LoaderFeed, TensorFeed, make_feed
from replank.lab.task import Classification, Regression
from replank.lab.training import Budget, at_initialisation, evaluate, train

CPU = torch.device("cpu")


def line(n: int = 40) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(1))
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3


def sgd(lr: float) -> partial:
    return partial(torch.optim.SGD, lr=lr)


def fit(model: nn.Module, feed: TensorFeed, *, epochs: int = 1, lr: float = 0.1, seed: int = 0):
    return train(model, Regression(), feed, feed, Budget(epochs, sgd(lr)), seed=seed, progress=lambda *_: None)


def test_one_full_batch_is_one_step_of_gradient_descent():
    x, y = line()
    model = nn.Linear(3, 1)
    weight = model.weight.detach().clone()
    residual = model(x).detach() - y
    fit(model, TensorFeed(x, y, batch_size=len(x)), lr=0.1)
    assert torch.allclose(model.weight, weight - 0.1 * 2 * (residual * x).mean(0), atol=1e-6)


def test_it_converges_to_least_squares():
    x, y = line()
    model = nn.Linear(3, 1)
    measured = fit(model, TensorFeed(x, y, batch_size=10), epochs=60)
    solution = np.linalg.lstsq(np.c_[x.numpy(), np.ones(len(x))], y.numpy(), rcond=None)[0].ravel()
    assert np.allclose(model.weight.detach().numpy().ravel(), solution[:3], atol=1e-4)
    assert measured.metrics["test_r2"] == pytest.approx(1, abs=1e-6)
    losses = [row["train_loss"] for row in measured.curves]
    assert measured.metrics["least_train_loss"] == min(losses)
    assert measured.metrics["train_loss"] == losses[-1]


def test_the_gap_is_the_difference_of_the_headlines():
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    feeds = [TensorFeed(x, y, batch_size=7), TensorFeed(x.flip(0), y, batch_size=7)]
    budget = Budget(3, sgd(0.1))
    metrics = train(nn.Linear(4, 3), Classification(), *feeds, budget, seed=0, progress=lambda *_: None).metrics
    assert metrics["train_minus_test_accuracy"] == metrics["train_accuracy"] - metrics["test_accuracy"]


def test_dropout_is_off_when_a_set_is_evaluated_and_on_when_trained():
    model = nn.Sequential(nn.Linear(3, 1), nn.Dropout(0.5))
    feed = TensorFeed(*line(), batch_size=10)
    model.train()
    first, second = (evaluate(model, Regression(), feed) for _ in range(2))
    assert first == second
    assert model.training


def test_a_model_that_can_not_be_trained_is_measured_all_the_same():
    model = nn.Linear(3, 1).requires_grad_(False)
    before = model.weight.clone()
    measured = fit(model, TensorFeed(*line(), batch_size=10))
    assert torch.equal(model.weight, before)
    assert measured.metrics["trainable_parameters"] == 0


def test_a_loss_that_is_not_finite_says_when():
    with pytest.raises(TrialError, match="epoch 1; try a smaller step size"):
        fit(nn.Linear(3, 1), TensorFeed(*line(), batch_size=1), lr=1e30)


def test_looking_at_the_initialisation_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    found = at_initialisation(model, Regression(), TensorFeed(*line(), batch_size=10))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert found["forward_flops"] == 2 * (3 * 4 + 4)
    assert found["initial_gradient_norm.0"] > 0


# -- feeds -----------------------------------------------------------------------------------------------------------


@given(n=st.integers(1, 50), batch_size=st.integers(1, 60), seed=st.integers(0, 1000), epoch=st.integers(1, 9))
def test_an_epoch_holds_each_sample_once_in_an_order_of_its_own(n, batch_size, seed, epoch):
    x = torch.arange(n)
    feed = TensorFeed(x, x, batch_size=batch_size)
    batches = list(feed.shuffled(seed, epoch))
    assert all(len(batch) == batch_size for batch, _ in batches[:-1])
    assert sorted(torch.cat([batch for batch, _ in batches]).tolist()) == list(range(n))
    assert all(torch.equal(a, b) for a, b in batches)
    torch.rand(3)  # what a model draws meanwhile does not matter
    assert [a.tolist() for a, _ in batches] == [a.tolist() for a, _ in feed.shuffled(seed, epoch)]


def test_augmentation_in_a_loader_does_not_depend_on_what_the_model_draws():
    class Noisy(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x + torch.randn_like(x), y

    feed = LoaderFeed(DataLoader(Noisy(torch.zeros(12, 2), torch.arange(12)), batch_size=4, shuffle=True), CPU)

    def epoch(draws: int) -> Tensor:
        seen = []
        for x, y in feed.shuffled(3, 1):
            torch.rand(draws)
            seen.append(torch.cat((x, y[:, None]), 1))
        return torch.cat(seen)

    assert torch.equal(epoch(0), epoch(7))
    assert not torch.equal(epoch(0), torch.cat([torch.cat((x, y[:, None]), 1) for x, y in feed.shuffled(3, 2)]))


def test_labels_of_any_integer_type_reach_the_loss():
    for labels in (np.arange(6, dtype=np.uint8), torch.arange(6, dtype=torch.int32)):
        feed = make_feed((np.zeros((6, 2)), labels), name="training", batch_size=2, device=CPU)
        x, y = next(feed.ordered())
        assert y.dtype == torch.int64
        assert x.dtype == torch.get_default_dtype()


def test_a_schedule_moves_on_after_each_batch():
    seen = []

    class Recorded(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(self.param_groups[0]["lr"])
            return super().step(closure)

    def schedule(optimiser, n_steps):
        return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / n_steps)

    feed = TensorFeed(*line(), batch_size=16)  # three batches, the last one smaller
    budget = Budget(2, lambda parameters: Recorded(parameters, lr=0.6), schedule=schedule)
    train(nn.Linear(3, 1), Regression(), feed, feed, budget, seed=0, progress=lambda *_: None)
    assert seen == pytest.approx([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])


def test_gradients_are_limited_before_the_step():
    x, y = line()
    model = nn.Linear(3, 1)
    before = model.weight.detach().clone(), model.bias.detach().clone()
    budget = Budget(1, sgd(1.0), limit_gradients=partial(nn.utils.clip_grad_norm_, max_norm=1e-3))
    feed = TensorFeed(x, 100 * y, batch_size=len(x))
    train(model, Regression(), feed, feed, budget, seed=0, progress=lambda *_: None)
    moved = torch.cat([(model.weight - before[0]).flatten(), model.bias - before[1]])
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_an_optimiser_may_evaluate_the_loss_more_than_once():
    x, y = line()
    model = nn.Linear(3, 1)
    feed = TensorFeed(x, y, batch_size=len(x))
    budget = Budget(1, partial(torch.optim.LBFGS, max_iter=50, line_search_fn="strong_wolfe"))
    measured = train(model, Regression(), feed, feed, budget, seed=0, progress=lambda *_: None)
    assert measured.metrics["train_loss"] < 1e-8


def test_evaluations_can_be_rarer_and_the_last_epoch_has_one():
    feed = TensorFeed(*line(), batch_size=40)
    told = []
    budget = Budget(8, sgd(0.1), evaluate_every=3)
    measured = train(
        nn.Linear(3, 1), Regression(), feed, feed, budget, seed=0, progress=lambda epoch, *_: told.append(epoch)
    )
    assert told == [row["epoch"] for row in measured.curves] == [3, 6, 8]


def test_an_epoch_is_chosen_on_validation_data_and_never_on_test_data():
    x, y = torch.randn(60, 4), torch.arange(60) % 3
    training, validation, test = (TensorFeed(x[part], y[part], batch_size=5) for part in torch.arange(60).chunk(3))
    measured = train(
        nn.Linear(4, 3), Classification(), training, test, Budget(6, sgd(0.5)), seed=0, progress=lambda *_: None,
        validation=validation,
    )  # fmt: skip
    best = max(measured.curves, key=lambda row: row["validation_accuracy"])
    assert measured.metrics["best_validation_accuracy"] == best["validation_accuracy"]
    assert measured.metrics["test_accuracy_at_best_validation"] == best["test_accuracy"]
    assert measured.metrics["validation_accuracy"] == measured.curves[-1]["validation_accuracy"]


def test_augmentation_disturbs_training_batches_alone_and_follows_the_seed():
    x, y = line()

    def shifted(batch: Tensor, stream: torch.Generator) -> Tensor:
        return batch + torch.rand((), generator=stream)

    feed, plain = (TensorFeed(x, y, batch_size=20, augment=augment) for augment in (shifted, None))
    moves = [
        [(a - b).unique() for (a, _), (b, _) in zip(feed.shuffled(0, epoch), plain.shuffled(0, epoch), strict=True)]
        for epoch in (1, 1, 2)
    ]
    assert torch.equal(moves[0][0], moves[1][0])
    assert not torch.equal(moves[0][0], moves[0][1])
    assert not torch.equal(moves[0][0], moves[2][0])
    assert torch.equal(torch.cat([batch for batch, _ in feed.ordered()]), x)


def test_smoothed_labels_are_for_training_alone():
    output, target = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    losses = -torch.log_softmax(output, 1)[0]
    smoothed = Classification(label_smoothing=0.3).loss(output, target)
    assert smoothed.item() == pytest.approx((0.7 * losses[0] + 0.3 * losses.mean()).item())
    assert Classification(label_smoothing=0.3).metrics(output, target) == Classification().metrics(output, target)
