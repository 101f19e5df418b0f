"""A circuit of one's own as the ansatz of quantum parts, and what such parts refuse."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from replank.circuits import Circuit, QuantumLayer, Z, theta, x
from replank.circuits.templates import angle_embedding, basic_entangler_layers, strongly_entangling_layers
from replank.errors import UsageError
from replank.parts.convolution import Quanvolution2d
from replank.parts.linear import ParallelQuantumLinear, QuantumLinear
from replank.seeding import isolated, torch_stream

F64 = torch.float64
BARE = {"bias": False, "output_scaling": 1.0, "dtype": F64}


def build(kind, *sizes, **options):
    with isolated(0, "part"):
        return kind(*sizes, **BARE, **options)


def randn(*shape):
    return torch.randn(*shape, dtype=F64, generator=torch_stream(0, "input"))


def own_layer():
    return Circuit(3).ry(theta[0], 0).cnot(0, 1).rx(2 * theta[1] + theta[0], 2).cz(1, 2)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_templates_can_be_given_as_circuits(n_layers):
    """One layer of a template, repeated, is the template: its weights lie layer by layer."""
    for template, name in ((basic_entangler_layers, "basic-entangler"), (own_template, None)):
        by_circuit = build(QuantumLinear, 3, 3, ansatz=template(3, 1), n_layers=n_layers)
        ansatz = name or template(3, 1)
        by_name = build(QuantumLinear, 3, 3, ansatz=ansatz, n_layers=n_layers)
        torch.testing.assert_close(by_circuit(randn(4, 3)), by_name(randn(4, 3)), rtol=0, atol=1e-14)


def own_template(n_qubits, n_layers):
    return strongly_entangling_layers(n_qubits, n_layers, ranges=[1] * n_layers)


def test_each_layer_and_each_upload_has_weights_of_its_own():
    part = build(QuantumLinear, 3, 3, ansatz=own_layer(), n_layers=2, n_uploads=2)
    assert part.layer.theta.shape == (8,)
    assert part.parameter_formula() == 8
    by_hand = Circuit(3)
    for number in range(4):
        if number % 2 == 0:
            by_hand.extend(angle_embedding(3))
        first, second = theta[2 * number], theta[2 * number + 1]
        by_hand.ry(first, 0).cnot(0, 1).rx(2 * second + first, 2).cz(1, 2)
    layer = QuantumLayer(by_hand, [Z(wire) for wire in range(3)], dtype=F64)
    layer.theta.data = part.layer.theta.detach()
    torch.testing.assert_close(part(randn(5, 3)), layer(randn(5, 3)), rtol=0, atol=1e-12)


def test_gates_without_weights_are_repeated_too():
    part = build(QuantumLinear, 2, 2, ansatz=Circuit(2).cnot(0, 1), n_layers=3)  # CNOT twice is nothing
    once = build(QuantumLinear, 2, 2, ansatz=Circuit(2).cnot(0, 1), n_layers=1)
    twice = build(QuantumLinear, 2, 2, ansatz=Circuit(2).cnot(0, 1), n_layers=2)
    batch = randn(4, 2)
    torch.testing.assert_close(part(batch), once(batch), rtol=0, atol=1e-14)
    torch.testing.assert_close(twice(batch), batch.cos(), rtol=0, atol=1e-14)
    assert sum(each.numel() for each in part.parameters()) == 0


@pytest.mark.parametrize(
    "part",
    [
        build(QuantumLinear, 3, 3, ansatz=own_layer()),
        build(ParallelQuantumLinear, 6, 6, n_circuits=2, ansatz=own_layer()),
    ],
    ids=["one", "parallel"],
)
def test_copies_controls_and_reference(part):
    batch = randn(4, part.in_features)
    for twin in (copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert torch.equal(twin(batch), part(batch))
    torch.testing.assert_close(part(batch), part.reference(batch), rtol=0, atol=1e-12)
    alone = part.without_entanglement()
    assert all(len(each.wires) == 1 for each in alone.design.circuit())
    assert not torch.equal(alone(batch), part(batch))
    assert "ansatz=Circuit(3 qubits, 4 operations)" in repr(part)


def test_rotations_of_two_qubits_are_entanglers_too():
    layer = Circuit(2).pauli_rotation("XX", theta[0], [0, 1]).ry(theta[1], 0)
    alone = build(QuantumLinear, 2, 2, ansatz=layer, n_layers=1).without_entanglement()
    assert all(len(each.wires) == 1 for each in alone.design.circuit())


def test_the_circuit_is_immutable_from_then_on():
    layer = own_layer()
    build(QuantumLinear, 3, 3, ansatz=layer)
    with pytest.raises(UsageError, match="must not change"):
        layer.x(0)


@pytest.mark.parametrize(
    ("options", "law"),
    [
        ({"ansatz": own_layer(), "n_qubits": 4}, "got 3 for n_qubits=4"),
        ({"ansatz": Circuit(3).rx(x[0], 0)}, "n_features=1"),
        ({"ansatz": Circuit(3).reset(0)}, "made of gates"),
        ({"ansatz": Circuit(1).rx(theta[0], 0)}, "n_qubits=1 .*at least 2"),
        ({"encoding": "angle", "n_qubits": 21}, "up to 20 qubits, got n_qubits=21"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [QuantumLinear, ParallelQuantumLinear, Quanvolution2d])
def test_what_does_not_fit_is_refused(kind, options, law):
    sizes = (1, 3, (1, 3)) if kind is Quanvolution2d else (3, 3)
    one = {QuantumLinear: {}, ParallelQuantumLinear: {"n_circuits": 1}, Quanvolution2d: {"n_filters": 1}}[kind]
    with pytest.raises(ValueError, match=law):
        kind(*sizes, **one, **options)
