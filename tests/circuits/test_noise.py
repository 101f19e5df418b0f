from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, PauliSum, Probabilities, X, Y, Z, pauli, theta, x
from replank.circuits.gates import pauli_matrix
from replank.circuits.noise import (
    NoiseModel,
    ReadoutError,
    amplitude_damping,
    bit_flip,
    bit_phase_flip,
    depolarising,
    kraus,
    phase_damping,
    phase_flip,
    thermal_relaxation,
)
from replank.circuits.operations import Channel
from replank.errors import UnknownName
from tests.circuits.noise_cases import CHANNELS, OBSERVABLES, around, wild
from tests.circuits.strategies import assert_near, expected, gradients, inputs

F64 = torch.float64
ATOL = 1e-12
probability = st.floats(0, 1)


def after(channel: Channel, rho: np.ndarray) -> np.ndarray:
    return sum(matrix @ rho @ matrix.conj().T for matrix in channel.kraus)


def superoperator(*channels: Channel) -> np.ndarray:
    """What acts on flattened density matrices when channels follow each other."""
    total = np.eye(len(channels[0].kraus[0]) ** 2)
    for channel in channels:
        total = sum(np.kron(matrix, matrix.conj()) for matrix in channel.kraus) @ total
    return total


def random_state(n_qubits: int = 1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2**n_qubits, 2**n_qubits)) + 1j * rng.normal(size=(2**n_qubits, 2**n_qubits))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def near(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=0, atol=ATOL)


# -- channels ----------------------------------------------------------------------------------------------------------


@given(p=probability, q=probability, duration=st.floats(0, 9), times=st.tuples(st.floats(0.1, 9), st.floats(0.01, 1)))
def test_every_channel_keeps_the_trace_and_is_completely_positive(p, q, duration, times):
    t1, share = times
    channels = [
        depolarising(p, 0), depolarising(p, 0, 1), bit_flip(p, 0), phase_flip(p, 0), bit_phase_flip(p, 0),
        amplitude_damping(p, 0), phase_damping(p, 0),
        thermal_relaxation(t1, 2 * t1 * share, duration, 0, excited=q),
    ]  # fmt: skip
    for channel in channels:
        d = len(channel.kraus[0])
        units = np.eye(d * d).reshape(d, d, d, d)  # the matrices |i><j|
        choi = np.block([[after(channel, units[i, j]) for j in range(d)] for i in range(d)])
        assert np.linalg.eigvalsh(choi).min() > -ATOL
        near(np.einsum("iaja->ij", choi.reshape(d, d, d, d)), np.eye(d))


@given(p=probability)
def test_depolarising_noise_is_a_mixture_with_the_state_that_knows_nothing(p):
    for n, q in ((1, 4 * p / 3), (2, 16 * p / 15)):
        rho = random_state(n)
        near(after(depolarising(p, *range(n)), rho), (1 - q) * rho + q * np.eye(2**n) / 2**n)


@given(p=probability)
def test_flips_are_pauli_letters_with_a_probability(p):
    rho = random_state()
    for channel, letter in ((bit_flip(p, 0), "X"), (phase_flip(p, 0), "Z"), (bit_phase_flip(p, 0), "Y")):
        flip = pauli_matrix(letter).numpy()
        near(after(channel, rho), (1 - p) * rho + p * flip @ rho @ flip)


@given(gamma=probability)
def test_phase_damping_is_a_phase_flip(gamma):
    flip = phase_flip((1 - math.sqrt(1 - gamma)) / 2, 0)
    near(superoperator(phase_damping(gamma, 0)), superoperator(flip))


@given(a=probability, b=probability)
def test_what_survives_two_channels_is_what_survives_each(a, b):
    both = 1 - (1 - a) * (1 - b)
    for damping in (amplitude_damping, phase_damping):
        near(superoperator(damping(a, 0), damping(b, 0)), superoperator(damping(both, 0)))
    both = (1 - (1 - 2 * a) * (1 - 2 * b)) / 2
    for flip in (bit_flip, phase_flip, bit_phase_flip):
        near(superoperator(flip(a, 0), flip(b, 0)), superoperator(flip(both, 0)))


