from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from cutting_cases import F64, N_ANGLES
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, reference, theta
from replank.circuits.angle import as_angle
from replank.circuits.cutting.gate_terms import gate_terms, interference
from replank.circuits.gates import GATES, pauli_matrix
from replank.circuits.operations import Diagonal, Gate, Operation, PauliRotation

TWO_QUBIT = [name for name, kind in GATES.items() if kind.n_wires == 2]
angles = st.floats(-7, 7)


def matrix_of_terms(operation: Operation) -> torch.Tensor:
    terms = gate_terms(operation)
    assert terms is not None
    empty = torch.zeros(1, 0, dtype=F64)
    amplitudes = terms.amplitudes(empty, torch.zeros(0, dtype=F64))[0]
    core = sum(u * pauli_matrix(one + other) for u, (one, other) in zip(amplitudes, terms.letters, strict=True))
    before, after = (reference.unitary(Circuit(2, gates)) for gates in (terms.before, terms.after))
    return after @ core @ before


def assert_equal_up_to_phase(one: torch.Tensor, other: torch.Tensor) -> None:
    overlap = torch.trace(one.mH @ other) / len(one)
    torch.testing.assert_close(overlap.abs(), torch.tensor(1.0, dtype=F64), rtol=0, atol=1e-12)
    torch.testing.assert_close(one * overlap, other, rtol=0, atol=1e-12)


def schmidt_interference(matrix: torch.Tensor) -> float:
    """``(sum s)^2 - 1`` of the singular values s of the matrix, reordered to (first qubit) x (second qubit)."""
    reordered = matrix.reshape(2, 2, 2, 2).permute(0, 2, 1, 3).reshape(4, 4) / 2
    return float(torch.linalg.svdvals(reordered).sum() ** 2 - 1)


@pytest.mark.parametrize("name", TWO_QUBIT)
@given(angle=angles)
def test_the_terms_of_a_gate_make_the_gate(name, angle):
    gate = Gate(name=name, wires=(0, 1), angles=(as_angle(angle),) * N_ANGLES.get(name, 0))
    whole = reference.unitary(Circuit(2, [gate]))
    assert_equal_up_to_phase(matrix_of_terms(gate), whole)
    terms = gate_terms(gate)
    assert terms is not None
    # the Schmidt decomposition knows nothing of Pauli letters
    assert terms.largest_interference == pytest.approx(schmidt_interference(whole), abs=1e-7)


@pytest.mark.parametrize("letters", ["XX", "XY", "ZX", "YZ", "ZZ"])
@given(angle=angles)
def test_the_terms_of_a_pauli_rotation_make_the_rotation(letters, angle):
    rotation = PauliRotation(letters=letters, angle=as_angle(angle), wires=(0, 1))
    whole = math.cos(angle / 2) * torch.eye(4, dtype=torch.complex128) - 1j * math.sin(angle / 2) * pauli_matrix(
        letters
    )
    assert_equal_up_to_phase(matrix_of_terms(rotation), whole)


@given(phases=st.tuples(angles, angles, angles, angles))
def test_the_terms_of_a_diagonal_make_the_diagonal(phases):
    diagonal = Diagonal(phases=np.array(phases), wires=(0, 1))
    assert_equal_up_to_phase(matrix_of_terms(diagonal), reference.unitary(Circuit(2, [diagonal])))


def test_a_trained_angle_counts_as_the_worst_and_is_followed_where_it_is_known():
    gate = Gate(name="RZZ", wires=(0, 1), angles=(theta[0],))
    terms = gate_terms(gate)
    assert terms is not None
    assert terms.largest_interference == 1
    angle = torch.tensor([0.3], dtype=F64)
    amplitudes = terms.amplitudes(torch.zeros(1, 0, dtype=F64), angle)
    torch.testing.assert_close(interference(amplitudes), angle.sin())


def test_other_operations_have_no_terms():
    circuit = Circuit(3).h(0).toffoli(0, 1, 2).unitary(np.eye(4), (0, 1)).pauli_rotation("XI", 0.1, (0, 1))
    assert [gate_terms(operation) for operation in circuit] == [None] * 4
