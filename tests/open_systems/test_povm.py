"""Measurements: frames, round trips, closed forms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.errors import UnknownName
from replank.open_systems import POVM
from replank.open_systems.pauli import DTYPE, X, Y, Z
from tests.open_systems.open_cases import random_state

KINDS = ("tetra", "4pauli")
I2 = torch.eye(2, dtype=DTYPE)


def eight_corners() -> torch.Tensor:
    """An overcomplete measurement: the corners of a cube."""
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3) / 3**0.5
    return (I2 + torch.einsum("ac,cij->aij", corners.to(DTYPE), torch.stack((X, Y, Z)))) / 8


@pytest.mark.parametrize("kind", [*KINDS, eight_corners()], ids=[*KINDS, "cube"])
@given(n_qubits=st.integers(1, 3), seed=st.integers(0, 100))
def test_a_state_comes_back_from_its_probabilities(kind, n_qubits, seed):
    povm, rho = POVM(kind), random_state(n_qubits, seed)
    p = povm.povm_probabilities(rho)
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    assert (p >= 0).all()
    torch.testing.assert_close(povm.density_from_probabilities(p), rho, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_traces_with_products_of_elements(kind):
    povm, rho = POVM(kind), random_state(2, 0)
    expected = [torch.trace(rho @ torch.kron(a, b)).real for a in povm.M for b in povm.M]
    torch.testing.assert_close(povm.povm_probabilities(rho), torch.stack(expected), rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_the_dual_frame_is_dual(kind):
    povm = POVM(kind)
    overlaps = torch.einsum("aij,bji->ab", povm.M, povm.dual)
    torch.testing.assert_close(overlaps, torch.eye(4, dtype=DTYPE), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 100))
def test_observables_from_coefficients(kind, seed):
    povm, rho = POVM(kind), random_state(2, seed)
    operator = random_state(2, seed + 1) - torch.kron(X, Y)
    p = povm.povm_probabilities(rho)
    assert (p @ povm.observable_coefficients(operator)).item() == pytest.approx(torch.trace(rho @ operator).real.item())


def test_coefficients_of_z_are_those_of_the_card():
    assert POVM("tetra").observable_coefficients(Z).tolist() == pytest.approx([3, -1, -1, -1])
    assert POVM("4pauli").observable_coefficients(Z).tolist() == pytest.approx([5, -1, -1, -1])


def test_the_last_element_of_4pauli_is_the_rest():
    povm = POVM("4pauli")
    minus, minus_i, one = (torch.tensor(v, dtype=DTYPE) for v in ([1, -1], [1, -1j], [0, 2**0.5]))
    rest = sum(torch.outer(v, v.conj()) / 2 for v in (minus, minus_i, one)) / 3
    torch.testing.assert_close(povm.M[3], rest, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_qubits", [1, 2])
def test_gates_become_quasi_stochastic_matrices(kind, n_qubits):
    povm, rho = POVM(kind), random_state(n_qubits, 3)
    unitary = torch.matrix_exp(1j * random_state(n_qubits, 4) * 5)
    matrix = povm.gate_to_stochastic(unitary)
    torch.testing.assert_close(matrix.sum(0), torch.ones(4**n_qubits, dtype=torch.float64))
    after = povm.povm_probabilities(unitary @ rho @ unitary.mH)
    torch.testing.assert_close(matrix @ povm.povm_probabilities(rho), after, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_product_states_have_one_distribution(kind):
    povm, plus = POVM(kind), torch.tensor([1, 1j], dtype=DTYPE) / 2**0.5
    rho = torch.outer(plus, plus.conj())
    both = povm.product_distribution(torch.kron(rho, rho))
    torch.testing.assert_close(both, povm.product_distribution(plus))
    with pytest.raises(ValueError, match="product of equal states"):
        povm.product_distribution((torch.kron(rho, rho) + torch.kron(I2, I2) / 4) / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_that_can_not_occur_is_floored_with_a_warning(kind):
    """|1> never gives outcome 0."""
    with pytest.warns(UserWarning, match="becomes 1e-08"):
        p = POVM(kind).product_distribution(torch.tensor([0, 1], dtype=DTYPE))
    assert p.log().isfinite().all()
    assert p[0].item() == pytest.approx(1e-8, rel=1e-6)
    assert p.sum().item() == pytest.approx(1)


def trine() -> torch.Tensor:
    angles = torch.arange(3, dtype=torch.float64) * 2 * torch.pi / 3
    return torch.stack([(I2 + angle.cos() * Z + angle.sin() * X) / 3 for angle in angles])


@pytest.mark.parametrize(
    ("elements", "law"),
    [
        (POVM("tetra").M * 2, "sum to 1"),
        (trine(), "not informationally complete"),
        (torch.stack([I2, X, Z, -X - Z]), "positive"),
        (POVM("tetra").M * 1j, "Hermitian"),
        (torch.ones(4, 3, 3), r"\(K, 2, 2\)"),
    ],
    ids=["sum", "rank", "negative", "not-hermitian", "shape"],
)
def test_what_is_no_measurement_is_refused(elements, law):
    with pytest.raises(ValueError, match=law):
        POVM(elements)


def test_bad_names_and_shapes_are_refused():
    povm = POVM()
    with pytest.raises(UnknownName, match="Did you mean 'tetra'"):
        POVM("tetrahedron")
    with pytest.raises(ValueError, match=r"4\^N numbers"):
        povm.density_from_probabilities(torch.ones(5))
    with pytest.raises(ValueError, match="unitary"):
        povm.gate_to_stochastic(2 * X)
    with pytest.raises(ValueError, match=r"2\^N rows"):
        povm.povm_probabilities(torch.eye(3))
    with pytest.raises(ValueError, match="square"):
        povm.povm_probabilities(torch.ones(2, 4))


def test_a_distribution_need_not_be_a_state():
    """The first outcome for certain: no state does that."""
    p = torch.zeros(4, dtype=torch.float64)
    p[0] = 1
    least = np.linalg.eigvalsh(POVM("tetra").density_from_probabilities(p).numpy()).min()
    assert least == pytest.approx(-1)
