"""The study quantum-fast-weights: what it builds, what its claims judge, and the card's figures."""

from __future__ import annotations

import dataclasses
import itertools

import pandas as pd
import pytest
import torch
from torch import nn

from replank import datasets
from replank.lab.claim import table_of
from replank.lab.forecasting import Forecast, forecasting_data, measured
from replank.lab.grid_worlds import N_ACTIONS, OBSERVATION_SIZE
from replank.lab.study import find_study
from replank.lab.training import Budget, train
from replank.measure import count_moved, count_parameters
from replank.seeding import isolated, torch_stream
from replank.studies.quantum_fast_weights.claims import CLAIMS, sooner
from replank.studies.quantum_fast_weights.model import closed_form, forecaster, policy
from replank.studies.quantum_fast_weights.order import largest_change_by_order
from replank.studies.quantum_fast_weights.settings import SCALES, ForecastSettings, NavigationSettings

F64 = torch.float64
STUDY = find_study("quantum-fast-weights")
SERIES = SCALES["small"].protocols["series"]


def settings_of(arm, protocol="series", dataset="damped_pendulum"):
    return SCALES["small"].protocols[protocol].resolve(arm, dataset, {})


def built(arm, seed=0, **changes):
    with isolated(seed, "part"):
        return forecaster(dataclasses.replace(settings_of(arm), **changes))


def windows(n=6, length=4, seed=0):
    return torch.rand(n, length, 1, dtype=F64, generator=torch_stream(seed, "windows")) * 2 - 1


@pytest.mark.parametrize(
    ("arm", "n"),
    [("qfwp", 111), ("qfwp-ring", 111), ("qfwp-decay", 111), ("qfwp-unentangled", 111), ("cfwp", 111), ("lstm", 117),
     ("qlstm", 149)],
)  # fmt: skip
def test_arms_have_the_published_sizes_and_give_one_number(arm, n):
    model = built(arm)
    assert count_parameters(model).trainable == n
    assert model(windows()).shape == (6, 1)
    assert model(windows()).dtype == F64


def test_no_lstm_of_another_size_is_nearer_to_111_parameters():
    sizes = [sum(p.numel() for p in nn.LSTM(1, hidden).parameters()) + hidden + 1 for hidden in range(1, 9)]
    assert min(sizes, key=lambda size: abs(size - 111)) == 117


@pytest.mark.parametrize(("arm", "n"), [("qfwp", 1346), ("cfwp", 1346), ("lstm", 1372), ("qlstm", 1392), ("random", 0)])
def test_policies_are_about_equally_large(arm, n):
    with isolated(0, "part"):
        model = policy(settings_of(arm, "empty-5x5", "generated"), OBSERVATION_SIZE, N_ACTIONS)
    assert count_parameters(model).trainable == n
    scores, value, _ = model(torch.zeros(3, OBSERVATION_SIZE), None)
    assert (scores.shape, value.shape) == ((3, N_ACTIONS), (3,))


def test_only_the_decay_knows_of_order_among_fast_weights():
    batch = windows()
    for arm in ("qfwp", "qfwp-ring", "qfwp-unentangled", "cfwp"):
        assert largest_change_by_order(built(arm), batch) < 1e-12
    for arm in ("qfwp-decay", "lstm"):
        assert largest_change_by_order(built(arm), batch) > 1e-3
    assert largest_change_by_order(built("qlstm", seed=1), batch) > 0


def test_the_change_by_order_is_the_largest_over_all_permutations():
    model, batch = built("lstm"), windows(n=3)
    with torch.no_grad():
        expected = max(
            float((model(batch[:, [*order, 3]]) - model(batch)).abs().max())
            for order in itertools.permutations(range(3))
        )
    assert largest_change_by_order(model, batch) == pytest.approx(expected)
    constant = batch[:, :1].expand(-1, 4, -1)
    assert largest_change_by_order(model, constant) == 0


def test_two_qubits_of_the_published_circuit_reach_no_read_out():
    batch = windows(40)
    model = built("qfwp")
    assert count_moved(model, lambda: model(batch).square().sum()) == 111 - 18
    gradient = torch.autograd.grad(model(batch).square().sum(), model.core.slow.unit_scores.weight)[0]
    assert gradient[6:].abs().max() < 1e-15
    assert gradient[:6].abs().min() > 0
    ring = built("qfwp-ring")
    assert count_moved(ring, lambda: ring(batch).square().sum()) == 111