@given(one=st.floats(0, 5), other=st.floats(0, 5), excited=probability)
def test_relaxation_goes_on_with_time_towards_equilibrium(one, other, excited):
    def waiting(duration: float) -> Channel:
        return thermal_relaxation(2.0, 1.5, duration, 0, excited=excited)

    near(superoperator(waiting(one), waiting(other)), superoperator(waiting(one + other)))
    equilibrium = np.diag([1 - excited, excited])
    near(after(waiting(one), equilibrium), equilibrium)
    near(after(waiting(200.0), random_state()), equilibrium)


@given(duration=st.floats(0, 1), t=st.floats(0.5, 9), excited=probability)
def test_limits_of_relaxation(duration, t, excited):
    decay = amplitude_damping(-math.expm1(-duration / t), 0)
    near(superoperator(thermal_relaxation(t, 2 * t, duration, 0)), superoperator(decay))
    dephasing = phase_damping(-math.expm1(-2 * duration / t), 0)
    near(superoperator(thermal_relaxation(math.inf, t, duration, 0, excited=excited)), superoperator(dephasing))


@pytest.mark.parametrize("n", [1, 2])
def test_the_most_depolarising_channels_leave_nothing(n):
    near(after(depolarising(1 - 4.0**-n, *range(n)), random_state(n)), np.eye(2**n) / 2**n)


def test_amplitude_damping_ends_in_0():
    near(after(amplitude_damping(0.3, 0), np.diag([1, 0])), np.diag([1, 0]))
    near(after(amplitude_damping(1.0, 0), random_state()), np.diag([1, 0]))


def test_kraus_takes_tensors_and_keeps_the_order_of_wires():
    channel = kraus([torch.tensor(matrix) for matrix in bit_flip(0.1, 0).kraus], (3,))
    near(superoperator(channel), superoperator(bit_flip(0.1, 0)))
    flip_first = kraus([np.kron(pauli_matrix("X").numpy(), np.eye(2))], (1, 0))
    values = Circuit(2).append(flip_first).plan()(torch.zeros(0, dtype=F64), torch.zeros(0, dtype=F64))
    assert_near(values, torch.tensor([1.0, -1.0], dtype=F64), ATOL)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: depolarising(1.1, 0),
        lambda: depolarising(-0.1, 0, 1),
        lambda: bit_flip(math.nan, 0),
        lambda: phase_flip(2, 0),
        lambda: bit_phase_flip(-1, 0),
        lambda: amplitude_damping(1.5, 0),
        lambda: phase_damping(math.inf, 0),
        lambda: thermal_relaxation(1.0, 1.0, 1.0, 0, excited=1.5),
        lambda: ReadoutError(1.5, 0),
        lambda: ReadoutError(0, math.nan),
    ],
)
def test_a_probability_is_between_0_and_1(wrong):
    with pytest.raises(ValueError, match=r"a probability must be in \[0, 1\], got \w+="):
        wrong()


@pytest.mark.parametrize(
    ("times", "law"),
    [
        ((1.0, 2.1, 1.0), "t2 <= 2 t1, got t1=1.0, t2=2.1"),
        ((0.0, 1.0, 1.0), "times must be 0 < t1"),
        ((1.0, -1.0, 1.0), "times must be"),
        ((math.nan, 1.0, 1.0), "times must be"),
        ((1.0, 1.0, -1.0), "must be finite and not negative, got duration=-1.0"),
        ((1.0, 1.0, math.inf), "must be finite"),
    ],
)
def test_times_that_can_not_be(times, law):
    with pytest.raises(ValueError, match=law):
        thermal_relaxation(*times, 0)


def test_matrices_and_wires_that_are_no_channel():
    with pytest.raises(ValueError, match=r"Kraus: sum K\^\+ K must be the identity"):
        kraus([np.eye(2) / 2], (0,))
    with pytest.raises(ValueError, match="Kraus: needs Kraus matrices for 1 or 2 wires"):
        kraus([np.eye(8)], (0, 1, 2))
    with pytest.raises(ValueError, match="depolarising: there must be one or two wires, got wires=\\(\\)"):
        depolarising(0.1)


