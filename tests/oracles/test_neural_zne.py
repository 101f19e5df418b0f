"""PennyLane's ``default.mixed`` as witness of energies under noise, in its own convention of the strength."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits.noise_families import NOISE_FAMILIES
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.circuits.spin_chains import heisenberg_xxz, transverse_ising, z_string
from replank.studies.neural_zne.population import ansatz, random_angles

N, DEPTH = 3, 2
STRENGTHS = (0.01, 0.1)
PAULIS: dict[str, Any] = {"X": qml.X, "Y": qml.Y, "Z": qml.Z}


def both_qubits(p: float, wires: tuple[int, int]) -> None:
    """``(1 - p) rho + p 1/4``: each of 15 Pauli strings with probability p/16."""
    matrices = {letter: qml.matrix(PAULIS[letter](0)) for letter in PAULIS} | {"I": np.eye(2)}
    words = [(a, b) for a in "IXYZ" for b in "IXYZ"]
    weights = [1 - 15 * p / 16] + [p / 16] * 15
    kraus = [np.sqrt(w) * np.kron(matrices[a], matrices[b]) for w, (a, b) in zip(weights, words, strict=True)]
    qml.QubitChannel(kraus, wires)


def after(name: str, p: float, wires: tuple[int, ...]) -> None:
    """PennyLane's own channels after a gate."""
    if name in ("depolarising", "device") and len(wires) == 1:
        qml.DepolarizingChannel(3 * p / 4, wires)
    if name in ("depolarising", "two-qubit", "device") and len(wires) == 2:
        both_qubits(p, wires)
    for wire in wires:
        if name in ("damping", "device"):
            qml.AmplitudeDamping(p, wire)
        if name == "over-rotation":
            qml.RX(p, wire)


def energy(name: str, p: float, angles: np.ndarray, hamiltonian: Any) -> float:
    @qml.qnode(qml.device("default.mixed", wires=N))
    def node() -> Any:
        number = iter(angles)
        for layer in range(DEPTH + 1):
            for gate in (qml.RY, qml.RZ):
                for wire in range(N):
                    gate(next(number), wire)
                    after(name, p, (wire,))
            if layer < DEPTH:
                for wire in range(N - 1):
                    qml.CNOT((wire, wire + 1))
                    after(name, p, (wire, wire + 1))
        if name in ("readout", "device") and hamiltonian.name != "LinearCombination":
            for wire in range(N):
                qml.BitFlip(p, wire)  # before Z is measured, the same as reading it wrongly
        return qml.expval(hamiltonian)

    return float(node())


def z() -> Any:
    return qml.Z(0) @ qml.Z(1) @ qml.Z(2)


def ising() -> Any:
    return qml.Hamiltonian([-1] * 5, [qml.Z(0) @ qml.Z(1), qml.Z(1) @ qml.Z(2), *(qml.X(wire) for wire in range(N))])


def xxz() -> Any:
    pairs = [(w, w + 1) for w in range(N - 1)]
    words = [(c, P(a) @ P(b)) for a, b in pairs for c, P in ((1, qml.X), (1, qml.Y), (0.5, qml.Z))]
    return qml.Hamiltonian([c for c, _ in words], [word for _, word in words])


CASES = [(name, z_string(N), z) for name in NOISE_FAMILIES] + [
    (name, ours, theirs)
    for name in ("depolarising", "two-qubit", "damping", "over-rotation")
    for ours, theirs in ((transverse_ising(N), ising), (heisenberg_xxz(N), xxz))
]


@pytest.mark.parametrize(("name", "ours", "theirs"), CASES)
def test_energies_under_noise(name, ours, theirs):
    angles = random_angles(3, 18, 0, "oracle")
    p = torch.tensor(STRENGTHS, dtype=torch.float64)
    found = NoisyCircuit(ansatz(N, DEPTH), NOISE_FAMILIES[name]).expectation(ours, p, angles)
    expected = [[energy(name, strength, row.numpy(), theirs()) for strength in STRENGTHS] for row in angles]
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-8)
