"""Blocks of rotations and CNOTs whose angles are a weight plus a multiple of a feature: block encoding."""

from __future__ import annotations

from replank.circuits.angle import theta
from replank.circuits.circuit import Circuit
from replank.circuits.templates.arguments import Angles, check_count, take_features, take_weights

_ROTATIONS = ("RX", "RZ", "RX")


def interleaved_shape(n_qubits: int, n_blocks: int) -> tuple[int, int, int]:
    """``(n_blocks, 3, n_qubits)``, the shape of the weights of :func:`interleaved_blocks`: block, rotation, qubit."""
    check_count("interleaved_blocks", "n_qubits", n_qubits)
    check_count("interleaved_blocks", "n_blocks", n_blocks)
    return n_blocks, len(_ROTATIONS), n_qubits


def interleaved_blocks(
    n_qubits: int,
    n_blocks: int,
    *,
    features: Angles = (),
    scale: float = 1.0,
    weights: Angles = theta,
    start: int = 0,
) -> Circuit:
    """Blocks of RX, RZ, RX on each qubit and CNOTs on a chain; the k-th angle is ``weights[k] + scale * features[k]``.

    The CNOTs of a block are those on (0, 1), (2, 3), ..., then those on (1, 2), (3, 4), ...

    Source: Ren et al. (2022), arXiv 2204.01738, as the second author's code has it.

    Args:
        n_qubits: number of qubits.
        n_blocks: number of blocks.
        features: up to ``3 * n_qubits * n_blocks``, in the order of the weights; angles beyond are weights alone.
        scale: what features are multiplied by.
        weights: of shape :func:`interleaved_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, or there are more features than angles.
    """
    shape = interleaved_shape(n_qubits, n_blocks)
    angles = take_weights("interleaved_blocks", weights, shape, start)
    given = take_features("interleaved_blocks", features, len(angles), least=0)
    encoded = [angle + scale * feature for angle, feature in zip(angles, given, strict=False)]
    in_order = iter((*encoded, *angles[len(given) :]))
    circuit = Circuit(n_qubits)
    for _ in range(n_blocks):
        for rotation in _ROTATIONS:
            for wire in range(n_qubits):
                circuit.gate(rotation, (next(in_order),), (wire,))
        for first in (0, 1):
            for wire in range(first, n_qubits - 1, 2):
                circuit.cnot(wire, wire + 1)
    return circuit
