"""Any unitary, as an ordered product of rotations about all Pauli strings."""

from __future__ import annotations

from itertools import pairwise

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_weights

_MOST_QUBITS = 6  # 4,095 rotations


def arbitrary_unitary_shape(n_qubits: int) -> tuple[int]:
    """``(4^n_qubits - 1,)``, the shape of the weights of :func:`arbitrary_unitary`."""
    check_count("arbitrary_unitary", "n_qubits", n_qubits, most=_MOST_QUBITS)
    return (4**n_qubits - 1,)


def arbitrary_unitary(n_qubits: int, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """``exp(-i weights[k]/2 P_k)`` for all Pauli strings but the identity, in the order of a Gray code.

    Neighbours in that order differ in one letter. It is a product of exponentials, not the exponential of a sum, which
    is :func:`replank.circuits.su_unitary`. Equals PennyLane's ``ArbitraryUnitary``.

    Args:
        n_qubits: number of qubits, at most 6.
        weights: of shape :func:`arbitrary_unitary_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or that of qubits.
    """
    angles = take_weights("arbitrary_unitary", weights, arbitrary_unitary_shape(n_qubits), start)
    circuit = Circuit(n_qubits)
    for number, angle in enumerate(angles, start=1):
        word = _gray_word(number, n_qubits)
        wires = [wire for wire, letter in enumerate(word) if letter != "I"]
        circuit.pauli_rotation(word.replace("I", ""), angle, wires)
    return circuit


def _gray_word(number: int, n_qubits: int) -> str:
    """The Pauli string of that number; qubit 0 has the digit that changes fastest."""
    digits = [number // 4**place % 4 for place in range(n_qubits + 1)]
    return "".join("IXYZ"[(low - high) % 4] for low, high in pairwise(digits))
