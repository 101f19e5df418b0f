"""Random circuits: gates and qubits are drawn, the angles are trained."""

from __future__ import annotations

from collections.abc import Sequence

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.gates import GATES
from replank.circuits.templates.arguments import (
    Angles,
    Entangler,
    Rotation,
    check_count,
    check_entangler,
    check_rotation,
    take_weights,
)
from replank.errors import UnknownName
from replank.seeding import numpy_stream

Placement = tuple[str, tuple[int, ...]]
"""A gate by its name, and its wires."""


def random_shape(n_layers: int, n_rotations: int) -> tuple[int, int]:
    """``(n_layers, n_rotations)``, the shape of the weights of :func:`random_layers`."""
    check_count("random_layers", "n_layers", n_layers)
    check_count("random_layers", "n_rotations", n_rotations)
    return n_layers, n_rotations


def random_layers(
    n_qubits: int,
    n_layers: int,
    n_rotations: int,
    *,
    seed: int,
    weights: Angles = theta,
    start: int = 0,
    rotations: Sequence[Rotation] = ("RX", "RY", "RZ"),
    entangler: Entangler = "CNOT",
    entangler_ratio: float = 0.3,
) -> Circuit:
    """Layers of random rotations and entanglers on random qubits.

    The gates have the same distribution as in PennyLane's ``RandomLayers``, whose ``ratio_imprim`` is
    ``entangler_ratio`` here. Differs: a seed gives other gates than there, since the draws are replank's own.
    :func:`random_structure` says which, and :func:`place_gates` builds the circuit of any such list.

    Args:
        n_qubits: number of qubits; one is not entangled.
        n_layers: number of layers.
        n_rotations: number of rotations in a layer.
        seed: of the choice of gates and qubits.
        weights: of shape :func:`random_shape`.
        start: index of the first weight.
        rotations: the gates to choose from; one that comes twice is chosen twice as often.
        entangler: the gate on two qubits.
        entangler_ratio: probability that the next gate is an entangler, in [0, 1).

    Raises:
        UnknownName: no such rotation or entangler.
        ValueError: the number of weights is wrong, there is no rotation, or the ratio is out of its range.
    """
    shape = random_shape(n_layers, n_rotations)
    structure = random_structure(
        n_qubits,
        n_layers * n_rotations,
        seed=seed,
        rotations=rotations,
        entangler=entangler,
        entangler_ratio=entangler_ratio,
    )
    return place_gates(n_qubits, structure, weights=take_weights("random_layers", weights, shape, start))


def random_structure(
    n_qubits: int,
    n_rotations: int,
    *,
    seed: int,
    rotations: Sequence[Rotation] = ("RX", "RY", "RZ"),
    entangler: Entangler = "CNOT",
    entangler_ratio: float = 0.3,
) -> tuple[Placement, ...]:
    """Random gates on random qubits, until there are ``n_rotations`` rotations; the last gate is one.

    Arguments and errors are those of :func:`random_layers`; layers are of no consequence here.
    """
    check_count("random_layers", "n_qubits", n_qubits)
    check_count("random_layers", "n_rotations", n_rotations)
    check_entangler(entangler)
    for rotation in rotations:
        check_rotation(rotation)
    if not rotations:
        raise ValueError("random_layers: needs a rotation to choose, got rotations=().")
    if not 0 <= entangler_ratio < 1:
        raise ValueError(f"random_layers: entangler_ratio must be in [0, 1), got entangler_ratio={entangler_ratio}.")
    rng = numpy_stream(seed, "random_layers")
    structure: list[Placement] = []
    while n_rotations:
        if rng.random() >= entangler_ratio:
            rotation = rotations[int(rng.integers(len(rotations)))]
            structure.append((rotation, (int(rng.integers(n_qubits)),)))
            n_rotations -= 1
        elif n_qubits > 1:
            control, target = rng.choice(n_qubits, 2, replace=False).tolist()
            structure.append((entangler, (control, target)))
    return tuple(structure)


def place_gates(n_qubits: int, structure: Sequence[Placement], *, weights: Angles = theta, start: int = 0) -> Circuit:
    """The circuit of named gates on given wires, each of which takes as many weights as it has angles.

    Args:
        n_qubits: number of qubits.
        structure: names of :data:`replank.circuits.gates.GATES`, with wires.
        weights: as many as the gates have angles.
        start: index of the first weight.

    Raises:
        UnknownName: no such gate.
        ValueError: the number of weights is wrong, or wires do not fit.
    """
    for name, _ in structure:
        if name not in GATES:
            raise UnknownName("gate", str(name), GATES)
    count = sum(GATES[name].n_angles for name, _ in structure)
    angles = iter(take_weights("place_gates", weights, (count,), start))
    circuit = Circuit(n_qubits)
    for name, wires in structure:
        circuit.gate(name, [next(angles) for _ in range(GATES[name].n_angles)], wires)
    return circuit
