"""PennyLane as a witness of the study parallel-quantum-and-quanvolution: values and gradients of its circuits."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits import QuantumLayer, Y
from replank.circuits.templates import (
    angle_embedding,
    basic_entangler_layers,
    basic_entangler_shape,
    strongly_entangling_layers,
    strongly_entangling_shape,
)
from replank.seeding import isolated, torch_stream
from replank.studies.parallel_quantum_and_quanvolution.model import circuits, quanv_a, quanv_b
from replank.studies.parallel_quantum_and_quanvolution.settings import PUBLISHED, QUANV

F64 = torch.float64
DRAWS = range(20)
TEMPLATES = {
    "strongly-entangling": (strongly_entangling_layers, strongly_entangling_shape, qml.StronglyEntanglingLayers),
    "basic-entangler": (basic_entangler_layers, basic_entangler_shape, qml.BasicEntanglerLayers),
}


def node(n, body, measured):
    """A differentiable circuit ``(features, weights) -> (n,)`` of PennyLane."""

    @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
    def circuit(features, weights):
        body(features, weights)
        return [measured(wire) for wire in range(n)]

    def circuit_values(features, weights):
        return torch.stack(circuit(features, weights), -1)

    return circuit_values


def expectation(letter):
    return lambda wire: qml.expval(getattr(qml, letter)(wire))


def same(ours, theirs, sources):
    """Values to 1e-10, gradients of a weighted sum to 1e-8."""
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    weights = torch.linspace(1, 2, ours.numel(), dtype=F64).reshape(ours.shape).sin()
    own = torch.autograd.grad((ours * weights).sum(), sources)
    others = torch.autograd.grad((theirs * weights).sum(), sources)
    torch.testing.assert_close(own, others, rtol=0, atol=1e-8)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_with_values_and_gradients(name, draw):
    ours, shape, theirs = TEMPLATES[name]
    random = np.random.default_rng(draw)
    n, n_layers = (int(random.integers(low, high)) for low, high in ((1, 6), (1, 5)))
    stream = torch_stream(draw, "draw")
    features = torch.randn(n, dtype=F64, generator=stream).requires_grad_()
    layer = QuantumLayer(
        angle_embedding(n).extend(ours(n, n_layers)), [Y(wire) for wire in range(n)], dtype=F64, init_scale=1.0
    )
    with torch.no_grad():
        layer.theta.copy_(torch.randn(layer.theta.shape, dtype=F64, generator=stream))

    def body(features, weights):
        qml.AngleEmbedding(features, wires=range(n), rotation="X")
        theirs(weights.reshape(shape(n, n_layers)), wires=range(n))

    values = node(n, body, expectation("Y"))(features, layer.theta)
    same(layer(features[None])[0], values, [features, layer.theta])


@pytest.mark.parametrize(
    ("n_circuits", "options"),
    [(4, {}), (2, {}), (10, {}), (20, {}), (4, {"ansatz": "basic-entangler", "observable": "Z"})],
    ids=str,
)
def test_parallel_circuits(n_circuits, options):
    with isolated(n_circuits, "layer"):
        made = circuits(PUBLISHED, n_circuits, **options).double()
    n = 20 // n_circuits
    batch = (2 * torch.randn(3, 20, dtype=F64, generator=torch_stream(0, "batch"))).requires_grad_()
    layers, shape = TEMPLATES[options.get("ansatz", "strongly-entangling")][2], (3, n)
    if not options:
        shape = (*shape, 3)

    def body(features, weights):
        qml.AngleEmbedding(features, wires=range(n), rotation="X")
        layers(weights.reshape(shape), wires=range(n))

    run = node(n, body, expectation(options.get("observable", "Y")))
    theta = made.layer.theta
    groups = [run(batch[:, n * k : n * k + n], theta[k]) for k in range(n_circuits)]
    same(made(batch), torch.cat(groups, -1), [batch, theta])


def circuit_a(features, weights):
    qml.AngleEmbedding(math.pi * features, wires=range(4), rotation="Y")
    for layer in weights.reshape(-1, 4):
        qml.RX(layer[0], wires=0)
        qml.RX(layer[1], wires=1)
        for pair in ([2, 3], [0, 2], [0, 3]):
            qml.CNOT(wires=pair)
        qml.RY(layer[2], wires=0)
        qml.RY(layer[3], wires=3)


def circuit_b(features, weights):
    qml.AngleEmbedding(math.pi * features, wires=range(4), rotation="X")
    qml.BasicEntanglerLayers(weights.reshape(4, 4), wires=range(4))


QUANVOLUTIONS = {
    "a": (partial(quanv_a, QUANV), circuit_a),
    "a, two layers": (partial(quanv_a, QUANV, n_layers=2), circuit_a),
    "b": (quanv_b, circuit_b),
}


@pytest.mark.parametrize("name", QUANVOLUTIONS)
def test_quanvolutions_patch_by_patch(name):
    build, body = QUANVOLUTIONS[name]
    with isolated(0, "filter"):
        quanvolution = build().double()
    images = torch.rand(2, 1, 4, 6, dtype=F64, generator=torch_stream(0, "images")).requires_grad_()
    theta, run = quanvolution.layer.theta, node(4, body, expectation("Z"))
    patches = images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)[:, 0]  # (B, H', W', 4)
    values = run(patches.reshape(-1, 4), theta[0]).reshape(*patches.shape[:-1], 4).movedim(-1, 1)
    same(quanvolution(images), values, [images, theta])
