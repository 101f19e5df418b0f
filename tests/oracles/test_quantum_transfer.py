"""The circuit of quantum-transfer-mnist by PennyLane and by Qiskit, and its gradient by PennyLane's shifts."""

from __future__ import annotations

from math import pi

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from replank.features import QuantumFeatureMap, product_xor_features
from replank.features.quantum_map import Hadamard

MODES: tuple[Hadamard, ...] = ("none", "first", "all")
N = 5


def angles(n: int, width: int = N) -> np.ndarray:
    return pi * np.random.default_rng(0).random((n, width))


def by_pennylane(mode: Hadamard, entangle: bool = True, n_blocks: int = 1) -> qml.QNode:
    @qml.qnode(qml.device("default.qubit", wires=N), diff_method="parameter-shift")
    def circuit(x):
        for block in range(n_blocks):
            for wire in range(N):
                qml.RY(x[block * N + wire], wires=wire)
            for wire in range({"none": 0, "first": 1, "all": N}[mode]):
                qml.Hadamard(wires=wire)
            for wire in range(N - 1 if entangle else 0):
                qml.CNOT(wires=[wire, wire + 1])
        return qml.probs(wires=range(N))

    return circuit


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("entangle", [True, False])
def test_probabilities_by_pennylane(mode, entangle):
    x = angles(6)
    expected = np.stack([by_pennylane(mode, entangle)(row) for row in x])
    np.testing.assert_allclose(QuantumFeatureMap(N, mode, entangle)(torch.from_numpy(x)), expected, atol=1e-10)
    np.testing.assert_allclose(product_xor_features(torch.from_numpy(x), mode, entangle), expected, atol=1e-10)


def test_blocks_by_pennylane():
    x = angles(3, 13 * N)
    x[:, 64:] = 0  # 64 features, the last block padded
    expected = np.stack([by_pennylane("all", n_blocks=13)(row) for row in x])
    ours = QuantumFeatureMap(N, "all", n_features=64)(torch.from_numpy(x[:, :64]))
    np.testing.assert_allclose(ours, expected, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_probabilities_by_qiskit_whose_qubits_count_from_the_other_end(mode):
    x = angles(4)
    expected = []
    for row in x:
        circuit = QuantumCircuit(N)
        for wire in range(N):
            circuit.ry(row[wire], wire)
        for wire in range({"none": 0, "first": 1, "all": N}[mode]):
            circuit.h(wire)
        for wire in range(N - 1):
            circuit.cx(wire, wire + 1)
        expected.append(Statevector(circuit).probabilities(list(reversed(range(N)))))
    np.testing.assert_allclose(QuantumFeatureMap(N, mode)(torch.from_numpy(x)), np.stack(expected), atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_by_pennylanes_shifts(mode):
    weights = np.random.default_rng(1).normal(size=2**N)
    row = qml.numpy.array(angles(1)[0], requires_grad=True)
    expected = qml.grad(lambda x: qml.numpy.dot(by_pennylane(mode)(x), weights))(row)
    x = torch.from_numpy(np.array(row)).requires_grad_()
    (QuantumFeatureMap(N, mode)(x) @ torch.from_numpy(weights)).backward()
    np.testing.assert_allclose(x.grad, expected, atol=1e-10)
