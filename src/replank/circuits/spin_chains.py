"""Hamiltonians of open chains of qubits, as sums of Pauli strings, and the numbers that one asks them for."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.circuits.gates import pauli_matrix
from replank.circuits.observables import PauliSum, X, Y, Z, pauli


def z_string(n_qubits: int) -> PauliSum:
    """``Z (x) ... (x) Z``: half of its eigenvalues are 1, half are -1."""
    return pauli("Z" * n_qubits)


def transverse_ising(n_qubits: int, field: float = 1.0) -> PauliSum:
    """``-sum Z_i Z_{i+1} - field sum X_i``; it is critical at a field of 1."""
    total = PauliSum(())
    for wire in range(n_qubits - 1):
        total = total - Z(wire) @ Z(wire + 1)
    for wire in range(n_qubits):
        total = total - field * X(wire)
    return total


def heisenberg_xxz(n_qubits: int, anisotropy: float = 0.5) -> PauliSum:
    """``sum X_i X_{i+1} + Y_i Y_{i+1} + anisotropy Z_i Z_{i+1}``."""
    total = PauliSum(())
    for wire in range(n_qubits - 1):
        total = total + X(wire) @ X(wire + 1) + Y(wire) @ Y(wire + 1) + anisotropy * Z(wire) @ Z(wire + 1)
    return total


def energies(hamiltonian: PauliSum, n_qubits: int) -> Tensor:
    """All eigenvalues, ascending, ``(2^n,)``, float64; by dense matrices, for few qubits.

    Raises:
        ValueError: it is on more qubits.
    """
    if hamiltonian.wires and max(hamiltonian.wires) >= n_qubits:
        raise ValueError(f"energies: wires must be among 0..{n_qubits - 1}, got {hamiltonian.wires} in {hamiltonian}.")
    total = torch.zeros(2**n_qubits, 2**n_qubits, dtype=torch.complex128)
    for word, coefficient in hamiltonian.terms:
        letters = dict(word)
        total += coefficient * pauli_matrix("".join(letters.get(wire, "I") for wire in range(n_qubits)))
    return torch.linalg.eigvalsh(total)
