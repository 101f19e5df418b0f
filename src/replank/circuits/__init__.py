"""Parametrised quantum circuits as batched tensor programs.

Qubit 0 is the most significant bit of a basis index, and the leftmost letter of a Pauli string.
"""

from replank.circuits.evolution import embed_hamiltonian, reuploading_states
from replank.circuits.pauli import pauli_basis, pauli_strings, pauli_sum
from replank.circuits.unitary import hermitian_expm, su_unitary

__all__ = [
    "embed_hamiltonian",
    "hermitian_expm",
    "pauli_basis",
    "pauli_strings",
    "pauli_sum",
    "reuploading_states",
    "su_unitary",
]
