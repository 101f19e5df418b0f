"""PennyLane as a witness of the cut chain of distributed-qcnn: its ``cut_circuit`` and its uncut circuit."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.parts.linear import CutQCNNLayer, QCNNLayer
from replank.seeding import isolated, torch_stream


def chain(features: np.ndarray, theta: np.ndarray, *, cut: bool) -> None:
    for wire in range(8):
        qml.Hadamard(wire)
        qml.RY(features[wire], wire)
    for block in range(7):
        qml.RY(theta[2 * block], block)
        qml.RY(theta[2 * block + 1], block + 1)
        qml.CNOT([block, block + 1])
        if cut and block == 2:
            qml.WireCut(wires=3)


@pytest.mark.parametrize("seed", range(4))
def test_the_last_qubit_agrees_with_cut_circuit(seed):
    stream = torch_stream(seed, "oracle")
    with isolated(seed, "part"):
        layer = CutQCNNLayer(8, 8, bias=False, max_width=5, dtype=torch.float64)
    features = torch.empty(8, dtype=torch.float64).uniform_(-math.pi, math.pi, generator=stream)
    values = layer(features).detach().numpy()
    angles = features.numpy(), layer.layer.theta.detach().numpy()

    @qml.cut_circuit
    @qml.qnode(qml.device("default.qubit", wires=5))
    def theirs_cut():
        chain(*angles, cut=True)
        return qml.expval(qml.Z(7))

    @qml.qnode(qml.device("default.qubit", wires=8))
    def theirs():
        chain(*angles, cut=False)
        return [qml.expval(qml.Z(wire)) for wire in range(8)]

    np.testing.assert_allclose(values[7], theirs_cut(), atol=1e-8)
    np.testing.assert_allclose(values, theirs(), atol=1e-10)


def test_gradients_of_the_chain():
    with isolated(0, "part"):
        layer = QCNNLayer(8, 8, bias=False, dtype=torch.float64)

    @qml.qnode(qml.device("default.qubit", wires=8), interface="torch", diff_method="backprop")
    def theirs(features, theta):
        chain(features, theta, cut=False)
        return [qml.expval(qml.Z(wire)) for wire in range(8)]

    features = torch.linspace(-3, 3, 8, dtype=torch.float64, requires_grad=True)
    theta, weights = layer.layer.theta, torch.linspace(1, 2, 8, dtype=torch.float64)
    mine = torch.autograd.grad((layer(features) * weights).sum(), (features, theta))
    expected = torch.autograd.grad((torch.stack(theirs(features, theta)) * weights).sum(), (features, theta))
    torch.testing.assert_close(mine, expected, rtol=0, atol=1e-8)
