"""The circuits of recurrent cells: how the last state goes in, and what is trained or programmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from replank.circuits import Circuit, theta
from replank.circuits.angle import AngleLike

Entangler = Literal["brick", "ring"]
"""CNOTs on (0, 1), (2, 3), ... and then (1, 2), (3, 4), ...; or on each qubit and the next all the way round."""


def cell_circuit(n_qubits: int, n_layers: int, encoding: Sequence[tuple[AngleLike, AngleLike]]) -> Circuit:
    """H, RY and RZ of each qubit, then layers of two rings of CNOTs and any rotation of each qubit.

    The rings reach one and two qubits far; a CNOT of a qubit with itself, in circuits of less than three, is left out.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers; weights are ``theta`` in C order of (layer, qubit, 3).
        encoding: the angles of RY and RZ of each qubit.

    Source: ``VQCVariationalLoadingFlex`` of the official code of [chen2022reservoir]'s first author.
    """
    circuit = Circuit(n_qubits)
    for wire, (turn, phase) in enumerate(encoding):
        circuit.h(wire).ry(turn, wire).rz(phase, wire)
    weights = iter(theta[: 3 * n_qubits * n_layers])
    for _ in range(n_layers):
        for reach in (1, 2):
            for wire in range(n_qubits if reach % n_qubits else 0):
                circuit.cnot(wire, (wire + reach) % n_qubits)
        for wire in range(n_qubits):
            circuit.rot(next(weights), next(weights), next(weights), wire)
    return circuit


def programmed_circuit(
    n_qubits: int, n_layers: int, features: Sequence[AngleLike], program: Sequence[AngleLike], entangler: Entangler
) -> Circuit:
    """H of each qubit, RY of the first ones by the features, then layers of CNOTs and RY of each qubit.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        features: at most as many as there are qubits.
        program: the angles of the layers, in C order of (layer, qubit).
        entangler: which CNOTs.

    Source: ``quantum_net`` of the official code of [chen2024fastweights], whose rings go round from two qubits on.
    """
    circuit = Circuit(n_qubits)
    for wire in range(n_qubits):
        circuit.h(wire)
    for wire, feature in enumerate(features):
        circuit.ry(feature, wire)
    angles = iter(program)
    for _ in range(n_layers):
        for pair in _pairs(n_qubits, entangler):
            circuit.cnot(*pair)
        for wire in range(n_qubits):
            circuit.ry(next(angles), wire)
    return circuit


def _pairs(n_qubits: int, entangler: Entangler) -> list[tuple[int, int]]:
    if entangler == "ring":
        return [(wire, (wire + 1) % n_qubits) for wire in range(n_qubits if n_qubits > 1 else 0)]
    return [(wire, wire + 1) for first in (0, 1) for wire in range(first, n_qubits - 1, 2)]
