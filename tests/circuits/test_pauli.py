from __future__ import annotations

import functools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from replank.circuits import pauli_basis, pauli_strings, pauli_sum

LETTERS = {
    "I": torch.eye(2, dtype=torch.complex128),
    "X": torch.tensor([[0, 1], [1, 0]], dtype=torch.complex128),
    "Y": torch.tensor([[0, -1j], [1j, 0]], dtype=torch.complex128),
    "Z": torch.tensor([[1, 0], [0, -1]], dtype=torch.complex128),
}


def dense(n: int) -> torch.Tensor:
    """The definition: Kronecker products, leftmost letter first."""
    return torch.stack([functools.reduce(torch.kron, map(LETTERS.get, string)) for string in pauli_strings(n)])


def test_the_order_is_that_of_the_product_without_the_identity():
    assert pauli_strings(1) == ("X", "Y", "Z")
    assert pauli_strings(2)[:5] == ("IX", "IY", "IZ", "XI", "XX")
    assert len(pauli_strings(3)) == 63


@pytest.mark.parametrize("n", [1, 2, 3])
def test_basis_is_the_kronecker_products(n):
    torch.testing.assert_close(pauli_basis(n), dense(n), rtol=0, atol=0)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_basis_is_hermitian_traceless_and_orthogonal(n):
    basis = pauli_basis(n)
    flat = basis.flatten(1)
    assert torch.equal(basis, basis.mH)
    assert not basis.diagonal(dim1=1, dim2=2).sum(-1).any()
    assert torch.equal(flat.conj() @ flat.T, 2**n * torch.eye(4**n - 1, dtype=flat.dtype))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 4), batch=st.sampled_from([(), (2,), (2, 1)]), imaginary=st.booleans(), seed=st.integers(0, 99))
def test_sum_equals_the_dense_sum(n, batch, imaginary, seed):
    dtype = torch.complex128 if imaginary else torch.float64
    theta = torch.randn(*batch, 4**n - 1, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    expected = torch.einsum("...k,kij->...ij", theta.to(torch.complex128), pauli_basis(n))
    torch.testing.assert_close(pauli_sum(theta), expected, rtol=0, atol=1e-12)


def test_qubit_0_is_the_most_significant_bit():
    theta = torch.zeros(15, dtype=torch.float64)
    theta[pauli_strings(2).index("XI")] = 1
    assert pauli_sum(theta)[:, 0].real.tolist() == [0, 0, 1, 0]


def test_sum_needs_no_dense_basis_for_seven_qubits():
    theta = torch.zeros(4**7 - 1)
    theta[pauli_strings(7).index("ZIIIIII")] = 0.5
    half = torch.full((64,), 0.5)
    torch.testing.assert_close(pauli_sum(theta), torch.diag(torch.cat((half, -half))).to(torch.complex64))


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_sum_gradients(dtype):
    theta = torch.randn(2, 15, dtype=dtype, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(pauli_sum, (theta,))
    assert torch.autograd.gradgradcheck(pauli_sum, (theta,))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (4,), (14,), (16,), (2, 62)], ids=str)
def test_a_wrong_number_of_angles_is_refused(shape):
    with pytest.raises(ValueError, match=r"must be 4\^n - 1 .*got theta of shape \(.*\)"):
        pauli_sum(torch.zeros(shape))


def test_integer_angles_are_refused():
    with pytest.raises(TypeError, match="int64"):
        pauli_sum(torch.zeros(3, dtype=torch.int64))


@pytest.mark.parametrize("n", [0, 6, 7])
def test_a_basis_too_large_to_hold_is_refused(n):
    with pytest.raises(ValueError, match=rf"1 to 5 qubits, got n_qubits={n} .*GiB"):
        pauli_basis(n)


def test_the_memory_estimate_of_the_refusal_is_right():
    with pytest.raises(ValueError, match="GiB") as caught:
        pauli_basis(7, dtype=torch.complex64)
    assert math.isclose(float(str(caught.value).split("(")[1].split(" GiB")[0]), 8 * 16**7 / 2**30)


def test_no_strings_without_qubits():
    with pytest.raises(ValueError, match="n_qubits=0"):
        pauli_strings(0)
