"""PennyLane's circuits inside cells written out as their authors do: outputs, states and gradients."""

from __future__ import annotations

import pennylane as qml
import pytest
import torch

from replank.parts.recurrent import QuantumFastWeights, QuantumGRU, QuantumLSTM, QuantumRNN, SixCircuitLSTM
from replank.seeding import isolated, torch_stream

F64 = torch.float64
SEEDS = range(5)


def build(kind, *sizes, seed, **options):
    with isolated(seed, "part"):
        return kind(*sizes, batch_first=True, dtype=F64, **options)


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(seed, "input"))


def assert_agree(part, by_pennylane, batch, *, tolerance=1e-10):
    """Outputs, and gradients with respect to the input and to all parameters."""
    batch.requires_grad_()
    outputs, expected = part(batch)[0], torch.stack([torch.stack(by_pennylane(part, each)) for each in batch])
    torch.testing.assert_close(outputs, expected, rtol=tolerance, atol=tolerance)
    weights = torch.linspace(1, 2, outputs.numel(), dtype=F64).reshape(outputs.shape)
    sources = [batch, *(each for each in part.parameters() if each.requires_grad)]
    gradients = [torch.autograd.grad((each * weights).sum(), sources) for each in (outputs, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=tolerance)


def vqc(features, weights, n_outputs):
    n = len(features)

    @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
    def circuit(features, weights):
        for wire in range(n):
            qml.Hadamard(wires=wire)
        for wire in range(n):
            qml.RY(torch.atan(features[wire]), wires=wire)
            qml.RZ(torch.atan(features[wire] ** 2), wires=wire)
        for layer in weights:
            for wire in range(n):
                qml.CNOT(wires=[wire, (wire + 1) % n])
            for wire in range(n):
                qml.CNOT(wires=[wire, (wire + 2) % n])
            for wire in range(n):
                qml.Rot(layer[wire, 0], layer[wire, 1], layer[wire, 2], wires=wire)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(n_outputs)]

    return torch.stack(circuit(features, weights))


def gate(part, layer, number, features, n_outputs):
    return vqc(features, layer.theta[number].reshape(part.n_layers, part.n_qubits, 3), n_outputs)


def rnn(part, sequence):
    hidden, outputs = sequence.new_zeros(part.hidden_size), []
    for x in sequence:
        hidden = torch.tanh(gate(part, part.circuit, 0, torch.cat((x, hidden)), part.hidden_size))
        outputs.append(hidden)
    return outputs


def gru(part, sequence):
    hidden, outputs, k = sequence.new_zeros(part.hidden_size), [], part.hidden_size
    for x in sequence:
        v = torch.cat((x, hidden))
        reset, update = (torch.sigmoid(gate(part, part.gates, number, v, k)) for number in range(2))
        new = torch.tanh(gate(part, part.candidate, 0, torch.cat((x, reset * hidden)), k))
        hidden = update * hidden + (1 - update) * new
        outputs.append(hidden)
    return outputs


def lstm(part, sequence):
    k, outputs = part.hidden_size, []
    hidden, cell = sequence.new_zeros(k), sequence.new_zeros(k)
    for x in sequence:
        f, i, g, o = (gate(part, part.gates, number, torch.cat((x, hidden)), k) for number in range(4))
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
        outputs.append(hidden)
    return outputs


def six(part, sequence):
    k, outputs = part.hidden_size, []
    hidden, cell = sequence.new_zeros(k - part.input_size), sequence.new_zeros(k)
    for x in sequence:
        f, i, g, o = (gate(part, part.gates, number, torch.cat((x, hidden)), k) for number in range(4))
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        opened = torch.sigmoid(o) * torch.tanh(cell)
        hidden = gate(part, part.heads, 0, opened, k - part.input_size)
        outputs.append(gate(part, part.heads, 1, opened, k))
    return outputs


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("kind", "hidden", "by_pennylane"),
    [(QuantumRNN, 3, rnn), (QuantumGRU, 3, gru), (QuantumLSTM, 3, lstm), (SixCircuitLSTM, 4, six)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_cells_of_four_qubits_and_two_layers(kind, hidden, by_pennylane, seed):
    part = build(kind, 1, hidden, seed=seed, init_scale=None)
    assert_agree(part, by_pennylane, randn(2, 3, 1, seed=seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_circuit_of_five_qubits(seed):
    part = build(QuantumRNN, 2, 3, seed=seed, n_layers=3, init_scale=None)
    assert_agree(part, rnn, randn(1, 2, 2, seed=seed))


def fast_weights(part, sequence):
    slow, n = part.slow, part.n_units

    @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
    def circuit(x, program):
        for wire in range(n):
            qml.Hadamard(wires=wire)
        for wire in range(len(x)):
            qml.RY(x[wire], wires=wire)
        for layer in program:
            for first in (0, 1):
                for wire in range(first, n - 1, 2):
                    qml.CNOT(wires=[wire, wire + 1])
            for wire in range(n):
                qml.RY(layer[wire], wires=wire)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(part.n_readout)]

    program, outputs = sequence.new_zeros(part.n_layers, n), []
    for x in sequence:
        latent = slow.latent(x)
        program = part.decay * program + torch.outer(slow.layer_scores(latent), slow.unit_scores(latent))
        outputs.append(part.readout(torch.stack(circuit(x, program))))
    return outputs


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decay", [1.0, 0.8])
def test_fast_weights_as_published(seed, decay):
    part = build(QuantumFastWeights, 1, 1, seed=seed, decay=decay)
    assert_agree(part, fast_weights, randn(2, 4, 1, seed=seed))


def test_fast_weights_of_several_features():
    part = build(QuantumFastWeights, 3, 2, seed=0, n_qubits=5, n_layers=3)
    assert_agree(part, fast_weights, randn(2, 3, 3))
