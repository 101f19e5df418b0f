"""Time evolution under Hamiltonians that are decomposed once and for all.

With ``H = Q diag(a) Q^+`` a step ``exp(-i t/2 H)`` costs two products of a vector with ``Q``, whatever the time: of
fixed data, the decomposition is the only expensive part, and it serves every layer, every epoch and every model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from replank.circuits.evolution import reuploading_states, row_form, turn, uniform_rows
from replank.circuits.parallel import cut, map_chunks
from replank.circuits.unitary import finite_eigh, hermitian_expm

_CHUNK_BYTES = 2**20  # of matrices that one thread decomposes at a time


@dataclass(frozen=True)
class Spectra:
    """Hermitian matrices by their eigenvalues and eigenvectors; no gradient leads back to the matrices.

    Args:
        values: eigenvalues, real, ``(*, d)``.
        vectors: eigenvectors as columns, real or complex, ``(*, d, d)``.
    """

    values: Tensor
    vectors: Tensor

    def unitary(self, t: float | Tensor) -> Tensor:
        """The matrices ``exp(-i t/2 H)``, ``(*, d, d)``, complex; a tensor ``t`` broadcasts against ``*``."""
        angles = self.values * (t[..., None] if isinstance(t, Tensor) else t)
        vectors = self.vectors.to(self.vectors.dtype.to_complex())
        return (vectors * torch.exp(-0.5j * angles)[..., None, :]) @ vectors.mH

    def conjugated(self, unitary: Tensor) -> Spectra:
        """The spectra of ``V H V^+`` for one unitary or orthogonal matrix ``V``."""
        return Spectra(self.values, unitary @ self.vectors)

    def pack(self) -> Tensor:
        """Values above vectors as one tensor ``(*, d + 1, d)``, which can be batched and shuffled like any input."""
        return torch.cat((self.values.to(self.vectors.dtype)[..., None, :], self.vectors), -2)

    @classmethod
    def unpack(cls, packed: Tensor) -> Spectra:
        """The spectra that :meth:`pack` made one tensor of.

        Raises:
            ValueError: the last dimensions are not ``(d + 1, d)``.
        """
        if packed.ndim < 2 or packed.shape[-2] != packed.shape[-1] + 1:
            raise ValueError(
                f"Spectra.unpack: packed spectra must have shape (*, d + 1, d), got {tuple(packed.shape)}. "
                "They are made by precompute(...).pack()."
            )
        values = packed[..., 0, :]
        return cls(values.real if packed.is_complex() else values, packed[..., 1:, :])


@torch.no_grad()
def precompute(hamiltonians: Tensor) -> Spectra:
    """The spectra of real symmetric or complex Hermitian matrices ``(*, d, d)``, on all cores.

    Single precision is decomposed in double and rounded: the vectors are then orthogonal to the last digit, and a state
    keeps its norm through many layers.

    Raises:
        ValueError: an entry is NaN or infinite.
    """
    d = hamiltonians.shape[-1]
    flat = hamiltonians.reshape(-1, d, d)
    chunks = cut(len(flat), d * d * flat.itemsize, flat.device, _CHUNK_BYTES) or [slice(0, 0)]

    def decompose(chunk: slice) -> tuple[Tensor, Tensor]:
        values, vectors = finite_eigh(flat[chunk].to(torch.complex128 if flat.is_complex() else torch.float64))
        return values.to(flat.dtype.to_real()), vectors.to(flat.dtype)

    parts = list(map_chunks(decompose, chunks, flat.device))
    values, vectors = (torch.cat(each) for each in zip(*parts, strict=True))
    return Spectra(values.reshape(hamiltonians.shape[:-1]), vectors.reshape(hamiltonians.shape))


def hamiltonian_evolution(hamiltonians: Tensor, t: float | Tensor) -> Tensor:
    """The matrices ``exp(-i t/2 H)``, with exact gradients to the matrices, too: see :func:`hermitian_expm`."""
    return hermitian_expm(hamiltonians, -t / 2)


def states_on_spectra(spectra: Spectra, unitaries: Tensor, times: Tensor) -> Tensor:
    """The states ``W_L exp(-i t_L/2 H) ... W_1 exp(-i t_1/2 H) |+>^n`` of each matrix ``H``.

    Differentiable, to any order, with respect to unitaries and times. Qubit 0 is the most significant bit.

    Shape: ``spectra`` of ``(B, d, d)``, ``unitaries`` ``(L, d, d)`` complex, ``times`` ``(L,)`` real; the result is
    ``(B, d)``, complex.

    Raises:
        ValueError: shapes do not fit.
    """
    d, vectors = unitaries.shape[-1], spectra.vectors
    if vectors.ndim != 3 or vectors.shape[-1] != d or unitaries.shape != (len(times), d, d) or times.ndim != 1:
        raise ValueError(
            "states_on_spectra: shapes must be (B, d, d), (L, d, d) and (L,), got vectors="
            f"{tuple(vectors.shape)}, unitaries={tuple(unitaries.shape)}, times={tuple(times.shape)}."
        )
    if vectors.is_complex():  # a complex state is one row of length 2d then, else two rows of length d
        into, out_of, shape = row_form(vectors.mH), row_form(vectors), (-1, 1, 2 * d)
    else:
        into, out_of, shape = vectors, vectors.mT, (-1, 2, d)
    rows = uniform_rows(spectra.values, d)
    angles = (-0.5 * times)[:, None, None] * spectra.values
    for angle, matrix in zip(angles, row_form(unitaries), strict=True):
        rows = turn((rows.reshape(shape) @ into).reshape(-1, 2, d), angle)
        rows = (rows.reshape(shape) @ out_of).reshape(-1, 2 * d) @ matrix
    return torch.complex(rows.reshape(-1, 2, d)[:, 0], rows.reshape(-1, 2, d)[:, 1])


def states_on_hamiltonians(hamiltonians: Tensor, unitaries: Tensor, times: Tensor) -> Tensor:
    """The same states, differentiable with respect to the Hamiltonians too, which are decomposed on each call.

    Gradients are exact for repeated eigenvalues, such as those of images with black borders.

    Shape: ``hamiltonians`` ``(B, d, d)``, ``unitaries`` ``(L, d, d)``, ``times`` ``(L,)``; the result is ``(B, d)``.
    """
    if not hamiltonians.is_complex():  # the embedding there leaves symmetric matrices as they are
        return reuploading_states(hamiltonians.flatten(1), unitaries, -times / 2)
    d = hamiltonians.shape[-1]
    states = unitaries.new_full((len(hamiltonians), d, 1), d**-0.5)
    for t, unitary in zip(times, unitaries, strict=True):
        states = unitary @ (hamiltonian_evolution(hamiltonians, t) @ states)
    return states[..., 0]
