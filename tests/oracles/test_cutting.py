"""PennyLane cuts the same wires: its ``cut_circuit`` and its uncut circuits against ours."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits import Circuit, PauliSum, X, Y, Z, theta
from replank.circuits.cutting import Cut, GateCut, WireCut, cut
from replank.seeding import numpy_stream

BLOCKS = 5
"""Two-qubit blocks along a chain: a rotation of each qubit and an entangling gate."""
ENTANGLERS = ("CNOT", "CZ", "RZZ", "CY", "CRX")
PENNYLANE = {"CNOT": qml.CNOT, "CZ": qml.CZ, "CY": qml.CY, "RZZ": qml.IsingZZ, "CRX": qml.CRX}


def ours() -> Circuit:
    circuit = Circuit(BLOCKS + 1)
    for block, name in enumerate(ENTANGLERS):
        first = 7 * block
        circuit.rot(*theta[first : first + 3], block).rot(*theta[first + 3 : first + 6], block + 1)
        circuit.gate(name, [theta[first + 6]] if name in ("RZZ", "CRX") else [], (block, block + 1))
    return circuit


def theirs(angles: np.ndarray, cut_after: tuple[int, ...]) -> None:
    """The same; the wire that a block shares with the next one is cut after the blocks in ``cut_after``."""
    for block, name in enumerate(ENTANGLERS):
        mine = angles[7 * block : 7 * block + 7]
        qml.Rot(*mine[:3], wires=block)
        qml.Rot(*mine[3:6], wires=block + 1)
        PENNYLANE[name](*(mine[6:] if name in ("RZZ", "CRX") else ()), wires=[block, block + 1])
        if block in cut_after:
            qml.WireCut(wires=block + 1)


OBSERVABLES = {
    "last": (Z(5), qml.Z(5)),
    "both ends": (X(0) @ Y(5), qml.X(0) @ qml.Y(5)),
    "on cut wires": (Y(2) @ Z(4) @ X(1), qml.Y(2) @ qml.Z(4) @ qml.X(1)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cut_after", [(1,), (1, 3)], ids=str)
@pytest.mark.parametrize("name", OBSERVABLES)
def test_cut_wires_agree_with_cut_circuit(name, cut_after, seed):
    observable, their_observable = OBSERVABLES[name]
    angles = numpy_stream(seed, "angles").uniform(-3, 3, 7 * BLOCKS)

    @qml.cut_circuit
    @qml.qnode(qml.device("default.qubit", wires=4))
    def their_fragments(angles: np.ndarray):
        theirs(angles, cut_after)
        return qml.expval(their_observable)

    @qml.qnode(qml.device("default.qubit", wires=BLOCKS + 1))
    def their_whole(angles: np.ndarray):
        theirs(angles, ())
        return qml.expval(their_observable)

    cuts = [WireCut(block + 1, 3 * block + 2) for block in cut_after]
    value = run(ours(), observable, cuts, angles)
    np.testing.assert_allclose(value, their_whole(angles), atol=1e-10)
    np.testing.assert_allclose(value, their_fragments(angles), atol=1e-8)


@pytest.mark.parametrize("name", OBSERVABLES)
def test_cut_gates_agree_with_the_uncut_circuit(name):
    observable, their_observable = OBSERVABLES[name]
    angles = numpy_stream(9, "angles").uniform(-3, 3, 7 * BLOCKS)

    @qml.qnode(qml.device("default.qubit", wires=BLOCKS + 1))
    def whole(angles: np.ndarray):
        theirs(angles, ())
        return qml.expval(their_observable)

    for cuts in ([GateCut(5)], [GateCut(8), GateCut(14)], [GateCut(2), WireCut(3, 8), GateCut(11)]):
        np.testing.assert_allclose(run(ours(), observable, cuts, angles), whole(angles), atol=1e-10)


def run(circuit: Circuit, observable: PauliSum, cuts: list[Cut], angles: np.ndarray) -> float:
    pieces = cut(circuit, observable, cuts)
    assert pieces.widest < circuit.n_qubits
    return pieces.run(torch.zeros(1, 0, dtype=torch.float64), torch.tensor(angles)).item()
