"""Density matrices and channels as tensors: differentiable, batched, for few qubits.

Matrices have any leading dimensions. Systems are numbered from the left: the first is the most significant digit of an
index. A channel is given by its Kraus matrices, ``(*, K, d_out, d_in)``: ``rho -> sum_k K_k rho K_k^+``.

A density matrix on n qubits is ``4^n`` real numbers, the expectation values of all Pauli strings; the first is the
identity's, and hence the trace. A channel is then a real matrix, the transfer matrix.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from replank.circuits.gates import pauli_matrix


def partial_trace(rho: Tensor, keep: Sequence[int], dims: Sequence[int]) -> Tensor:
    """The density matrix of some systems, in the order given, with all others traced out.

    Shape: ``(*, d, d) -> (*, d', d')``, where d is the product of ``dims`` and d' that of the kept ones.

    Raises:
        ValueError: the sizes of the systems do not give the matrix's, or a system is named twice or is not there.
    """
    n, lead = len(dims), rho.shape[:-2]
    if rho.shape[-2:] != (math.prod(dims),) * 2:
        raise ValueError(
            f"partial_trace: a matrix of systems of dims={tuple(dims)} has {math.prod(dims)} rows and columns, got "
            f"shape {tuple(rho.shape)}."
        )
    _check_systems("partial_trace", keep, n)
    rest = [system for system in range(n) if system not in keep]
    order = [*keep, *rest]
    first = len(lead)
    axes = [*range(first), *(first + k for k in order), *(first + n + k for k in order)]
    kept, lost = math.prod(dims[k] for k in keep), math.prod(dims[k] for k in rest)
    moved = rho.reshape(*lead, *dims, *dims).permute(axes).reshape(*lead, kept, lost, kept, lost)
    return moved.diagonal(dim1=-3, dim2=-1).sum(-1)


def apply_channel(rho: Tensor, kraus: Tensor) -> Tensor:
    """``sum_k K_k rho K_k^+``: ``(*, d_in, d_in)`` and ``(*, K, d_out, d_in)`` to ``(*, d_out, d_out)``."""
    return (kraus @ rho.unsqueeze(-3) @ kraus.mH).sum(-3)


def kraus_from_isometry(isometry: Tensor, keep: Sequence[int], dims: Sequence[int]) -> Tensor:
    """The channel that maps by an isometry, or a unitary, and then traces out all systems but some.

    Shape: ``(*, d, d_in) -> (*, K, d', d_in)``, where d is the product of ``dims``, d' that of the kept ones, in the
    order given, and K that of the others.

    Raises:
        ValueError: as :func:`partial_trace`.
    """
    n, lead, d_in = len(dims), isometry.shape[:-2], isometry.shape[-1]
    if isometry.shape[-2] != math.prod(dims):
        raise ValueError(
            f"kraus_from_isometry: a map into systems of dims={tuple(dims)} has {math.prod(dims)} rows, got shape "
            f"{tuple(isometry.shape)}."
        )
    _check_systems("kraus_from_isometry", keep, n)
    rest = [system for system in range(n) if system not in keep]
    first = len(lead)
    axes = [*range(first), *(first + k for k in (*rest, *keep)), first + n]
    lost, kept = math.prod(dims[k] for k in rest), math.prod(dims[k] for k in keep)
    return isometry.reshape(*lead, *dims, d_in).permute(axes).reshape(*lead, lost, kept, d_in)


def choi_matrix(kraus: Tensor) -> Tensor:
    """``sum_ij |i><j| (x) E(|i><j|)``: positive, and the identity where the output is traced out, of a channel.

    Shape: ``(*, K, d_out, d_in) -> (*, d_in d_out, d_in d_out)``.
    """
    stacked = kraus.mT.flatten(-2)  # entry (i, a) of K_k |i>, one row for each k
    return stacked.mT @ stacked.conj()


def trace_distance(rho: Tensor, sigma: Tensor) -> Tensor:
    """Half the sum of the singular values of the difference: how well two states can be told apart, in [0, 1].

    Shape: twice ``(*, d, d)`` to ``(*,)``.
    """
    return torch.linalg.eigvalsh(rho - sigma).abs().sum(-1) / 2


@functools.cache
def _all_paulis(n_qubits: int) -> Tensor:
    return torch.stack([pauli_matrix("".join(word)) for word in itertools.product("IXYZ", repeat=n_qubits)])


def pauli_vector(rho: Tensor) -> Tensor:
    """The expectation values of Pauli strings, from IIII on, of Hermitian matrices: ``(*, 2^n, 2^n) -> (*, 4^n)``."""
    paulis = _all_paulis(_n_qubits("pauli_vector", rho.shape[-1])).to(rho.device, rho.dtype)
    return torch.einsum("pji,...ij->...p", paulis, rho).real


def from_pauli_vector(vector: Tensor) -> Tensor:
    """The matrices with these expectation values: ``(*, 4^n) -> (*, 2^n, 2^n)``, complex."""
    n_qubits = _n_qubits("from_pauli_vector", vector.shape[-1]) // 2
    paulis = _all_paulis(n_qubits).to(vector.device, vector.dtype.to_complex())
    return torch.einsum("...p,pij->...ij", vector.to(paulis.dtype), paulis) / 2**n_qubits


def transfer_matrix(kraus: Tensor) -> Tensor:
    """What a channel does to the expectation values of :func:`pauli_vector`, a real matrix.

    Shape: ``(*, K, 2^m, 2^n) -> (*, 4^m, 4^n)``.
    """
    sizes = (_n_qubits("transfer_matrix", size) for size in kraus.shape[-2:])
    paulis_out, paulis_in = (_all_paulis(n).to(kraus.device, kraus.dtype) for n in sizes)
    left = torch.einsum("...kil,blm->...kbim", kraus, paulis_in)
    images = torch.einsum("...kbim,...kjm->...bij", left, kraus.conj())
    return torch.einsum("aji,...bij->...ab", paulis_out, images).real / kraus.shape[-1]


def _n_qubits(owner: str, size: int) -> int:
    n_qubits = size.bit_length() - 1
    if size != 2**n_qubits:
        raise ValueError(f"{owner}: sizes must be powers of two, got {size}.")
    return n_qubits


def _check_systems(owner: str, keep: Sequence[int], n: int) -> None:
    if len(set(keep)) < len(keep) or not set(keep) <= set(range(n)):
        raise ValueError(f"{owner}: kept systems must be different ones of 0..{n - 1}, got keep={tuple(keep)}.")