# -- as density matrices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_plans_give_values_and_gradients_of_the_reference(channel, backend):
    circuit = around(channel)
    sources = inputs(circuit, batch=3)
    values = circuit.plan(OBSERVABLES)(*sources, backend=backend)
    for value, wanted in zip(values, expected(circuit, OBSERVABLES, *sources), strict=True):
        assert_near(value, wanted, 1e-10)
        for actual, other in zip(gradients(value, *sources), gradients(wanted, *sources), strict=True):
            assert_near(actual, other, 1e-10)


def test_a_wild_circuit_gives_values_and_gradients_of_the_reference():
    circuit, observables = wild(), (Z(0), X(1) @ Z(2), Y(2) @ X(0), Probabilities((2, 1)))
    sources = inputs(circuit, batch=3)
    for value, wanted in zip(
        circuit.plan(observables)(*sources), expected(circuit, observables, *sources), strict=True
    ):
        assert_near(value, wanted, 1e-10)
        for actual, other in zip(gradients(value, *sources), gradients(wanted, *sources), strict=True):
            assert_near(actual, other, 1e-10)


# -- reading -----------------------------------------------------------------------------------------------------------


def distributions(k: int) -> torch.Tensor:
    return torch.rand(5, 2**k, dtype=F64, generator=torch.Generator().manual_seed(k)).softmax(-1)


@given(up=probability, down=probability)
def test_read_probabilities_are_those_of_independent_confusions(up, down):
    error, one = ReadoutError(up, down), torch.tensor([[1 - up, down], [up, 1 - down]], dtype=F64)
    matrix = torch.ones(1, 1, dtype=F64)
    for k in range(4):
        given = distributions(k)
        assert_near(error.of_probabilities(given), given @ matrix.mT, ATOL)
        matrix = torch.kron(matrix, one)


def mean(observable: PauliSum, probabilities: torch.Tensor) -> torch.Tensor:
    """The mean of a diagonal observable of three qubits."""
    total = torch.zeros(len(probabilities), dtype=F64)
    for word, coefficient in observable.terms:
        letters = "".join(dict(word).get(qubit, "I") for qubit in range(3))
        total = total + coefficient * (probabilities @ pauli_matrix(letters).diagonal().real)
    return total


@given(up=probability, down=probability)
def test_a_read_observable_is_the_observable_of_what_is_read(up, down):
    error, observable = ReadoutError(up, down), 0.5 * pauli("ZIZ") - pauli("IZI") + 2 * pauli("ZZZ") + 0.25
    given = distributions(3)
    assert_near(mean(error.of_observable(observable), given), mean(observable, error.of_probabilities(given)), ATOL)


def test_letters_other_than_z_are_read_like_z():
    read = dict(ReadoutError(0.1, 0.3).of_observable(X(0) @ Y(2)).terms)
    assert read == pytest.approx(
        {((0, "X"), (2, "Y")): 0.36, ((0, "X"),): 0.12, ((2, "Y"),): 0.12, (): 0.04}, abs=1e-12
    )


def test_errors_of_both_kinds_alike_only_shrink_a_string():
    assert dict(ReadoutError(0.1, 0.1).of_observable(pauli("ZXZ")).terms) == pytest.approx(
        {((0, "Z"), (1, "X"), (2, "Z")): 0.8**3}, abs=1e-12
    )


def test_perfect_reading_changes_nothing():
    perfect, outcomes = ReadoutError(0, 0), torch.tensor([[0, 1], [1, 1]])
    assert torch.equal(perfect.of_probabilities(distributions(2)), distributions(2))
    assert perfect.of_observable(Z(0) @ Z(1)) == Z(0) @ Z(1)
    assert torch.equal(perfect.of_outcomes(outcomes), outcomes)
    assert torch.equal(ReadoutError(1, 1).of_outcomes(outcomes), 1 - outcomes)


