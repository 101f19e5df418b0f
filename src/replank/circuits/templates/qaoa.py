"""Circuits in the manner of the quantum approximate optimisation algorithm: two Hamiltonians that take turns."""

from __future__ import annotations

from replank.circuits.angle import Angle, theta, x
from replank.circuits.circuit import Circuit
from replank.circuits.observables import PauliSum, X, check_wires
from replank.circuits.templates.arguments import (
    Angles,
    Rotation,
    check_count,
    check_rotation,
    take_features,
    take_weights,
)
from replank.circuits.templates.topology import coupled_pairs


def qaoa_shape(n_layers: int) -> tuple[int, int]:
    """``(n_layers, 2)``, the shape of the weights of :func:`qaoa_layers`: cost's and mixer's time of each layer."""
    check_count("qaoa_layers", "n_layers", n_layers)
    return n_layers, 2


def qaoa_layers(
    n_qubits: int,
    n_layers: int,
    cost: PauliSum,
    *,
    mixer: PauliSum | None = None,
    weights: Angles = theta,
    start: int = 0,
) -> Circuit:
    """Layers of ``exp(-i gamma cost)`` and ``exp(-i alpha mixer)``, without the Hadamards that usually come before.

    Equals PennyLane's ``qaoa.cost_layer`` and ``qaoa.mixer_layer`` in turns. Constants in the Hamiltonians are left
    out, as there: they would be global phases. A mixer whose terms do not commute is split as they stand, to first
    order.

    Source: Farhi et al. (2014), arXiv 1411.4028.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        cost: a sum of products of Z.
        mixer: another Hamiltonian; the sum of all X if not given.
        weights: of shape :func:`qaoa_shape`.
        start: index of the first weight.

    Raises:
        ValueError: the number of weights is wrong, the cost is not diagonal, or a Hamiltonian acts on missing qubits.
    """
    angles = iter(take_weights("qaoa_layers", weights, qaoa_shape(n_layers), start))
    circuit = Circuit(n_qubits)
    mixer = sum((X(wire) for wire in range(1, n_qubits)), X(0)) if mixer is None else mixer
    if not cost.is_diagonal:
        raise ValueError(f"qaoa_layers: a cost must be made of Z alone, got cost={cost}.")
    check_wires(cost, n_qubits)
    check_wires(mixer, n_qubits)
    for _ in range(n_layers):
        _evolve(circuit, cost, next(angles))
        _evolve(circuit, mixer, next(angles))
    return circuit


def _evolve(circuit: Circuit, hamiltonian: PauliSum, time: Angle) -> None:
    for word, coefficient in hamiltonian.terms:
        if word:
            wires, letters = zip(*word, strict=True)
            circuit.pauli_rotation("".join(letters), 2 * coefficient * time, wires)


def qaoa_embedding_shape(n_qubits: int, n_layers: int) -> tuple[int, int]:
    """``(n_layers, 2 n_qubits)``, the shape of the weights of :func:`qaoa_embedding`.

    Two qubits have one coupling, so that it is ``(n_layers, 3)``, and one has none: ``(n_layers, 1)``.
    """
    check_count("qaoa_embedding", "n_qubits", n_qubits)
    check_count("qaoa_embedding", "n_layers", n_layers)
    return n_layers, n_qubits + len(coupled_pairs(n_qubits, "ring"))


def qaoa_embedding(
    n_qubits: int,
    n_layers: int,
    *,
    features: Angles = x,
    weights: Angles = theta,
    start: int = 0,
    local_field: Rotation = "RY",
) -> Circuit:
    """Layers that encode the features by ``RX`` and turn by a trainable Ising ring; the encoding comes again last.

    The ring consists of ``RZZ`` on neighbours and of local fields. Qubits without a feature get a Hadamard instead.
    Equals PennyLane's ``QAOAEmbedding``, whose ``local_field="Y"`` is ``"RY"`` here.

    Source: Lloyd et al. (2020), arXiv 2001.03622.

    Args:
        n_qubits: number of qubits.
        n_layers: number of layers.
        features: one to ``n_qubits``.
        weights: of shape :func:`qaoa_embedding_shape`: in each layer first the couplings, then the fields.
        start: index of the first weight.
        local_field: the gate of the fields.

    Raises:
        UnknownName: no such rotation.
        ValueError: the number of features or weights is wrong.
    """
    shape = qaoa_embedding_shape(n_qubits, n_layers)
    angles = iter(take_weights("qaoa_embedding", weights, shape, start))
    values = take_features("qaoa_embedding", features, n_qubits, least=1)
    check_rotation(local_field)
    encoding = Circuit(n_qubits)
    for wire, value in enumerate(values):
        encoding.rx(value, wire)
    for wire in range(len(values), n_qubits):
        encoding.h(wire)
    circuit = Circuit(n_qubits)
    for _ in range(n_layers):
        circuit.extend(encoding)
        for one, other in coupled_pairs(n_qubits, "ring"):
            circuit.rzz(next(angles), one, other)
        for wire in range(n_qubits):
            circuit.gate(local_field, (next(angles),), (wire,))
    return circuit.extend(encoding)
