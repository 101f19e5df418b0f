"""PennyLane as witness of the tensor networks of words and of their ansatz, from the definition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits.circuit_unitary import circuit_unitary
from replank.circuits.templates import iqp_layers, sim9_layers, sim14_layers
from replank.parts.sequence_encoder import ConvTensorNetwork, PathTensorNetwork


def sim14(weights, wires):
    n = len(wires)
    walls = np.reshape(weights, (4, n))
    for angle, wire in zip(walls[0], wires, strict=True):
        qml.RY(angle, wire)
    for i, angle in enumerate(walls[1]):
        qml.CRX(angle, [wires[(n - 1 + i) % n], wires[(n + i) % n]])
    for angle, wire in zip(walls[2], wires, strict=True):
        qml.RY(angle, wire)
    for i, angle in enumerate(walls[3]):
        qml.CRX(angle, [wires[(n - 1 + i) % n], wires[(n - 2 + i) % n]])


def sim9(weights, wires):
    for wire in wires:
        qml.Hadamard(wire)
    for pair in pairwise(wires):
        qml.CZ(pair)
    for angle, wire in zip(weights, wires, strict=True):
        qml.RX(angle, wire)


def iqp(weights, wires):
    for wire in wires:
        qml.Hadamard(wire)
    for i, angle in enumerate(weights):
        qml.CRZ(angle, [wires[i + 1], wires[i]])


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize(("ours", "theirs"), [(sim14_layers, sim14), (sim9_layers, sim9), (iqp_layers, iqp)])
def test_ansatz(ours, theirs, n):
    circuit = ours(n, 1)
    weights = np.random.default_rng(n).normal(size=circuit.n_parameters)
    expected = qml.matrix(theirs, wire_order=range(n))(weights, list(range(n)))
    actual = circuit_unitary(circuit, torch.tensor(weights)).numpy()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def word(angles, wire):
    qml.RX(angles[0], wire)
    qml.RZ(angles[1], wire)
    qml.RX(angles[2], wire)


def built(kind, reduction):
    torch.manual_seed(1)
    return kind(4, sharing="hierarchical", max_len=4, reduction=reduction, init_scale=6.0, dtype=torch.float64)


def numbers(part):
    return {name: each.detach().numpy() for name, each in part.named_parameters()}


def path(part, tokens):
    p = numbers(part)
    word(p["words"][tokens[0]], 0)
    for position, token in enumerate(tokens[1:], 1):
        word(p["words"][token], position)
        sim14(p["steps"][position - 1], [0, position])
    word(p["head"], 0)


def tree(part, tokens):
    p = numbers(part)
    for wire, token in enumerate(tokens):
        word(p["words"][token], wire)
    wires = list(range(len(tokens)))
    for level in range(2):
        if len(wires) > 2:
            for pair in zip(wires[1:-1:2], wires[2:-1:2], strict=True):
                sim14(p["entanglers"][level], list(pair))
        for kept, lost in zip(wires[::2], wires[1::2], strict=True):
            sim14(p["isometries"][level], [kept, lost])
        wires = wires[::2]
    word(p["head"], 0)


@pytest.mark.parametrize(("kind", "network"), [(PathTensorNetwork, path), (ConvTensorNetwork, tree)])
def test_discarded_words_are_not_looked_at(kind, network):
    part = built(kind, "discard")
    tokens = [2, 0, 3, 1]

    @qml.qnode(qml.device("default.qubit", wires=4))
    def circuit():
        network(part, tokens)
        return qml.probs(wires=0)

    actual = part.probabilities(torch.tensor([tokens]))[0].detach().numpy()
    np.testing.assert_allclose(actual, circuit(), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("kind", "network"), [(PathTensorNetwork, path), (ConvTensorNetwork, tree)])
def test_post_selected_words_are_projected(kind, network):
    part = built(kind, "postselect")
    tokens = [2, 0, 3, 1]

    # words that have left are not touched again, so that one projection at the end is enough
    @qml.qnode(qml.device("default.qubit", wires=4))
    def whole():
        network(part, tokens)
        return qml.state()

    kept = np.abs(np.asarray(whole()).reshape(2, 2, 2, 2)[:, 0, 0, 0]) ** 2
    input = torch.tensor([tokens])
    np.testing.assert_allclose(part.probabilities(input)[0].detach().numpy(), kept / kept.sum(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(part.log_acceptance(input)[0].exp().item(), kept.sum(), rtol=1e-10)