def test_without_cnots_each_read_out_is_a_sine_of_a_sum():
    model, batch = built("qfwp-unentangled"), windows()
    program = model.core(batch)[1][0].sum(1)  # over layers
    angles = program[:, :4] + torch.nn.functional.pad(batch[:, -1], (0, 3))
    torch.testing.assert_close(model(batch), model.core.readout(-angles.sin()))


def test_streaming_a_window_gives_what_the_whole_gives():
    model, batch = built("qfwp"), windows(length=7)
    whole, state = model.core(batch)
    first, middle = model.core(batch[:, :3])
    rest, last = model.core(batch[:, 3:], middle)
    torch.testing.assert_close(torch.cat((first, rest), 1), whole)
    torch.testing.assert_close(last, state)


def test_training_as_published_on_the_pendulum():
    """From a start that gets anywhere; the report says how many do not."""
    data = forecasting_data(datasets.load("damped_pendulum").values, official_scaling=True)
    model = built("qfwp", seed=3)
    found = train(
        model,
        Forecast(),
        *data.feeds(10),
        Budget(30, lambda parameters: torch.optim.RMSprop(parameters, lr=0.01)),
        seed=3,
        progress=lambda *_: None,
    )
    assert found.metrics["train_loss"] < found.curves[0]["train_loss"] / 5
    still = measured(closed_form(settings_of("persistence"), data), data).metrics["test_loss"]
    assert found.metrics["test_loss"] < still


@pytest.mark.parametrize("arm", ["ar", "ridge", "echo-state", "persistence"])
def test_closed_forms_need_no_training(arm):
    data = forecasting_data(datasets.load("narma5").values)
    with isolated(0, "part"):
        model = closed_form(settings_of(arm), data)
    assert count_parameters(model).trainable == 0
    assert measured(model, data).metrics["test_r2"] > 0


def test_epochs_to_twice_the_last_loss_of_the_rival():
    def table(ours, theirs):
        arms = {"qfwp": ours, "qlstm": theirs}
        return table_of(**{
            arm: {"train_loss": [losses[-1]] * 3} | {f"train_loss_after_{k}": [v] * 3 for k, v in enumerate(losses, 1)}
            for arm, losses in arms.items()
        })  # fmt: skip

    falling = (8, 4, 2, 1)  # twice the last loss after three epochs
    assert sooner(table((2, 2, 2, 2), falling)).measured == 1 - 3
    assert sooner(table((9, 9, 9, 9), falling)).measured == 5 - 3
    assert sooner(table((2, 2, 2, 2), falling)).status == "reproduced"
    assert sooner(table((9, 9, 9, 1), falling)).status == "not reproduced"
    ten = [10.0] * 9 + [1.0]  # epochs are numbers, not words: 10 comes after 9
    assert sooner(table(ten, ten)).measured == 0


def test_claims_are_not_tested_without_their_arms():
    lonely = pd.DataFrame({"arm": ["lstm"], "seed": [0], "status": ["done"], "error": [None]})
    assert {claim.rules[name](lonely).status for claim in CLAIMS for name in claim.rules} == {"not tested"}


def test_every_series_has_its_baselines_and_recorded_ones_are_left_out_without_files(tmp_path):
    small = SCALES["small"]
    for arm in ("ar", "persistence", "ridge", "echo-state"):
        assert SERIES.is_for_arm(arm)
    assert small.available(tmp_path) == ("damped_pendulum", "bessel_j2", "narma5", "narma10")
    assert small.protocols["empty-5x5"].makes_its_data


def test_official_scaling_differs_in_the_scale_alone():
    official, own = (settings_of("qfwp", protocol, "bessel_j2") for protocol in ("official-scaling", "series"))
    assert official == dataclasses.replace(own, official_scaling=True)


@pytest.mark.parametrize(
    ("build", "law"),
    [
        (lambda: forecaster(ForecastSettings(core="window")), "must be trained by gradients, got core='window'"),
        (lambda: closed_form(ForecastSettings(core="qfwp"), None), "must have one, got core='qfwp'"),
        (lambda: policy(NavigationSettings(core="window"), 147, 7), "must be able to act, got core='window'"),
    ],
)
def test_cores_that_do_not_fit_the_problem_are_refused(build, law):
    with pytest.raises(ValueError, match=law):
        build()
