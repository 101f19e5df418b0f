"""Data re-uploading: each sample's features are a Hamiltonian, whose evolution alternates with shared unitaries.

The exponential of a sample's Hamiltonian is never formed. One eigendecomposition ``H = Q diag(a) Q^T`` serves all
repetitions and the backward pass: a step is ``Q (exp(i a t) * (Q^T s))``. Backwards, the repetitions are summed in the
eigenbasis as one product of rank L, and a single Daleckii-Krein step turns that into the gradient of H: two real d^3
products a sample, whatever the number of repetitions.

A complex state is a pair of rows (real, imaginary), so that complex numbers never meet the real Q: torch multiplies two
rows by a matrix from the right about six times as fast as it multiplies the matrix by two columns.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

from replank.circuits.parallel import cut, map_chunks
from replank.circuits.second_order import one_by_one, second_order
from replank.circuits.unitary import finite_eigh, sinc

_CHUNK_BYTES = 2**20  # of matrices worked on at a time: with what belongs to them they stay in a core's cache


def embed_hamiltonian(features: Tensor, d: int) -> Tensor:
    """Hamiltonian embedding: features, zero-padded to ``d^2`` and read row by row as ``M``, give ``H = (M + M^T) / 2``.

    Shape: ``(*, k) -> (*, d, d)``, with ``k <= d^2``.
    """
    matrix = F.pad(features, (0, d * d - features.shape[-1])).reshape(*features.shape[:-1], d, d)
    return (matrix + matrix.mT) / 2


def reuploading_states(features: Tensor, unitaries: Tensor, times: Tensor) -> Tensor:
    r"""The states ``U_L exp(+i t_L H) ... U_1 exp(+i t_1 H) |+>^n``, where ``H`` embeds a sample's features.

    Qubit 0 is the most significant bit of an amplitude's index. The gradients are exact, repeated eigenvalues included:
    those of the same product written with ``torch.matrix_exp``. The ``unitaries`` may be any matrices.

    Shape: ``features`` ``(B, k)`` real with ``k <= d^2``, ``unitaries`` ``(L, d, d)`` complex, ``times`` ``(1,)`` or
    ``(L,)`` real; the result is ``(B, d)``, complex.

    Raises:
        ValueError: shapes do not fit, or a feature is NaN or infinite.
    """
    n_reps, d = unitaries.shape[0], unitaries.shape[-1]
    fits = features.ndim == 2 and features.shape[1] <= d * d and times.shape in ((1,), (n_reps,))
    if not fits or unitaries.shape != (n_reps, d, d):
        raise ValueError(
            "reuploading_states: shapes must be (B, k <= d^2), (L, d, d) and (1,) or (L,), got features="
            f"{tuple(features.shape)}, unitaries={tuple(unitaries.shape)}, times={tuple(times.shape)}."
        )
    rows = _Reuploading.apply(features, row_form(unitaries), times)[0]  # type: ignore[no-untyped-call]
    return torch.complex(rows[:, 0], rows[:, 1])


def series_states(features: Tensor, unitaries: Tensor, times: Tensor) -> Tensor:
    """The same as :func:`reuploading_states` by ``torch.matrix_exp``: slow, obvious, differentiable to any order."""
    rows = _series_rows(features, row_form(unitaries), times)
    return torch.complex(rows[:, 0], rows[:, 1])


def row_form(matrices: Tensor) -> Tensor:
    """Complex ``M`` as the real ``(2d, 2d)`` matrix by which a row ``(re z, im z)`` is multiplied to give ``M z``."""
    re, im = matrices.real.mT, matrices.imag.mT
    return torch.cat((torch.cat((re, im), dim=-1), torch.cat((-im, re), dim=-1)), dim=-2)


def uniform_rows(features: Tensor, d: int) -> Tensor:
    """``|+>^n`` in row form for each sample, ``(B, 2, d)``."""
    real = features.new_full((len(features), d), d**-0.5)
    return torch.stack((real, torch.zeros_like(real)), dim=1)


def _series_rows(features: Tensor, shared: Tensor, times: Tensor) -> Tensor:
    n_reps, d = len(shared), shared.shape[-1] // 2
    own = row_form(torch.matrix_exp(1j * times[:, None, None, None] * embed_hamiltonian(features, d)))
    rows = uniform_rows(features, d).flatten(1)
    for own_step, shared_step in zip(own.expand(n_reps, -1, -1, -1), shared, strict=True):
        rows = (rows[:, None] @ own_step)[:, 0] @ shared_step
    return rows.reshape(-1, 2, d)


def turn(rows: Tensor, angle: Tensor) -> Tensor:
    """Multiply amplitudes in row form ``(..., 2, d)`` by ``exp(i angle)``."""
    re, im = rows.unbind(-2)
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack((cosine * re - sine * im, sine * re + cosine * im), dim=-2)


class _Reuploading(Function):
    """Final rows ``(B, 2, d)``, then what the backward pass needs.

    That is: eigenvalues, eigenvectors, and rows ``(B, L, 2, d)`` before each data step in the eigenbasis (``sigma``)
    and after it in the computational basis (``after``).
    """

    @staticmethod
    def forward(features: Tensor, shared: Tensor, times: Tensor) -> tuple[Tensor, ...]:
        n_samples, n_reps, d = len(features), len(shared), shared.shape[-1] // 2
        final = features.new_empty(n_samples, 2, d)
        eigenvalues = features.new_empty(n_samples, d)
        vectors = features.new_empty(n_samples, d, d).mT  # columns together, as eigh leaves them
        sigma = features.new_empty(n_samples, n_reps, 2, d)
        after = torch.empty_like(sigma)

        def evolve(chunk: slice) -> None:
            a, q = finite_eigh(embed_hamiltonian(features[chunk], d))
            eigenvalues[chunk], vectors[chunk] = a, q
            angles = (times[:, None, None] * a).expand(n_reps, -1, -1)
            rows = uniform_rows(a, d)
            for step in range(n_reps):
                sigma[chunk, step] = rows = rows @ q
                after[chunk, step] = rows = turn(rows, angles[step]) @ q.mT
                rows = (rows.flatten(1) @ shared[step]).view(-1, 2, d)
            final[chunk] = rows

        chunks = cut(n_samples, d * d * features.itemsize, features.device, _CHUNK_BYTES)
        for _ in map_chunks(evolve, chunks, features.device):
            pass
        return final, eigenvalues, vectors, sigma, after

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        return _ReuploadingGradient.apply(grad, *ctx.saved_tensors)  # type: ignore[no-untyped-call]

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Tensor) -> Any:
        return one_by_one(_Reuploading.apply, info.batch_size, in_dims, arguments)


class _ReuploadingGradient(Function):
    """Gradients with respect to features, shared matrices in row form, and times."""

    @staticmethod
    def forward(
        grad: Tensor,
        features: Tensor,
        shared: Tensor,
        times: Tensor,
        eigenvalues: Tensor,
        vectors: Tensor,
        sigma: Tensor,
        after: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        n_reps, d = len(shared), vectors.shape[-1]
        grad_features = torch.empty_like(features, memory_format=torch.contiguous_format)
        grad_shared, grad_times = torch.zeros_like(shared), torch.zeros_like(times)

        def pull_back(chunk: slice) -> tuple[Tensor, Tensor]:
            q, a = vectors[chunk], eigenvalues[chunk]
            angles = (times[:, None, None] * a).expand(n_reps, -1, -1)
            chunk_shared = torch.empty_like(shared)
            gamma = torch.empty_like(sigma[chunk])  # gradient after each data step, in the eigenbasis
            rows = grad[chunk]
            for step in reversed(range(n_reps)):
                flat = rows.flatten(1)
                torch.mm(after[chunk, step].flatten(1).T, flat, out=chunk_shared[step])
                gamma[:, step] = rows = (flat @ shared[step].T).view(-1, 2, d) @ q
                rows = turn(rows, -angles[step]) @ q.mT
            gradient = _embedded_gradient(q, a, times, sigma[chunk], gamma)
            grad_features[chunk] = gradient.flatten(1)[:, : features.shape[1]]
            return chunk_shared, _times_gradient(a, angles, sigma[chunk], gamma)

        chunks = cut(len(features), d * d * features.itemsize, features.device, _CHUNK_BYTES)
        # summed in the order of the chunks, so that the result does not depend on which thread was faster
        for chunk_shared, chunk_times in map_chunks(pull_back, chunks, features.device):
            grad_shared += chunk_shared
            grad_times += chunk_times.reshape(len(times), -1).sum(1)
        return grad_features, grad_shared, grad_times

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs[:4])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        return (*second_order(_series_rows, cotangents, *ctx.saved_tensors), None, None, None, None)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Tensor) -> Any:
        return one_by_one(_ReuploadingGradient.apply, info.batch_size, in_dims, arguments)


def _embedded_gradient(vectors: Tensor, eigenvalues: Tensor, times: Tensor, sigma: Tensor, gamma: Tensor) -> Tensor:
    """Gradient with respect to the matrices M whose symmetric parts are the Hamiltonians.

    One step contributes ``Q [Re(conj(phi) * gamma sigma^+)] Q^T`` with ``phi_ab = i t exp(i t (a + b) / 2)
    sinc(t (a - b) / 2)``. With half of each phase put into ``gamma`` and ``sigma``, what is left of ``phi`` is the real
    symmetric matrix ``t sinc``, common to all steps of equal time: those are summed before it is applied.
    """
    total = torch.zeros_like(vectors)
    groups = [slice(None)] if len(times) == 1 else [slice(step, step + 1) for step in range(len(times))]
    for t, steps in zip(times, groups, strict=True):
        half = (t / 2) * eigenvalues
        left = turn(gamma[:, steps], -half[:, None]).flatten(1, 2)
        re, im = turn(sigma[:, steps], half[:, None]).unbind(2)
        right = torch.stack((-im, re), dim=2).flatten(1, 2)
        total += (left.mT @ right) * sinc(half[:, :, None] - half[:, None, :]) * t
    return vectors @ ((total + total.mT) / 2) @ vectors.mT


def _times_gradient(eigenvalues: Tensor, angles: Tensor, sigma: Tensor, gamma: Tensor) -> Tensor:
    """Gradient of each step's time, ``Re <gamma, i a exp(i a t) sigma>`` summed over samples: shape ``(L,)``."""
    re, im = turn(sigma, angles.transpose(0, 1)).unbind(2)
    return ((gamma[:, :, 1] * re - gamma[:, :, 0] * im) * eigenvalues[:, None]).sum((0, 2))
