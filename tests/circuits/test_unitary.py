from __future__ import annotations

import math

import pytest
import torch

from replank.circuits import hermitian_expm, pauli_basis, su_unitary

F64, C128 = torch.float64, torch.complex128


def randn(*shape: int, dtype: torch.dtype = F64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def symmetric(d: int, dtype: torch.dtype) -> torch.Tensor:
    matrix = randn(d, d, dtype=dtype)
    return (matrix + matrix.mH) / 2


def degenerate(dtype: torch.dtype) -> torch.Tensor:
    """Three equal eigenvalues and one that differs from them by 1e-9."""
    vectors = torch.linalg.qr(randn(5, 5, dtype=dtype))[0]
    values = torch.tensor([1, 1, 1, 1 + 1e-9, -2], dtype=dtype)
    return (vectors * values) @ vectors.mH


HAMILTONIANS = {
    "real": symmetric(5, F64),
    "complex": symmetric(5, C128),
    "degenerate-real": degenerate(F64),
    "degenerate-complex": degenerate(C128),
    "zero": torch.zeros(4, 4, dtype=F64),
    "identity": torch.eye(4, dtype=C128),
    "zero-padded": torch.nn.functional.pad(symmetric(3, F64), (0, 5, 0, 5)),
    "batch": torch.stack((symmetric(4, F64), torch.zeros(4, 4, dtype=F64))),
    "empty-batch": torch.zeros(0, 3, 3, dtype=F64),
}


@pytest.mark.parametrize("hamiltonian", HAMILTONIANS.values(), ids=HAMILTONIANS)
def test_value_and_gradient_equal_those_of_the_matrix_exponential(hamiltonian):
    h = hamiltonian.clone().requires_grad_()
    t = torch.tensor(0.7, dtype=F64, requires_grad=True)
    fast, slow = hermitian_expm(h, t), torch.matrix_exp(1j * t * h)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-10)
    weight = randn(*fast.shape, dtype=C128)
    gradients = [torch.autograd.grad((weight * unitary).real.sum(), (h, t)) for unitary in (fast, slow)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


@pytest.mark.parametrize("lead", [(), (5,), (2, 3), (2, 0)], ids=str)
def test_many_chunks_and_leading_dimensions(monkeypatch, lead):
    h = randn(*lead, 3, 3)
    h = (h + h.mT).requires_grad_()
    whole = hermitian_expm(h)
    monkeypatch.setattr("replank.circuits.unitary._CHUNK_BYTES", 2 * 9 * 8)  # two matrices
    cut = hermitian_expm(h)
    torch.testing.assert_close(cut, whole)
    gradients = [torch.autograd.grad(each.real.pow(3).sum(), h) for each in (cut, whole)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("dtype", [F64, C128], ids=str)
@pytest.mark.parametrize("scale", [1.0, 0.0], ids=["generic", "degenerate"])
def test_first_and_second_derivative(dtype, scale):
    matrix = (scale * randn(2, 3, 3, dtype=dtype)).requires_grad_()
    t = torch.tensor([0.3, -1.1], dtype=F64, requires_grad=True)

    def unitary(matrix, t):
        return hermitian_expm(matrix + matrix.mH, t)

    assert torch.autograd.gradcheck(unitary, (matrix, t))
    assert torch.autograd.gradgradcheck(unitary, (matrix, t))


def test_third_derivative_under_torch_func():
    def trace(t):
        return hermitian_expm(torch.diag(torch.tensor([2.0, 0.5], dtype=F64)), t).diagonal().sum().real

    t = torch.tensor(0.4, dtype=F64)
    third = torch.func.grad(torch.func.grad(torch.func.grad(trace)))(t)
    expected = 8 * math.sin(2 * 0.4) + 0.125 * math.sin(0.5 * 0.4)
    torch.testing.assert_close(third.item(), expected, rtol=1e-12, atol=0)


def test_one_sample_at_a_time():
    matrices = randn(4, 3, 3) + randn(4, 3, 3).mT

    def energy(matrix):
        return hermitian_expm(matrix + matrix.mT)[0, 1].abs().square()

    each = torch.func.vmap(torch.func.grad(energy))(matrices)
    torch.testing.assert_close(each, torch.stack([torch.func.grad(energy)(matrix) for matrix in matrices]))


def test_times_for_each_matrix_of_a_batch():
    h, t = symmetric(3, F64).expand(2, 3, 3), torch.tensor([0.5, 2.0], dtype=F64)
    torch.testing.assert_close(hermitian_expm(h, t)[1], hermitian_expm(h[0], 2.0))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unitary_of_determinant_one(n):
    u = su_unitary(randn(3, 4**n - 1))
    torch.testing.assert_close(u.mH @ u, torch.eye(2**n, dtype=C128).expand_as(u), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.linalg.det(u), torch.ones(3, dtype=C128), rtol=0, atol=1e-12)


def test_no_angles_are_the_identity_and_opposite_angles_the_inverse():
    theta = randn(15)
    torch.testing.assert_close(su_unitary(torch.zeros(15, dtype=F64)), torch.eye(4, dtype=C128))
    torch.testing.assert_close(su_unitary(-theta), su_unitary(theta).mH, rtol=0, atol=1e-12)


def test_closed_form_of_one_qubit():
    theta = randn(3)
    norm = theta.norm()
    pauli = torch.einsum("k,kij->ij", theta.to(C128), pauli_basis(1))
    expected = norm.cos() * torch.eye(2, dtype=C128) + 1j * norm.sin() * pauli / norm
    torch.testing.assert_close(su_unitary(theta), expected, rtol=0, atol=1e-12)


def test_complex_angles_are_the_analytic_continuation():
    theta = randn(15)
    torch.testing.assert_close(su_unitary(theta.to(C128)), su_unitary(theta), rtol=0, atol=1e-10)
    u = su_unitary(theta + 0.1j * randn(15, seed=1))
    assert (u.mH @ u - torch.eye(4)).norm() > 0.1


@pytest.mark.parametrize("bad", [math.nan, math.inf], ids=str)
@pytest.mark.parametrize("call", [hermitian_expm, lambda h: su_unitary(h[0])], ids=["hermitian_expm", "su_unitary"])
def test_not_finite_is_refused(call, bad):
    with pytest.raises(ValueError, match="must be finite"):
        call(torch.full((3, 3), bad))


def test_huge_but_finite_is_not_taken_for_infinite():
    h = torch.full((2, 2), torch.finfo(torch.float32).max / 2)
    assert not (h + h).sum().isfinite()
    assert hermitian_expm(h, 0.0).isfinite().all()


@pytest.mark.parametrize(
    ("call", "error", "law"),
    [
        (lambda: hermitian_expm(torch.zeros(2, 3)), ValueError, r"square, got shape \(2, 3\)"),
        (lambda: hermitian_expm(torch.zeros(3)), ValueError, r"square, got shape \(3,\)"),
        (lambda: hermitian_expm(torch.zeros(2, 2, dtype=torch.int32)), TypeError, "int32"),
        (lambda: hermitian_expm(torch.zeros(2, 2), torch.tensor(1j)), TypeError, "`t` must be real"),
    ],
    ids=["not-square", "vector", "integers", "complex-time"],
)
def test_bad_arguments_are_refused(call, error, law):
    with pytest.raises(error, match=law):
        call()
