from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from replank.circuits import pauli_strings, reference
from replank.circuits.operations import PauliRotation
from replank.circuits.templates import arbitrary_unitary, arbitrary_unitary_shape

F64 = torch.float64


def words(n: int) -> list[str]:
    """The Pauli strings in the order in which they act."""
    found = []
    for operation in arbitrary_unitary(n):
        assert isinstance(operation, PauliRotation)
        letters = dict(zip(operation.wires, operation.letters, strict=True))
        found.append("".join(letters.get(wire, "I") for wire in range(n)))
    return found


@pytest.mark.parametrize("n", [1, 2, 3])
def test_each_pauli_string_comes_once_and_neighbours_differ_in_one_letter(n):
    order = words(n)
    assert sorted(order) == sorted(pauli_strings(n))
    path = ["I" * n, *order]
    assert all(sum(a != b for a, b in zip(*pair, strict=True)) == 1 for pair in pairwise(path))


def test_its_order_for_two_qubits():
    assert words(2)[:6] == ["XI", "YI", "ZI", "ZX", "IX", "XX"]


@pytest.mark.parametrize("n", [1, 2])
def test_it_reaches_every_direction(n):
    point = torch.randn(4**n - 1, dtype=F64, generator=torch.Generator().manual_seed(0))

    def entries(weights: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(reference.unitary(arbitrary_unitary(n), torch.zeros(0, dtype=F64), weights))

    jacobian = torch.autograd.functional.jacobian(entries, point).reshape(-1, 4**n - 1)
    assert np.linalg.matrix_rank(jacobian.numpy(), rtol=1e-6) == 4**n - 1


def test_it_begins_where_it_is_told_to():
    (shape,) = arbitrary_unitary_shape(2)
    assert shape == 15
    assert arbitrary_unitary(2, start=4).n_parameters == 19
    with pytest.raises(ValueError, match="needs 15 weights from start=0 on, got 14"):
        arbitrary_unitary(2, weights=[0.0] * 14)


@pytest.mark.parametrize("n", [0, 7, 1.5])
def test_a_number_of_qubits_that_is_none_is_refused(n):
    with pytest.raises(ValueError, match=r"n_qubits must be an integer in 1\.\.6"):
        arbitrary_unitary(n)
