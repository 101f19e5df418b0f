"""The study quantum-reservoir: what it builds, what its trials measure, and the card's acceptance list."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from replank import datasets
from replank.features import RidgeReadout
from replank.lab.forecasting import Forecast, Forecaster, forecasting_data, measured
from replank.lab.study import find_study
from replank.lab.training import Budget, train
from replank.lab.trial import Trial, TrialKey
from replank.measure import count_parameters, memory_capacity
from replank.parts.recurrent import QuantumGRU, QuantumLSTM, QuantumRNN, Reservoir
from replank.seeding import isolated, torch_stream
from replank.studies.quantum_reservoir.model import (
    RandomTanh,
    closed_form,
    core,
    delayed,
    forecaster,
    n_units,
    streamed,
)
from replank.studies.quantum_reservoir.settings import (
    CONTROLS,
    NEEDS_NO_STEPS,
    PUBLISHED,
    SCALES,
    UNIFORM,
    WITH_SIX,
    Core,
    SeriesSettings,
)
from replank.studies.quantum_reservoir.trial import after_epochs, run, states_of

F64, CPU = torch.float64, torch.device("cpu")
STUDY = find_study("quantum-reservoir")
SMALL = SCALES["small"]
QUIET = {"progress": lambda *_: None}


def settings_of(arm, protocol="gradient", dataset="narma5", **changes):
    return replace(SMALL.protocols[protocol].resolve(arm, dataset, {}), **changes)


def measurements(arm, protocol="gradient", dataset="narma5", seed=0, **changes):
    data = None if SMALL.protocols[protocol].makes_its_data else datasets.load(dataset)
    key = TrialKey("quantum-reservoir", "small", protocol, dataset, arm, seed, "", "", "", 1)
    settings = settings_of(arm, protocol, dataset, **changes)
    return run(Trial(key, STUDY.arm(arm), settings, data, CPU, **QUIET))


def built(settings, seed=0):
    with isolated(seed, "part"):
        return core(settings)


def model_of(arm, seed=0):
    with isolated(seed, "part"):
        return forecaster(settings_of(arm), lambda n: nn.Linear(n, 1, dtype=F64), device=CPU)


def rand(*shape, seed=0):
    return 2 * torch.rand(*shape, dtype=F64, generator=torch_stream(seed, "input")) - 1


def short(n=60):
    return forecasting_data(datasets.load("narma5").values[:n])


def rmsprop(epochs):
    return Budget(epochs, partial(torch.optim.RMSprop, lr=0.01, alpha=0.99, eps=1e-8))


# -- what is built -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "n"),
    [("rnn", 22), ("gru", 58), ("lstm", 76), ("rnn-matched", 33), ("gru-matched", 89), ("lstm-matched", 117),
     ("qrnn", 28), ("qgru", 76), ("qlstm", 100), ("qlstm-six", 149)],
)  # fmt: skip
def test_trained_arms_have_the_sizes_that_they_say(arm, n):
    model = model_of(arm)
    assert count_parameters(model).trainable == n
    assert str(n) in STUDY.arm(arm).about
    assert model(rand(5, 4, 1)).shape == (5, 1)


@pytest.mark.parametrize(("cell", "quantum"), [("rnn", "qrnn"), ("gru", "qgru"), ("lstm", "qlstm")])
def test_no_other_number_of_units_is_nearer_to_the_quantum_cells_parameters(cell, quantum):
    layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    for n_qubits in (2, 4, 6):
        goal = sum(each.numel() for each in built(Core(quantum, n_qubits=n_qubits)).parameters()) + n_qubits
        chosen = n_units(Core(cell, size="parameters", n_qubits=n_qubits))
        gaps = {n: abs(sum(p.numel() for p in layer(1, n).parameters()) + n + 1 - goal) for n in range(1, 30)}
        assert gaps[chosen] == min(gaps.values())


@pytest.mark.parametrize("arm", [*PUBLISHED, *UNIFORM, *CONTROLS])
def test_of_a_reservoir_the_read_out_alone_can_be_trained(arm):
    model = model_of(arm)
    n_read = 4 if "matched" in arm or "six" in arm else 3
    assert sum(each.numel() for each in model.parameters() if each.requires_grad) == n_read + 1
    assert isinstance(model.core, Reservoir)


@pytest.mark.parametrize("arm", ["qrnn-rc", "qgru-rc-uniform", "qlstm-six-rc", "lstm-rc"])
def test_training_leaves_a_reservoir_bit_for_bit(arm):
    model, data = model_of(arm), short()
    before = copy.deepcopy(model.core.state_dict())
    train(model, Forecast(), *data.feeds(10), rmsprop(2), seed=0, **QUIET)
    assert before
    assert all(torch.equal(each, before[name]) for name, each in model.core.state_dict().items())


def test_arms_of_one_cell_share_what_is_drawn():
    """So that a difference between them is not one of luck."""
    trained, reservoir = model_of("qlstm"), model_of("qlstm-rc")
    assert torch.equal(trained.core.gates.theta, reservoir.core.core.gates.theta)
    uniform, unentangled = model_of("qlstm-rc-uniform"), model_of("qlstm-rc-unentangled")
    assert torch.equal(uniform.core.core.gates.theta, unentangled.core.core.gates.theta)


@pytest.mark.parametrize(("cell", "n_circuits"), [("qrnn", 1), ("qgru", 3), ("qlstm", 4)])
def test_random_tanh_units_stand_where_circuits_stood(cell, n_circuits):
    part = built(Core(cell, frozen=True, inside="tanh")).core
    inside = [each for each in part.modules() if isinstance(each, RandomTanh)]
    assert sum(len(each.weight) for each in inside) == n_circuits
    assert all(each.weight.shape[1:] == (8, 3) for each in inside)
    assert not any("theta" in name for name, _ in part.named_parameters())


def test_a_step_with_random_tanh_units_by_hand():
    part = built(Core("qrnn", frozen=True, inside="tanh"))
    inputs = rand(1, 2, 1)
    units, hidden = part.core.circuit, torch.zeros(3, dtype=F64)
    for x in inputs[0]:
        v = torch.cat((x, hidden))
        angles = torch.cat((v.atan(), v.square().atan()))
        hidden = (angles @ units.weight[0] + units.shift[0]).tanh().tanh()
    torch.testing.assert_close(part(inputs)[0][0, -1], hidden)


def test_the_last_inputs_as_features():
    found = delayed(torch.tensor([1.0, 2.0, 3.0]), 2)
    assert found.tolist() == [[0, 1], [1, 2], [2, 3]]


# -- closed forms and bounds -------------------------------------------------------------------------------------------


def test_without_weights_the_first_output_is_the_sine_of_an_arctangent_and_the_others_are_none():
    x = 5 * rand(1000)
    layer = built(Core("qrnn", frozen=True, init_scale=0.0))
    first = layer(x.reshape(-1, 1, 1))[0][:, 0]
    torch.testing.assert_close(first[:, 0], (-x / (1 + x * x).sqrt()).tanh())
    assert first[:, 1:].abs().max() < 1e-14


def test_without_weights_qrnn_is_the_present_input_and_remembers_nothing():
    """Outputs are products of sines, of all but the first one at least one of a state that is empty."""
    u = rand(600)
    states = streamed(built(Core("qrnn", frozen=True, init_scale=0.0)), u)
    torch.testing.assert_close(states[:, 0], (-u / (1 + u * u).sqrt()).tanh())
    assert states[:, 1:].abs().max() < 1e-14
    assert memory_capacity(states, u).total < 0.2
    for cell in ("qgru", "qlstm", "qlstm-six"):
        assert streamed(built(Core(cell, frozen=True, init_scale=0.0)), u)[:, 1:].abs().max() < 1e-14


def test_bounds_hold_for_a_thousand_draws():
    """Gates never close, so that a cell of QLSTM stays below 2.07 and forgets 27 % at each step."""
    most = 1 / (1 + math.exp(-1))
    assert most == pytest.approx(0.7311, abs=1e-4)
    assert -1 / math.log(most) == pytest.approx(3.2, abs=0.01)
    largest = most * math.tanh(1) / (1 - most)
    assert largest == pytest.approx(2.07, abs=1e-3)
    parts = [kind(1, 3, batch_first=True, dtype=F64, init_scale=None, frozen=True)
             for kind in (QuantumRNN, QuantumGRU, QuantumLSTM)]  # fmt: skip
    inputs, tops = 5 * rand(2, 1, 1), [0.0, 0.0, 0.0]
    hidden = rand(1, 2, 3)
    starts = hidden, hidden, (hidden, torch.full((1, 2, 3), largest, dtype=F64))
    with torch.no_grad(), isolated(0, "draws"):
        for _ in range(1000):
            for number, part in enumerate(parts):
                part.reset_parameters()
                state = part(inputs, starts[number])[1]
                tops[number] = max(tops[number], float((state[1] if number == 2 else state).abs().max()))
    assert tops[0] <= math.tanh(1) + 1e-12
    assert tops[1] <= 1
    assert tops[2] <= largest + 1e-12


def test_published_angles_are_near_none_and_uniform_ones_are_not():
    small, wide = (measurements(arm, "memory", n_steps=300, n_draws=1) for arm in ("qlstm-rc", "qlstm-rc-uniform"))
    assert small.metrics["distance_to_zero_weights"] < 0.05 < wide.metrics["distance_to_zero_weights"]


# -- trials ------------------------------------------------------------------------------------------------------------


def test_kept_states_train_as_computed_ones_do():
    model, data = model_of("qgru-rc"), short()
    again = copy.deepcopy(model)
    whole = train(model, Forecast(), *data.feeds(10), rmsprop(4), seed=0, **QUIET)
    kept = states_of(again.core, data)
    read = train(again.readout, Forecast(), *kept.feeds(10), rmsprop(4), seed=0, **QUIET)
    for one, other in zip(whole.curves, read.curves, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_a_trial_on_kept_states_is_the_published_way():
    found = measurements("qlstm-rc", epochs=3, first=60)
    with isolated(0, "part"):
        model = forecaster(settings_of("qlstm-rc"), _drawn_as_in_trials, device=CPU)
    expected = train(model, Forecast(), *short().feeds(10), rmsprop(3), seed=0, **QUIET)
    assert [row["test_loss"] for row in found.curves] == pytest.approx([row["test_loss"] for row in expected.curves])
    for name in ("parameters", "trainable_parameters", "forward_flops"):
        assert found.metrics[name] == expected.metrics[name]
    assert found.metrics["trainable_parameters"] == 4
    assert found.metrics["shifted_evaluations"] == 0
    assert found.metrics["circuit_evaluations"] == 4 * 4


def _drawn_as_in_trials(n):
    with isolated(0, "host"):
        return nn.Linear(n, 1, dtype=F64)


@pytest.mark.parametrize("arm", ["qrnn-rc", "qlstm-rc-uniform", "gru-rc"])
def test_a_hundred_epochs_do_not_get_below_least_squares(arm):
    data = short(150)
    kept = states_of(model_of(arm).core, data)
    with isolated(0, "host"):
        readout = nn.Linear(3, 1, dtype=F64)
    trained = train(readout, Forecast(), *kept.feeds(10), replace(rmsprop(100), evaluate_every=10), seed=0, **QUIET)
    solved = RidgeReadout(1e-10).fit(kept.train_x, kept.train_y)
    least = float((solved.predict(kept.train_x) - kept.train_y).square().mean())
    assert least <= trained.metrics["least_train_loss"] + 1e-9


def test_of_a_read_out_both_ways_of_fitting_are_told():
    gradient = measurements("qrnn-rc-uniform", epochs=1, first=80).metrics
    ridge = measurements("qrnn-rc-uniform", "ridge", first=80).metrics
    assert gradient["ridge_test_loss"] == pytest.approx(ridge["test_loss"])
    assert gradient["train_loss_above_least_squares"] >= 0
    assert gradient["train_loss_above_least_squares"] == pytest.approx(
        gradient["train_loss"] - gradient["least_squares_train_loss"]
    )


def test_on_the_pendulum_least_squares_on_four_values_is_nearly_exact():
    data = forecasting_data(datasets.load("damped_pendulum").values)
    loss = measured(closed_form(settings_of("ar"), data), data).metrics["test_loss"]
    assert 1e-8 < loss < 1e-6


def test_every_series_has_its_baselines():
    for name in ("gradient", "ridge"):
        protocol = SMALL.protocols[name]
        assert all(protocol.is_for_arm(arm) for arm in NEEDS_NO_STEPS)
    echoes = settings_of("echo-state", "ridge")
    with isolated(0, "part"):
        reservoir = core(echoes).core
    assert (reservoir.hidden_size, reservoir.spectral_radius, reservoir.input_scale, reservoir.leak) == (100, 0.9, 1, 1)


def test_without_files_the_papers_series_are_left(tmp_path):
    assert SMALL.available(tmp_path) == ("damped_pendulum", "bessel_j2", "narma5", "narma10")


def test_epochs_to_settle_are_the_first_within_a_tenth_of_the_last_loss():
    losses = [5.0, 1.2, 1.09, 1.3, 1.0]
    curves = [{"epoch": float(k), "train_loss": loss, "test_loss": k / 10} for k, loss in enumerate(losses, 1)]
    assert after_epochs(curves) == {"epoch_1_test_mse": 0.1, "epochs_to_settle": 3}


def test_narma_is_followed_from_its_input_alone():
    """An echo state network does much better than the mean, as everybody knows; the last value is worse than that."""
    large, last = (measurements(arm, "driven-narma5", n_steps=1200).metrics for arm in ("echo-state", "persistence"))
    assert large["test_nmse"] < 0.2 < 1 < last["test_nmse"]
    assert large["parameters"] == 101 + 100 * 102
    window = measurements("ar", "driven-narma5", n_steps=1200).metrics
    assert large["test_nmse"] < window["test_nmse"] < 1


def test_what_is_driven_does_not_see_the_future():
    """The inputs up to now tell the next value of a system of order 1 exactly, given enough of them."""
    found = measurements("echo-state", "driven-narma5", n_steps=1200, order=1)
    assert found.metrics["test_nmse"] < 1e-3


def test_memory_of_the_last_four_inputs_is_three():
    found = measurements("ar", "memory")
    assert found.metrics["memory_capacity"] == pytest.approx(3, abs=0.05)
    assert np.allclose(found.artefacts["memory_by_delay"][:3], 1)
    assert "share_forgotten" not in found.metrics


def test_a_memory_trial_draws_other_reservoirs_for_each_question():
    found = measurements("qgru-rc-uniform", "memory", n_steps=300, n_draws=3).metrics
    assert found["share_forgotten"] == 1
    assert 0 < found["largest_left_distance"] < 1e-6
    assert measurements("qgru-rc-uniform", "memory", n_steps=300, n_draws=1, forgetting_steps=1).metrics[
        "share_forgotten"
    ] == 0  # fmt: skip


def test_trials_can_be_repeated():
    once, again = (measurements("qlstm-rc-tanh", "memory", n_steps=300, n_draws=1) for _ in range(2))
    assert once.metrics == again.metrics


def test_other_sizes_are_run_at_the_scale_of_the_paper():
    paper = SCALES["paper"].protocols
    assert {paper[f"ridge-{n}-qubits"].settings.n_qubits for n in range(5, 9)} == {5, 6, 7, 8}
    assert {paper[f"memory-{n}-layers"].settings.n_layers for n in (1, 3, 4)} == {1, 3, 4}
    for cell in WITH_SIX:
        layer = built(paper["driven-narma5-5-qubits"].resolve(f"{cell}-rc", "generated", {}))
        assert next(layer.core.children()).plan.circuit.n_qubits == 5


@pytest.mark.parametrize(
    ("settings", "law"),
    [
        (Core("window"), "must have a state, got cell='window'"),
        (Core("echo-state"), "random units are not trained, got cell='echo-state'"),
        (Core("qrnn", inside="tanh"), "random units are not trained, got cell='qrnn' with inside='tanh'"),
        (Core("qrnn", n_qubits=1), "one for the state, got n_qubits=1"),
    ],
)
def test_cores_that_can_not_be_are_refused(settings, law):
    with pytest.raises(ValueError, match=law):
        core(settings)


def test_what_is_trained_step_by_step_has_no_closed_form():
    with pytest.raises(ValueError, match="must have one, got readout='rmsprop'"):
        closed_form(SeriesSettings("rnn", frozen=True), short())


@pytest.mark.parametrize("bad", ["rank", "nan"])
def test_inputs_that_a_recurrent_layer_refuses_are_refused(bad):
    model = Forecaster(built(settings_of("qlstm-rc")))
    inputs = torch.zeros(4, 4) if bad == "rank" else torch.full((1, 4, 1), math.nan)
    with pytest.raises(ValueError, match="must be finite" if bad == "nan" else "input must be"):
        model(inputs.double())
