"""The reference itself, against textbook states, Kronecker products and laws of quantum mechanics."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, DensityMatrix, Probabilities, Projector, State, X, Y, Z, pauli, reference, x
from replank.circuits.gates import pauli_matrix
from replank.circuits.observables import Samples
from tests.circuits.strategies import F64, damping, general_circuits, haar, inputs, unitary_circuits

NOTHING = torch.zeros(0, dtype=F64)
ONE = torch.zeros(1, 0, dtype=F64)
C128 = torch.complex128


def state(circuit: Circuit) -> torch.Tensor:
    return reference.state(circuit, ONE, NOTHING)[0]


def density(circuit: Circuit) -> torch.Tensor:
    return reference.density_matrix(circuit, NOTHING, NOTHING)


def ket(*amplitudes: complex) -> torch.Tensor:
    return torch.tensor(amplitudes, dtype=C128)


def assert_equal(actual: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(actual, wanted, rtol=0, atol=1e-12)


# -- textbook ----------------------------------------------------------------------------------------------------------


def test_qubit_0_is_the_most_significant_bit():
    assert_equal(state(Circuit(2).x(0)), ket(0, 0, 1, 0))
    assert_equal(state(Circuit(3).x(2)), ket(0, 1, *[0] * 6))


def test_bell_and_ghz():
    r = 1 / sqrt(2)
    assert_equal(state(Circuit(2).h(0).cnot(0, 1)), ket(r, 0, 0, r))
    assert_equal(state(Circuit(3).h(1).cnot(1, 0).cnot(1, 2)), ket(r, *[0] * 6, r))


def test_a_rotation_turns_by_half_its_angle():
    assert_equal(state(Circuit(1).rx(pi / 2, 0)), ket(1, -1j) / sqrt(2))
    assert_equal(state(Circuit(1).ry(pi / 2, 0)), ket(1, 1) / sqrt(2))
    assert_equal(state(Circuit(1).x(0).rz(pi / 2, 0)), ket(0, np.exp(0.25j * pi)))


def test_an_asymmetric_matrix_acts_on_the_wires_that_are_named():
    one, other = haar(1, 0), haar(2, 1)
    circuit = Circuit(3).unitary(one, [1]).unitary(other, [2, 0])
    tensor = np.zeros((2, 2, 2), dtype=complex)
    tensor[0, 0, 0] = 1
    tensor = np.einsum("ij,ajb->aib", one, tensor)
    tensor = np.einsum("abij,jci->bca", other.reshape(2, 2, 2, 2), tensor)
    assert_equal(state(circuit), torch.tensor(tensor.reshape(8)))


def test_teleportation():
    """Any state of qubit 0 arrives at qubit 2, whatever is measured on the way."""
    circuit = Circuit(3).unitary(haar(1, 3), [0]).h(1).cnot(1, 2)
    circuit.cnot(0, 1).h(0).measure(0, "z").measure(1, "x").x(2, when="x").z(2, when="z")
    sent = torch.tensor(haar(1, 3)[:, 0])
    assert_equal(reference.expectation(DensityMatrix((2,)), density(circuit)), torch.outer(sent, sent.conj()))


def test_a_measurement_takes_the_coherence():
    assert_equal(density(Circuit(1).h(0).measure(0)), torch.eye(2, dtype=C128) / 2)


def test_a_reset_qubit_is_in_0_and_leaves_the_other_mixed():
    rho = density(Circuit(2).h(0).cnot(0, 1).reset(0))
    assert_equal(rho, torch.kron(torch.diag(ket(1, 0)), torch.eye(2, dtype=C128) / 2))


def test_post_selection_conditions():
    assert_equal(density(Circuit(2).ry(0.4, 0).cnot(0, 1).post_select(1, 1)), torch.diag(ket(0, 0, 0, 1)))
    assert_equal(state(Circuit(2).ry(0.4, 0).cnot(0, 1).post_select(1, 1)), ket(0, 0, 0, 1))


def test_damping_moves_population_from_1_to_0():
    rho = density(Circuit(1).h(0).channel(damping(0, 0.36)))
    assert_equal(rho, torch.tensor([[0.68, 0.4], [0.4, 0.32]], dtype=C128))


# -- laws --------------------------------------------------------------------------------------------------------------


@given(unitary_circuits(most_qubits=4))
def test_states_keep_their_norm_and_matrices_are_unitary(circuit):
    features, parameters = inputs(circuit, 2)
    states = reference.state(circuit, features, parameters)
    assert_equal(torch.linalg.vector_norm(states, dim=-1), torch.ones(2, dtype=F64))
    matrix = reference.unitary(circuit, features[0], parameters)
    assert_equal(matrix @ matrix.mH, torch.eye(len(matrix), dtype=C128))
    assert_equal(matrix[:, 0], states[0])


@given(unitary_circuits(most_qubits=3))
def test_the_density_matrix_of_a_pure_circuit_is_its_states_projector(circuit):
    features, parameters = inputs(circuit, 1)
    (psi,) = reference.state(circuit, features, parameters)
    assert_equal(reference.density_matrix(circuit, features[0], parameters), torch.outer(psi, psi.conj()))


@given(general_circuits())
def test_density_matrices_are_hermitian_positive_and_of_trace_1(circuit):
    features, parameters = inputs(circuit, 1)
    rho = reference.density_matrix(circuit, features[0], parameters).detach()
    assert_equal(rho, rho.mH)
    assert_equal(rho.trace(), torch.tensor(1.0, dtype=C128))
    assert torch.linalg.eigvalsh(rho).min() > -1e-12


@given(st.integers(0, 2**31))
def test_what_an_observable_gives(seed):
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(8, 8)) + 1j * generator.normal(size=(8, 8))
    rho = torch.tensor(root @ root.conj().T / np.trace(root @ root.conj().T))
    word = pauli("XIY") * 0.5 - Z(1)
    matrix = 0.5 * pauli_matrix("XIY") - pauli_matrix("IZI")
    assert_equal(reference.expectation(word, rho), (matrix @ rho).trace().real)
    probabilities = rho.diagonal().real.reshape(2, 2, 2)
    assert_equal(reference.expectation(Probabilities(), rho), probabilities.flatten())
    assert_equal(reference.expectation(Probabilities((2, 0)), rho), probabilities.sum(1).T.flatten())
    assert_equal(reference.expectation(Projector((1, 0), (2, 1)), rho), probabilities[:, 0, 1].sum())
    reduced = torch.einsum("aibaic->bc", rho.reshape(2, 2, 2, 2, 2, 2))
    assert_equal(reference.expectation(DensityMatrix((2,)), rho), reduced)
    swapped = torch.einsum("aibcid->badc", rho.reshape(2, 2, 2, 2, 2, 2)).reshape(4, 4)
    assert_equal(reference.expectation(DensityMatrix((2, 0)), rho), swapped)


def test_a_pauli_rotation_is_the_exponential():
    matrix = reference.unitary(Circuit(3).pauli_rotation("XZY", 0.7, [2, 0, 1]))
    word = pauli_matrix("ZYX").numpy()
    assert_equal(matrix, torch.tensor(scipy.linalg.expm(-0.35j * word)))


def test_prepared_states_are_normalised_and_padded():
    circuit = Circuit(3).prepare_amplitudes([x[0], 2.0, x[1]], [2, 0])
    states = reference.state(circuit, torch.tensor([[2.0, 1.0]], dtype=F64), NOTHING)
    assert_equal(states[0], ket(2, 1, 0, 0, 2, 0, 0, 0) / 3)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("circuit", [Circuit(1).measure(0), Circuit(1).reset(0), Circuit(1).channel(damping(0, 0.1))])
def test_only_pure_circuits_have_a_state(circuit):
    with pytest.raises(ValueError, match="state: the circuit must stay pure"):
        state(circuit)


def test_only_unitary_circuits_have_a_matrix():
    with pytest.raises(ValueError, match="only unitary operations have a matrix, got M"):
        reference.unitary(Circuit(1).measure(0))


@pytest.mark.parametrize("observable", [State(), Samples(2)], ids=str)
def test_what_a_density_matrix_can_not_give(observable):
    with pytest.raises(ValueError, match="expectation: "):
        reference.expectation(observable, torch.eye(2, dtype=C128))


def test_paulis_of_one_qubit():
    rho = density(Circuit(1).rx(0.3, 0).rz(0.5, 0))
    vector = [reference.expectation(letter(0), rho).item() for letter in (X, Y, Z)]
    np.testing.assert_allclose(vector, [np.sin(0.3) * np.sin(0.5), -np.sin(0.3) * np.cos(0.5), np.cos(0.3)], atol=1e-12)
