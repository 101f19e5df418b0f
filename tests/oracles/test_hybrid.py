"""PennyLane as a witness of the quantum layers of hybrid-image-classification, written as in the published code."""

from __future__ import annotations

import math

import pennylane as qml
import pytest
import torch

from replank.studies.hybrid_image_classification.model import angle_layer, quantum_layer


def amplitude_qnode() -> qml.QNode:
    @qml.qnode(qml.device("default.qubit", wires=4), interface="torch")
    def circuit(inputs, weights):
        inputs = torch.abs(inputs)
        inputs = inputs / torch.norm(inputs)  # of the whole batch, as published
        qml.AmplitudeEmbedding(inputs, wires=range(4), normalize=True, pad_with=0.0)
        qml.BasicEntanglerLayers(weights, wires=range(4))
        return [qml.expval(qml.PauliZ(wire)) for wire in range(4)]

    return circuit


def angle_qnode() -> qml.QNode:
    @qml.qnode(qml.device("default.qubit", wires=2), interface="torch")
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs * math.pi, wires=range(2), rotation="Y")
        qml.BasicEntanglerLayers(weights, wires=range(2))
        return [qml.expval(qml.PauliZ(wire)) for wire in range(2)]

    return circuit


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["amplitude", "angle"])
def test_quantum_layer_with_gradients(kind, seed):
    torch.manual_seed(seed)
    if kind == "amplitude":
        layer, circuit, x = quantum_layer().double(), amplitude_qnode(), torch.rand(9, 16).double()
    else:
        layer, circuit, x = angle_layer()[-1].double(), angle_qnode(), torch.tanh(torch.randn(9, 2).double())
    n = len(layer.layer.theta) // 2
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    weights = layer.layer.theta.detach().reshape(2, n).clone().requires_grad_()
    upstream = torch.randn(9, n).double()

    values = layer(ours)
    expected = torch.stack(circuit(theirs, weights), dim=-1)
    assert torch.allclose(values, expected, rtol=0, atol=1e-10)

    (values * upstream).sum().backward()
    (expected * upstream).sum().backward()
    assert torch.allclose(ours.grad, theirs.grad, rtol=0, atol=1e-8)
    assert torch.allclose(layer.layer.theta.grad, weights.grad.flatten(), rtol=0, atol=1e-8)
    assert layer.layer.theta.numel() == 2 * n
