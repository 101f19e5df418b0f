"""Exponentials of Hermitian matrices, with their exact derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from replank.circuits.parallel import cut, map_chunks
from replank.circuits.pauli import pauli_sum
from replank.circuits.second_order import one_by_one, second_order

_CHUNK_BYTES = 2**17  # one complex64 matrix of seven qubits: there are few of them, and each is worth a thread's while


def hermitian_expm(hamiltonian: Tensor, t: float | Tensor = 1.0) -> Tensor:
    r"""The unitary ``exp(+i t H)`` of real symmetric or complex Hermitian matrices.

    Value and gradients equal those of ``torch.matrix_exp(1j * t * H)`` wherever ``H`` is Hermitian, repeated
    eigenvalues included, but take one eigendecomposition instead of a series: forwards ``Q exp(i a) Q^+`` with the
    eigenvalues ``a`` of ``t H``, backwards the Daleckii-Krein formula with the divided differences
    ``phi_ab = i exp(i (a + b) / 2) sinc((a - b) / 2)``. Only the lower triangle of ``H`` is read.

    Shape: ``hamiltonian`` ``(*, d, d)``; a tensor ``t`` has a shape that broadcasts against ``*``; the result is
    complex, ``(*, d, d)``.

    Args:
        hamiltonian: Hermitian matrices.
        t: real time, differentiable if it is a tensor.

    Raises:
        ValueError: the matrices are not square, or an entry is NaN or infinite.
        TypeError: the matrices are neither real floating point nor complex, or ``t`` is complex.
    """
    if hamiltonian.ndim < 2 or hamiltonian.shape[-1] != hamiltonian.shape[-2]:
        raise ValueError(f"hermitian_expm: `hamiltonian` must be square, got shape {tuple(hamiltonian.shape)}.")
    if not (hamiltonian.is_floating_point() or hamiltonian.is_complex()):
        raise TypeError(f"hermitian_expm: `hamiltonian` must be real or complex, got dtype={hamiltonian.dtype}.")
    if isinstance(t, Tensor):
        if t.is_complex():
            raise TypeError(f"hermitian_expm: `t` must be real, got dtype={t.dtype}.")
        t = t[..., None, None]
    unitary: Tensor = _HermitianExpm.apply(t * hamiltonian)[0]  # type: ignore[no-untyped-call]
    return unitary


def su_unitary(theta: Tensor) -> Tensor:
    r"""The matrix ``exp(+i sum_k theta_k P_k)`` over all Pauli strings but the identity, without a factor 1/2.

    Qubit 0 is the most significant bit. For real ``theta`` it is special unitary. For complex ``theta`` it is not
    unitary: the published torch code of [wang2024creep] trains such angles.

    Shape: ``(*, 4^n - 1) -> (*, 2^n, 2^n)``, complex.

    Raises:
        ValueError: the last dimension is not ``4^n - 1``, or a real angle is NaN or infinite.
        TypeError: ``theta`` is neither real floating point nor complex.
    """
    generator = pauli_sum(theta)
    return torch.matrix_exp(1j * generator) if theta.is_complex() else hermitian_expm(generator)


def finite_eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`torch.linalg.eigh`, which on NaN would fail deep inside or not end well.

    Raises:
        ValueError: an entry is NaN or infinite.
    """
    # a sum is the cheapest pass that NaN and infinity can't hide from; it may overflow by itself, hence the second look
    if not matrices.sum().isfinite() and not matrices.isfinite().all():
        raise ValueError(
            f"finite_eigh: matrices must be finite, got NaN or infinity in matrices of shape {tuple(matrices.shape)}. "
            f"Look for it in the layer's input and parameters; a learning rate that is too high ends like this."
        )
    return torch.linalg.eigh(matrices)


def sinc(x: Tensor) -> Tensor:
    """``sin(x) / x``, without the factor pi of :func:`torch.sinc`."""
    return torch.where(x == 0, 1.0, x.sin() / x)


def _over_chunks(work: Callable[..., tuple[Tensor, ...]], matrices: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """A function of batches, over the chunks of batches with any leading dimensions; results are put together again."""
    lead, d = matrices.shape[:-2], matrices.shape[-1]
    flat = [matrices.reshape(-1, d, d), *(other.reshape(-1, *other.shape[len(lead) :]) for other in others)]
    chunks = cut(len(flat[0]), d * d * matrices.itemsize, matrices.device, _CHUNK_BYTES) or [slice(0, 0)]
    results = map_chunks(lambda chunk: work(*(each[chunk] for each in flat)), chunks, matrices.device)
    joined = (torch.cat(parts) for parts in zip(*results, strict=True))
    return tuple(each.reshape(*lead, *each.shape[1:]) for each in joined)


def _series_expm(generator: Tensor) -> Tensor:
    return torch.matrix_exp(1j * generator)


class _HermitianExpm(Function):
    """``exp(i G)``, and the eigenvalues and eigenvectors of G for the backward pass."""

    @staticmethod
    def forward(generator: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def exponential(matrices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            eigenvalues, vectors = finite_eigh(matrices)
            vectors = vectors.to(vectors.dtype.to_complex())
            return (vectors * torch.exp(1j * eigenvalues)[..., None, :]) @ vectors.mH, eigenvalues, vectors

        unitary, eigenvalues, vectors = _over_chunks(exponential, generator)
        return unitary, eigenvalues, vectors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor, Tensor]) -> None:
        _, eigenvalues, vectors = output
        ctx.mark_non_differentiable(eigenvalues, vectors)
        ctx.save_for_backward(*inputs, eigenvalues, vectors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> Tensor:
        return _HermitianExpmGradient.apply(grad, *ctx.saved_tensors)[0]  # type: ignore[no-untyped-call]

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Tensor) -> Any:
        return one_by_one(_HermitianExpm.apply, info.batch_size, in_dims, arguments)


class _HermitianExpmGradient(Function):
    """Daleckii-Krein: ``Q [conj(phi) * (Q^+ grad Q)] Q^+``."""

    @staticmethod
    def forward(grad: Tensor, generator: Tensor, eigenvalues: Tensor, vectors: Tensor) -> tuple[Tensor]:
        def pull_back(grad: Tensor, eigenvalues: Tensor, q: Tensor) -> tuple[Tensor]:
            half = eigenvalues / 2
            phase = torch.exp(-1j * half)
            differences = -1j * phase[:, :, None] * phase[:, None, :] * sinc(half[:, :, None] - half[:, None, :])
            return (q @ (differences * (q.mH @ grad @ q)) @ q.mH,)

        (gradient,) = _over_chunks(pull_back, grad, eigenvalues, vectors)
        return (gradient if generator.is_complex() else gradient.real.clone(),)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        return (*second_order(_series_expm, cotangents, *ctx.saved_tensors), None, None)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Tensor) -> Any:
        return one_by_one(_HermitianExpmGradient.apply, info.batch_size, in_dims, arguments)
