"""Gates: matrices by other definitions, and the primitives that they come down to, global phase included."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits.angle import as_angle
from replank.circuits.gates import GATES, GateKind, pauli_matrix
from replank.circuits.primitives import (
    Matrix,
    Project,
    Turn,
    controlled,
    diagonal_turns,
    euler_turns,
    toffoli,
    turn,
)
from tests.circuits.dense import EXCHANGE, generated, on_all, product, under_control
from tests.circuits.strategies import haar

ALL = pytest.mark.parametrize("kind", GATES.values(), ids=GATES)
X, Y, Z = (pauli_matrix(letter).numpy() for letter in "XYZ")
I = np.eye(2)  # noqa: E741
ONES = np.diag([0, 1])


def exp_i(hermitian: np.ndarray) -> np.ndarray:
    return scipy.linalg.expm(1j * hermitian)


HADAMARD = (X + Z) / np.sqrt(2)

# by exponentials, square roots and sums of Pauli matrices, not by the entries that gates.py writes down
DEFINITIONS = {
    "I": lambda: I,
    "X": lambda: X,
    "Y": lambda: Y,
    "Z": lambda: Z,
    "H": lambda: HADAMARD,
    "S": lambda: exp_i(np.pi / 2 * ONES),
    "Sdg": lambda: exp_i(-np.pi / 2 * ONES),
    "T": lambda: exp_i(np.pi / 4 * ONES),
    "Tdg": lambda: exp_i(-np.pi / 4 * ONES),
    "SX": lambda: scipy.linalg.sqrtm(X),
    "SXdg": lambda: scipy.linalg.sqrtm(X).conj().T,
    "RX": lambda a: generated(X, a),
    "RY": lambda a: generated(Y, a),
    "RZ": lambda a: generated(Z, a),
    "P": lambda a: exp_i(a * ONES),
    "U3": lambda t, f, d: np.exp(0.5j * (f + d)) * generated(Z, f) @ generated(Y, t) @ generated(Z, d),
    "Rot": lambda a, b, c: generated(Z, c) @ generated(Y, b) @ generated(Z, a),
    "CNOT": lambda: under_control(X),
    "CZ": lambda: under_control(Z),
    "CY": lambda: under_control(Y),
    "CH": lambda: under_control(HADAMARD),
    "SWAP": lambda: EXCHANGE,
    "iSWAP": lambda: exp_i(np.pi / 4 * (np.kron(X, X) + np.kron(Y, Y))),
    "iSWAPdg": lambda: exp_i(-np.pi / 4 * (np.kron(X, X) + np.kron(Y, Y))),
    "CRX": lambda a: under_control(generated(X, a)),
    "CRY": lambda a: under_control(generated(Y, a)),
    "CRZ": lambda a: under_control(generated(Z, a)),
    "CP": lambda a: exp_i(a * np.kron(ONES, ONES)),
    "RXX": lambda a: generated(np.kron(X, X), a),
    "RYY": lambda a: generated(np.kron(Y, Y), a),
    "RZZ": lambda a: generated(np.kron(Z, Z), a),
    "Toffoli": lambda: under_control(under_control(X)),
}


def angles_of(kind: GateKind, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-7, 7, kind.n_angles)


def matrix_of(kind: GateKind, angles: np.ndarray) -> np.ndarray:
    return kind.matrix(torch.as_tensor(angles, dtype=torch.complex128)).numpy()


def assert_equal(actual: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-12)


# -- matrices ----------------------------------------------------------------------------------------------------------


def test_every_gate_has_a_second_definition():
    assert DEFINITIONS.keys() == GATES.keys()


@ALL
def test_the_matrix_is_that_of_the_second_definition(kind):
    angles = angles_of(kind)
    assert_equal(matrix_of(kind, angles), DEFINITIONS[kind.name](*angles))


@ALL
def test_the_matrix_is_unitary_and_of_the_stated_size(kind):
    matrix = matrix_of(kind, angles_of(kind))
    assert matrix.shape == (2**kind.n_wires, 2**kind.n_wires)
    assert_equal(matrix @ matrix.conj().T, np.eye(len(matrix)))


@ALL
def test_a_batch_of_angles_gives_a_batch_of_matrices(kind):
    angles = np.stack([angles_of(kind, seed) for seed in range(6)]).reshape(2, 3, kind.n_angles)
    batch = matrix_of(kind, angles)
    for i, j in np.ndindex(2, 3):
        assert_equal(batch[i, j], matrix_of(kind, angles[i, j]))


@ALL
def test_the_inverse_undoes(kind):
    angles = angles_of(kind)
    name, opposite = kind.inverse(tuple(map(as_angle, angles)))
    back = matrix_of(GATES[name], np.array([angle.constant for angle in opposite]))
    assert_equal(back @ matrix_of(kind, angles), np.eye(2**kind.n_wires))


@ALL
def test_controls_come_first_and_leave_0_alone(kind):
    matrix = matrix_of(kind, angles_of(kind))
    size = len(matrix) - 2 ** (kind.n_wires - kind.n_controls)
    assert_equal(matrix[:size], np.eye(len(matrix))[:size])
    assert kind.n_controls < kind.n_wires


# -- primitives --------------------------------------------------------------------------------------------------------


@ALL
def test_primitives_are_the_gate_with_its_global_phase(kind):
    angles = angles_of(kind)
    wires = (3, 0, 2)[: kind.n_wires]
    primitives = kind.lower(wires, tuple(map(as_angle, angles)))
    assert_equal(product(primitives, 4), on_all(matrix_of(kind, angles), wires, 4))


@ALL
def test_controlled_primitives_are_the_controlled_gate(kind):
    angles = angles_of(kind)
    wires = (3, 0, 2)[: kind.n_wires]
    primitives = [
        each for primitive in kind.lower(wires, tuple(map(as_angle, angles))) for each in controlled(primitive, 1)
    ]
    assert_equal(product(primitives, 4), on_all(under_control(matrix_of(kind, angles)), (1, *wires), 4))


def test_a_second_control():
    twice = [each for primitive in controlled(turn("YX", (0, 2), 0.7), 1) for each in controlled(primitive, 3)]
    wanted = under_control(under_control(generated(np.kron(Y, X), 0.7)))
    assert_equal(product(twice, 4), on_all(wanted, (3, 1, 0, 2), 4))


def test_a_controlled_matrix():
    matrix = haar(2, 1)
    assert_equal(product(controlled(Matrix((2, 0), matrix), 1), 3), on_all(under_control(matrix), (1, 2, 0), 3))


@pytest.mark.parametrize("primitive", [Project(0, 1), Matrix((0, 1, 2, 3), np.eye(16))], ids=["projection", "matrix"])
def test_what_can_not_be_controlled(primitive):
    with pytest.raises(ValueError, match="controlled: only gates on up to three wires"):
        list(controlled(primitive, 5))


def test_toffoli_has_no_phase_of_its_own():
    assert_equal(product(toffoli(2, 0, 1), 3), on_all(under_control(under_control(X)), (2, 0, 1), 3))


def test_the_identity_letter_is_dropped_and_wires_are_sorted():
    assert turn("XIZ", (4, 1, 0), 0.5) == Turn(((0, "Z"), (4, "X")), as_angle(0.5))


@given(st.integers(0, 2**31), st.integers(1, 4))
def test_a_diagonal_is_a_product_of_turns_about_strings_of_z(seed, n):
    phases = np.random.default_rng(seed).normal(size=2**n)
    wires = tuple(np.random.default_rng(seed).permutation(n).tolist())
    turns = list(diagonal_turns(phases, wires))
    assert all(each.is_diagonal for each in turns)
    assert_equal(product(turns, n), on_all(np.diag(np.exp(1j * phases)), wires, n))


def test_only_the_turns_that_a_diagonal_needs():
    zz = np.array([0.3, -0.3, -0.3, 0.3])
    assert [each.word for each in diagonal_turns(zz, (0, 1))] == [((0, "Z"), (1, "Z"))]
    assert list(diagonal_turns(np.zeros(8), (0, 1, 2))) == []


@given(st.integers(0, 2**31))
def test_euler_angles_of_any_unitary(seed):
    assert_equal(product(euler_turns(haar(1, seed), 0), 1), haar(1, seed))


@pytest.mark.parametrize("name", [name for name, kind in GATES.items() if kind.n_wires == 1])
def test_euler_angles_at_the_poles(name):
    """Where an entry is 0, one of the three angles is free."""
    matrix = matrix_of(GATES[name], np.full(GATES[name].n_angles, np.pi))
    assert_equal(product(euler_turns(matrix, 0), 1), matrix)


@pytest.mark.parametrize("letters", ["", "X", "YZ", "ZIX"])
def test_the_first_letter_is_the_most_significant_bit(letters):
    wanted = functools.reduce(np.kron, ({"X": X, "Y": Y, "Z": Z, "I": I}[letter] for letter in letters), np.eye(1))
    assert_equal(pauli_matrix(letters).numpy(), wanted)
