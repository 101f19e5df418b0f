"""Pauli strings and sums of them, without ever holding their dense basis."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

_LARGEST_BASIS = 5  # qubits: 16 MiB in complex128; each further qubit takes sixteen times as much


def pauli_strings(n_qubits: int) -> tuple[str, ...]:
    """The 4^n - 1 Pauli strings of length n without the identity; leftmost letter = qubit 0 = most significant bit.

    The order is that of ``itertools.product("IXYZ", repeat=n)``.

    Raises:
        ValueError: ``n_qubits`` is less than 1.
    """
    if n_qubits < 1:
        raise ValueError(f"pauli_strings: there must be at least one qubit, got n_qubits={n_qubits}.")
    return tuple("".join(letters) for letters in itertools.product("IXYZ", repeat=n_qubits))[1:]


def pauli_basis(n_qubits: int, *, dtype: torch.dtype = torch.complex128, device: torch.device | None = None) -> Tensor:
    """The dense matrices of :func:`pauli_strings`, shape ``(4^n - 1, 2^n, 2^n)``; qubit 0 is the most significant bit.

    They are Hermitian, traceless, and orthogonal: ``Tr(P_i P_j) = 2^n delta_ij``.

    Raises:
        ValueError: ``n_qubits`` is not in 1..5: the basis grows as 16^n.
    """
    if not 1 <= n_qubits <= _LARGEST_BASIS:
        gib = dtype.itemsize * 16.0**n_qubits / 2**30
        raise ValueError(
            f"pauli_basis: the dense basis is made for 1 to {_LARGEST_BASIS} qubits, got n_qubits={n_qubits} "
            f"({gib:.3g} GiB). For a sum of Pauli strings use pauli_sum, which does not need the basis."
        )
    return pauli_sum(torch.eye(4**n_qubits - 1, dtype=dtype, device=device))


def pauli_sum(theta: Tensor) -> Tensor:
    r"""The matrix ``sum_k theta_k P_k`` over :func:`pauli_strings`; qubit 0 is the most significant bit.

    A butterfly for each qubit turns its four coefficients (I, X, Y, Z) into the four entries of a 2x2 block: O(n 4^n)
    operations and memory O(4^n), against O(16^n) for the dense sum. Differentiable, to any order.

    Shape: ``(*, 4^n - 1) -> (*, 2^n, 2^n)``, complex.

    Raises:
        ValueError: the last dimension is not ``4^n - 1`` for an ``n >= 1``.
        TypeError: ``theta`` is neither real floating point nor complex.
    """
    n = _count_qubits(theta)
    batch = theta.shape[:-1]
    complex_theta = theta.to(theta.dtype.to_complex())
    identity = complex_theta.new_zeros(*batch, 1)
    entries = torch.cat((identity, complex_theta), dim=-1)
    for qubit in range(n):
        one, x, y, z = entries.reshape(*batch, 4**qubit, 4, 4 ** (n - qubit - 1)).unbind(-2)
        entries = torch.stack((one + z, x - 1j * y, x + 1j * y, one - z), dim=-2)
    # each base-4 digit is (row bit, column bit) of its qubit: bring all row bits before all column bits
    lead = len(batch)
    rows = [lead + 2 * qubit for qubit in range(n)]
    bits = entries.reshape(*batch, *[2] * (2 * n)).permute(*range(lead), *rows, *[axis + 1 for axis in rows])
    return bits.reshape(*batch, 2**n, 2**n)


def _count_qubits(theta: Tensor) -> int:
    if not (theta.is_floating_point() or theta.is_complex()):
        raise TypeError(f"pauli_sum: `theta` must be floating point or complex, got dtype={theta.dtype}.")
    length = theta.shape[-1] if theta.ndim else 0
    n = (length.bit_length() + 1) // 2
    if length < 3 or 4**n - 1 != length:
        raise ValueError(
            f"pauli_sum: the last dimension of `theta` must be 4^n - 1 for n qubits (3, 15, 63, ...), "
            f"got theta of shape {tuple(theta.shape)}. It has one angle for each Pauli string but the identity."
        )
    return n
