"""Circuits 9 and 14 of Sim et al. (2019), arXiv 1905.10876, and a relative: what quantum language processing uses.

Conventions are those of lambeq and DisCoPy, whose rings run from the last qubit on.
"""

from __future__ import annotations

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_weights


def sim14_shape(n_qubits: int, n_layers: int) -> tuple[int, int, int]:
    """``(n_layers, 4, n_qubits)``, the shape of the weights of :func:`sim14_layers`: wall, ring, wall, ring."""
    check_count("sim14_layers", "n_qubits", n_qubits, least=2)
    check_count("sim14_layers", "n_layers", n_layers)
    return n_layers, 4, n_qubits


def sim14_layers(n_qubits: int, n_layers: int, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """Layers of RY on each qubit, a ring of CRX, RY on each qubit, and a ring of CRX the other way round: circuit 14.

    The first ring has the gates ``q - 1 -> q``, the second ``q - 1 -> q - 2``, for q = 0, 1, ... in this order, modulo
    ``n_qubits``; on two qubits they are the same. Without angles it is the identity.

    Source: Sim, Johnson and Aspuru-Guzik (2019), arXiv 1905.10876, figure 2; directions as in lambeq's ``Sim14Ansatz``.

    Args:
        n_qubits: number of qubits, at least 2.
        n_layers: number of layers.
        weights: of shape :func:`sim14_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or there are fewer than two qubits.
    """
    shape = sim14_shape(n_qubits, n_layers)
    angles = iter(take_weights("sim14_layers", weights, shape, start))
    circuit = Circuit(n_qubits)
    for step in (0, -2) * n_layers:
        for wire in range(n_qubits):
            circuit.ry(next(angles), wire)
        for wire in range(n_qubits):
            circuit.crx(next(angles), (wire - 1) % n_qubits, (wire + step) % n_qubits)
    return circuit


def sim9_shape(n_qubits: int, n_layers: int) -> tuple[int, int]:
    """``(n_layers, n_qubits)``, the shape of the weights of :func:`sim9_layers`."""
    check_count("sim9_layers", "n_qubits", n_qubits)
    check_count("sim9_layers", "n_layers", n_layers)
    return n_layers, n_qubits


def sim9_layers(n_qubits: int, n_layers: int, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """Layers of a Hadamard on each qubit, CZ on a line, and RX on each qubit: circuit 9.

    Source: Sim, Johnson and Aspuru-Guzik (2019), arXiv 1905.10876, figure 2.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        weights: of shape :func:`sim9_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong.
    """
    angles = iter(take_weights("sim9_layers", weights, sim9_shape(n_qubits, n_layers), start))
    circuit = Circuit(n_qubits)
    for _ in range(n_layers):
        for wire in range(n_qubits):
            circuit.h(wire)
        for wire in range(n_qubits - 1):
            circuit.cz(wire, wire + 1)
        for wire in range(n_qubits):
            circuit.rx(next(angles), wire)
    return circuit


def iqp_layers_shape(n_qubits: int, n_layers: int) -> tuple[int, int]:
    """``(n_layers, n_qubits - 1)``, the shape of the weights of :func:`iqp_layers`."""
    check_count("iqp_layers", "n_qubits", n_qubits, least=2)
    check_count("iqp_layers", "n_layers", n_layers)
    return n_layers, n_qubits - 1


def iqp_layers(n_qubits: int, n_layers: int, *, weights: Angles = theta, start: int = 0) -> Circuit:
    """Layers of a Hadamard on each qubit and CRZ from each qubit to the one before it.

    Not the embedding of that name, :func:`iqp_embedding`: here angles are trained.

    Source: lambeq's ``IQPAnsatz``, Kartsaklis et al. (2021), arXiv 2110.04236.

    Args:
        n_qubits: number of qubits, at least 2.
        n_layers: number of layers.
        weights: of shape :func:`iqp_layers_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or there are fewer than two qubits.
    """
    angles = iter(take_weights("iqp_layers", weights, iqp_layers_shape(n_qubits, n_layers), start))
    circuit = Circuit(n_qubits)
    for _ in range(n_layers):
        for wire in range(n_qubits):
            circuit.h(wire)
        for wire in range(n_qubits - 1):
            circuit.crz(next(angles), wire + 1, wire)
    return circuit
