"""Layers of trainable rotations and entangling gates."""

from __future__ import annotations

from collections.abc import Sequence

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import (
    Angles,
    Entangler,
    Rotation,
    check_count,
    check_entangler,
    check_rotation,
    take_weights,
)
from replank.circuits.templates.topology import Topology, coupled_pairs


def strongly_entangling_shape(n_qubits: int, n_layers: int) -> tuple[int, int, int]:
    """``(n_layers, n_qubits, 3)``, the shape of the weights of :func:`strongly_entangling_layers`."""
    check_count("strongly_entangling_layers", "n_qubits", n_qubits)
    check_count("strongly_entangling_layers", "n_layers", n_layers)
    return n_layers, n_qubits, 3


def strongly_entangling_layers(
    n_qubits: int,
    n_layers: int,
    *,
    weights: Angles = theta,
    start: int = 0,
    ranges: Sequence[int] | None = None,
    entangler: Entangler = "CNOT",
) -> Circuit:
    """Layers of any rotation, ``Rot``, of each qubit, and entanglers on ``(q, q + range)`` all the way round.

    Equals PennyLane's ``StronglyEntanglingLayers``, whose ``imprimitive`` is ``entangler`` here.

    Source: Schuld et al. (2020), arXiv 1804.00633, the circuit-centric classifier.

    Args:
        n_qubits: number of qubits; one is not entangled.
        n_layers: number of layers.
        weights: of shape :func:`strongly_entangling_shape`.
        start: index of the first weight.
        ranges: how far apart the entangled qubits are, for each layer; 1, 2, ..., n_qubits - 1, 1, ... if not given.
        entangler: the gate.

    Raises:
        UnknownName: no such entangler.
        ValueError: the number of weights is wrong, or the ranges do not fit.
    """
    shape = strongly_entangling_shape(n_qubits, n_layers)
    angles = iter(take_weights("strongly_entangling_layers", weights, shape, start))
    check_entangler(entangler)
    circuit = Circuit(n_qubits)
    for reach in _ranges(n_qubits, n_layers, ranges):
        for wire in range(n_qubits):
            circuit.rot(next(angles), next(angles), next(angles), wire)
        if n_qubits > 1:
            for wire in range(n_qubits):
                circuit.gate(entangler, (), (wire, (wire + reach) % n_qubits))
    return circuit


def _ranges(n_qubits: int, n_layers: int, ranges: Sequence[int] | None) -> Sequence[int]:
    if ranges is None:
        return [1 + layer % max(1, n_qubits - 1) for layer in range(n_layers)]
    if len(ranges) != n_layers:
        raise ValueError(f"strongly_entangling_layers: needs {n_layers} ranges, one a layer, got {len(ranges)}.")
    for reach in ranges:
        check_count("strongly_entangling_layers", "a range", reach, most=n_qubits - 1)
    return ranges


def basic_entangler_shape(n_qubits: int, n_layers: int) -> tuple[int, int]:
    """``(n_layers, n_qubits)``, the shape of the weights of :func:`basic_entangler_layers`."""
    check_count("basic_entangler_layers", "n_qubits", n_qubits)
    check_count("basic_entangler_layers", "n_layers", n_layers)
    return n_layers, n_qubits


def basic_entangler_layers(
    n_qubits: int, n_layers: int, *, weights: Angles = theta, start: int = 0, rotation: Rotation = "RX"
) -> Circuit:
    """Layers of one rotation of each qubit and a ring of CNOTs; two qubits get a single CNOT, one gets none.

    Equals PennyLane's ``BasicEntanglerLayers``.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        weights: of shape :func:`basic_entangler_shape`.
        start: index of the first weight.
        rotation: the gate.

    Raises:
        UnknownName: no such rotation.
        ValueError: the number of weights is wrong.
    """
    shape = basic_entangler_shape(n_qubits, n_layers)
    return hardware_efficient_layers(
        n_qubits,
        n_layers,
        weights=take_weights("basic_entangler_layers", weights, shape, start),
        rotations=(rotation,),
        topology="ring",
        final_rotations=False,
    )


def hardware_efficient_shape(
    n_qubits: int, n_layers: int, *, n_rotations: int = 2, final_rotations: bool = True
) -> tuple[int, int, int]:
    """``(n_layers + 1, n_rotations, n_qubits)``, the shape of the weights of :func:`hardware_efficient_layers`.

    Without final rotations it is ``(n_layers, n_rotations, n_qubits)``.
    """
    check_count("hardware_efficient_layers", "n_qubits", n_qubits)
    check_count("hardware_efficient_layers", "n_layers", n_layers)
    check_count("hardware_efficient_layers", "n_rotations", n_rotations)
    return n_layers + final_rotations, n_rotations, n_qubits


def hardware_efficient_layers(
    n_qubits: int,
    n_layers: int,
    *,
    weights: Angles = theta,
    start: int = 0,
    rotations: Sequence[Rotation] = ("RY", "RZ"),
    entangler: Entangler = "CNOT",
    topology: Topology = "linear",
    final_rotations: bool = True,
) -> Circuit:
    """Layers of rotations of each qubit and entanglers, and rotations once more at the end.

    Equals Qiskit's ``efficient_su2`` and ``n_local`` with as many ``reps``, where ``all-to-all`` is called ``full``.
    A ring closes last, as in PennyLane; Qiskit's ``circular`` closes first.

    Source: Kandala et al. (2017), arXiv 1704.05018, with one fixed gate in the place of the cross-resonance drive.

    Args:
        n_qubits: number of qubits.
        n_layers: how often the qubits are entangled.
        weights: of shape :func:`hardware_efficient_shape`: layer, rotation, qubit.
        start: index of the first weight.
        rotations: the gates that turn a qubit, the first of them first.
        entangler: the gate between two qubits.
        topology: ``"linear"`` entangles each qubit with the next, ``"ring"`` also the last with the first, from three
            qubits on, and ``"all-to-all"`` all pairs, (0, 1), (0, 2), ... in this order.
        final_rotations: whether rotations come after the last entanglers.

    Raises:
        UnknownName: no such rotation, entangler or topology.
        ValueError: the number of weights is wrong.
    """
    shape = hardware_efficient_shape(n_qubits, n_layers, n_rotations=len(rotations), final_rotations=final_rotations)
    angles = iter(take_weights("hardware_efficient_layers", weights, shape, start))
    for rotation in rotations:
        check_rotation(rotation)
    check_entangler(entangler)
    pairs = coupled_pairs(n_qubits, topology)
    circuit = Circuit(n_qubits)
    for layer in range(shape[0]):
        for rotation in rotations:
            for wire in range(n_qubits):
                circuit.gate(rotation, (next(angles),), (wire,))
        if layer < n_layers:
            for pair in pairs:
                circuit.gate(entangler, (), pair)
    return circuit
