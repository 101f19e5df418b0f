from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from replank.circuits import (
    Circuit,
    DensityMatrix,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
    X,
    Y,
    Z,
    core,
    theta,
    x,
)
from replank.circuits.noise import NoiseModel, ReadoutError, amplitude_damping, bit_flip, depolarising
from replank.circuits.operations import PostSelect
from replank.circuits.trajectories import Trajectories
from replank.errors import UsageError
from tests.circuits.noise_cases import CHANNELS, OBSERVABLES, around, wild
from tests.circuits.strategies import F64, assert_near, expected, general_circuits, gradients, inputs, pauli_sums

NONE = torch.zeros(0, dtype=F64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_within_errors(mean: Tensor, error: Tensor, wanted: Tensor, most: float = 5.0) -> None:
    """Five standard errors, where there is chance at all: once in two million."""
    assert mean.shape == error.shape == wanted.shape
    assert ((mean - wanted).abs() <= most * error + 1e-10).all(), ((mean - wanted) / error).tolist()


# -- against density matrices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_means_are_those_of_the_density_matrix(channel):
    circuit = around(channel)
    sources = inputs(circuit, batch=3)
    means, errors = Trajectories(circuit, OBSERVABLES)(*sources, n=4000, generator=seeded())
    for mean, error, wanted in zip(means, errors, expected(circuit, OBSERVABLES, *sources), strict=True):
        assert_within_errors(mean, error, wanted)


def test_means_of_a_wild_circuit_are_those_of_the_density_matrix():
    circuit, observables = wild(), (Z(0), X(1) @ Z(2), Y(2) @ X(0), Probabilities((2, 1)))
    sources = inputs(circuit, batch=2)
    means, errors = Trajectories(circuit, observables)(*sources, n=20_000, generator=seeded())
    for mean, error, wanted in zip(means, errors, expected(circuit, observables, *sources), strict=True):
        assert_within_errors(mean, error, wanted)


@given(circuit=general_circuits(), data=st.data())
def test_means_of_any_circuit_are_those_of_the_plan(circuit, data):
    circuit = Circuit(circuit.n_qubits, [each for each in circuit if not isinstance(each, PostSelect)])
    observables = [data.draw(pauli_sums(circuit.n_qubits)), Projector((1,), (0,))]
    sources = [each.detach() for each in inputs(circuit, batch=2)]
    mean, error = Trajectories(circuit, observables)(*sources, n=2000, generator=seeded())
    assert_within_errors(mean, error, circuit.plan(observables)(*sources))


@pytest.mark.parametrize("name", ["depolarising", "hot relaxation", "random"])
def test_gradients_are_those_of_the_density_matrix(name):
    circuit, many = around(CHANNELS[name]), 200
    sources = inputs(circuit, batch=1)
    wanted = torch.autograd.grad(circuit.plan(Z(1))(*sources).sum(), sources)
    features, parameters = (each.detach().expand(many, *each.shape[-2:]).clone().requires_grad_() for each in sources)
    mean = Trajectories(circuit, Z(1)).run(features, parameters, n=50, generator=seeded()).mean
    for each, exact in zip(torch.autograd.grad(mean.sum(), [features, parameters]), wanted, strict=True):
        assert_within_errors(each.mean(0), each.std(0) / math.sqrt(many), exact)


def test_reading_errors_are_a_matter_of_the_observable():
    circuit, observable, error = around(CHANNELS["bit flip"]), X(0) @ Z(1) - 0.5 * Z(0), ReadoutError(0.1, 0.02)
    sources = inputs(circuit, batch=2)
    read = error.of_observable(observable)
    mean, deviation = Trajectories(circuit, read)(*sources, n=4000, generator=seeded())
    assert_within_errors(mean, deviation, circuit.plan(read)(*sources))


def test_more_qubits_than_a_density_matrix_holds():
    n, p = 14, 0.02
    circuit = NoiseModel(by_name={"CNOT": [bit_flip(p, 1)]}).apply(
        Circuit(n).h(0).extend([op for q in range(n - 1) for op in Circuit(n).cnot(q, q + 1)])
    )
    observables = [Z(0) @ Z(k) for k in (1, 5, n - 1)]
    mean, error = Trajectories(circuit, observables)(NONE, NONE, n=500, generator=seeded())
    assert_within_errors(mean, error, torch.tensor([(1 - 2 * p) ** k for k in (1, 5, n - 1)], dtype=F64))


# -- errors of means ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["depolarising", "hot relaxation", "random"])
def test_the_standard_error_is_how_much_means_scatter(name):
    circuit = around(CHANNELS[name])
    features, parameters = (each.detach() for each in inputs(circuit, batch=1))
    mean, error = Trajectories(circuit, Z(1))(features.expand(2000, -1), parameters, n=25, generator=seeded())
    # 2000 means give their own deviation to 1.6 %
    assert mean.std().item() == pytest.approx(error.square().mean().sqrt().item(), rel=0.08)


def test_four_times_as_many_trajectories_halve_the_error():
    circuit = around(CHANNELS["hot relaxation"])
    sources = inputs(circuit, batch=200)
    few, more = (Trajectories(circuit, Z(1))(*sources, n=n, generator=seeded()).standard_error for n in (50, 200))
    assert (few / more).mean().item() == pytest.approx(2, rel=0.05)


def test_pauli_errors_scatter_no_more_than_coins():
    circuit = around(CHANNELS["depolarising"])
    mean, error = Trajectories(circuit, [Z(0), Y(1)])(*inputs(circuit, batch=3), n=1000, generator=seeded())
    assert (error <= ((1 - mean**2) / 999).sqrt()).all()


def test_without_channels_there_is_no_error():
    circuit = Circuit(2).ry(x[0], 0).cnot(0, 1).rx(theta[0], 1)
    sources = inputs(circuit)
    mean, error = Trajectories(circuit)(*sources, n=2)
    assert_near(mean, circuit.plan()(*sources), 1e-14)
    assert_near(error, torch.zeros(5, 2, dtype=F64), 0)


def test_a_channel_that_nothing_sees_is_not_drawn():
    circuit = (
        Circuit(3).append(depolarising(0.3, 2)).ry(x[0], 0).cnot(0, 1).append(amplitude_damping(0.5, 1)).rx(0.3, 2)
    )
    trajectories = Trajectories(circuit, Z(0))
    assert trajectories.channels == []
    assert trajectories(*inputs(circuit), n=2).standard_error.max() == 0


def test_numbers_alone_are_known():
    mean, error = Trajectories(Circuit(1).append(bit_flip(0.5, 0)), [PauliSum(()), 2 * Z(0) @ Z(0)])(NONE, NONE, n=2)
    assert (mean.tolist(), error.tolist()) == ([0, 2], [0, 0])


# -- how it runs -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not core.available(), reason="there is no compiled core")
@pytest.mark.parametrize("name", ["depolarising, two wires", "hot relaxation", "random, two wires"])
def test_the_same_seed_gives_the_same_on_core_and_torch(name):
    circuit = around(CHANNELS[name])
    sources = inputs(circuit, batch=2)
    trajectories = Trajectories(circuit, OBSERVABLES[:3])
    results = [
        trajectories(*sources, n=20, generator=seeded(), backend=backend) for backend in ("core", "torch", "auto")
    ]
    for mean, error in results[1:]:
        assert_near(mean, results[0].mean, 1e-12)
        assert_near(error, results[0].standard_error, 1e-12)
        for one, other in zip(gradients(mean, *sources), gradients(results[0].mean, *sources), strict=True):
            assert_near(one, other, 1e-12)


def test_shapes_are_those_of_a_plan():
    circuit = around(CHANNELS["bit flip"])
    features, parameters = torch.rand(4, 3, 2), torch.rand(3)
    for observables in (Z(0), None, OBSERVABLES, [Z(0), Projector((1,), (0,))], Probabilities()):
        ours = Trajectories(circuit, observables)(features, parameters, n=2)
        wanted = circuit.plan(observables)(features, parameters)
        for mine in ours:
            assert isinstance(mine, tuple) == isinstance(wanted, tuple)
            pairs = zip(mine, wanted, strict=True) if isinstance(mine, tuple) else [(mine, wanted)]
            assert all((one.shape, one.dtype) == (other.shape, torch.float32) for one, other in pairs)


def test_no_samples():
    circuit = around(CHANNELS["hot relaxation"])
    mean, error = Trajectories(circuit)(torch.zeros(0, 2), torch.zeros(3), n=5)
    assert mean.shape == error.shape == (0, 2)


def test_groups_of_features_and_parameters_draw_errors_of_their_own():
    circuit = around(CHANNELS["bit flip"])
    features, parameters = torch.rand(1, 2, 2, dtype=F64), torch.rand(3, dtype=F64).expand(4, -1)
    mean = Trajectories(circuit, Z(0)).run(features, parameters, n=5, generator=seeded()).mean
    assert mean.shape == (4, 2)
    assert len(mean[:, 0].unique()) > 1


def test_copies_and_pickles_run_as_well():
    circuit = around(CHANNELS["random"])
    trajectories, sources = Trajectories(circuit, Z(0)), inputs(circuit)
    mean = trajectories(*sources, n=5, generator=seeded()).mean
    for other in (copy.deepcopy(trajectories), pickle.loads(pickle.dumps(trajectories))):
        assert torch.equal(other(*sources, n=5, generator=seeded()).mean, mean)


@pytest.mark.parametrize("observable", [State(), DensityMatrix((0,)), Samples(5)])
def test_observables_without_a_mean_of_numbers_are_refused(observable):
    with pytest.raises(ValueError, match="observables must be sums of Pauli strings, projectors or probabilities, got"):
        Trajectories(Circuit(1), observable)


def test_what_is_refused():
    circuit = around(CHANNELS["bit flip"])
    trajectories = Trajectories(circuit)
    features, parameters = torch.rand(2, 2), torch.rand(3)
    with pytest.raises(ValueError, match="must not post-select"):
        Trajectories(Circuit(1).h(0).post_select(0, 1))
    with pytest.raises(ValueError, match=r"wires must be different and among 0..1, got \(2,\)"):
        Trajectories(circuit, Z(2))
    with pytest.raises(ValueError, match="at least two trajectories, got n=1"):
        trajectories(features, parameters, n=1)
    with pytest.raises(ValueError, match=r"features must be \(\*, 2\) and parameters \(3,\), got shapes \(2, 1\)"):
        trajectories(features[:, :1], parameters, n=2)
    with pytest.raises(TypeError, match="float32 or float64 alike"):
        trajectories(features.double(), parameters, n=2)
    with pytest.raises(TypeError, match=r"float32 or float64 alike, .* got torch.float16"):
        trajectories(features.half(), parameters.half(), n=2)
    for backend in ("auto", "torch"):
        with pytest.raises(ValueError, match=r"must be finite|is NaN or infinite"):
            trajectories(features * math.nan, parameters, n=2, backend=backend)


def test_too_many_trajectories_for_the_memory_are_refused():
    circuit = Circuit(16).extend([op for q in range(16) for op in Circuit(16).ry(theta[0], q).cnot(q, (q + 1) % 16)])
    trajectories = Trajectories(circuit.append(amplitude_damping(0.1, 0)))
    with pytest.raises(UsageError, match="states must fit into memory, got 16 lines and 10000000 trajectories"):
        trajectories(torch.zeros(10, 0), torch.zeros(1, requires_grad=True), n=1_000_000)