def test_outcomes_are_read_with_the_probabilities_of_errors():
    outcomes = torch.arange(2).repeat(50_000)
    read = ReadoutError(0.1, 0.3).of_outcomes(outcomes, torch.Generator().manual_seed(0))
    for value, p in ((0, 0.1), (1, 0.3)):
        wrong = (read != outcomes)[outcomes == value].double().mean()
        assert abs(wrong - p) < 5 * math.sqrt(p * (1 - p) / 50_000)


# -- models ------------------------------------------------------------------------------------------------------------


def steps(circuit: Circuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(operation.label, operation.wires) for operation in circuit]


def test_channels_follow_gates_on_their_wires():
    model = NoiseModel(
        one_qubit=[bit_flip(0.1, 0)],
        two_qubit=[depolarising(0.1, 1, 0), phase_flip(0.1, 1)],
        by_name={"RZ": [], "CZ": [amplitude_damping(0.1, 0)], "RXYX": [bit_flip(0.1, 2)]},
    )
    circuit = Circuit(6).h(4).rz(theta[0], 4).cnot(5, 2).cz(3, 1).pauli_rotation("XYX", x[0], (0, 2, 4)).i(1)
    before = steps(circuit)
    assert steps(model.apply(circuit)) == [
        ("H", (4,)), ("BitFlip", (4,)), ("RZ", (4,)), ("CNOT", (5, 2)), ("Depolarising", (2, 5)), ("PhaseFlip", (2,)),
        ("CZ", (3, 1)), ("AmplitudeDamping", (3,)), ("RXYX", (0, 2, 4)), ("BitFlip", (4,)), ("I", (1,)),
        ("BitFlip", (1,)),
    ]  # fmt: skip
    assert steps(circuit) == before


def test_only_unitary_operations_are_followed_by_noise():
    circuit = Circuit(2).prepare_basis([0, 1]).measure(0, "m").x(1, when="m").reset(0).unitary(np.eye(2), (0,))
    noisy = NoiseModel(one_qubit=[bit_flip(0.1, 0)]).apply(circuit)
    labels = [label for label, _ in steps(noisy)]
    assert labels == ["X", "BitFlip", "M", "X", "BitFlip", "Reset", "U", "BitFlip"]


def test_a_model_without_channels_changes_nothing():
    circuit = Circuit(3).h(0).toffoli(0, 1, 2)
    assert steps(NoiseModel(readout=ReadoutError(0.1, 0.1)).apply(circuit)) == steps(circuit)


def test_depolarising_after_every_gate_shrinks_the_signal_by_every_gate():
    n_gates, p = 7, 0.05
    noisy = NoiseModel(one_qubit=[depolarising(p, 0)]).apply(
        Circuit(1).extend(itertools.chain.from_iterable([Circuit(1).ry(theta[0], 0)] * n_gates))
    )
    angle = torch.tensor([0.3], dtype=F64)
    value = noisy.plan(Z(0))(torch.zeros(0, dtype=F64), angle)
    assert_near(value, (1 - 4 * p / 3) ** n_gates * (n_gates * angle[0]).cos(), ATOL)


def test_models_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r"channels of one_qubit count the gate's wires, 0..0, got BitFlip on .*\(1,\)"
    ):
        NoiseModel(one_qubit=[bit_flip(0.1, 1)])
    with pytest.raises(ValueError, match=r"channels of RX count"):
        NoiseModel(by_name={"RX": [depolarising(0.1, 0, 1)]})
    with pytest.raises(UnknownName, match="Did you mean 'CNOT'"):
        NoiseModel(by_name={"CNOTT": []})
    with pytest.raises(ValueError, match=r"count the gate's wires, got BitFlip on wires=\(3,\) after U"):
        NoiseModel(by_name={"RXX": [], "U": [bit_flip(0.1, 3)], "RXXX": []}).apply(
            Circuit(2).rxx(0.1, 0, 1).unitary(np.eye(2), (0,))
        )
    model = NoiseModel(one_qubit=[bit_flip(0.1, 0)])
    with pytest.raises(ValueError, match=r"noise is known of gates on one and two qubits, got Toffoli .* by_name="):
        model.apply(Circuit(3).toffoli(0, 1, 2))
