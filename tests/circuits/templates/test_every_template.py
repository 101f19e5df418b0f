"""The convention that all templates follow: consecutive weights, features, refusals."""

from __future__ import annotations

import re
from functools import partial
from math import prod

import pytest
import torch

from replank.circuits import Circuit, Z, reference, templates, theta, x
from replank.circuits.templates import (
    amplitude_embedding,
    angle_embedding,
    basic_entangler_layers,
    basic_entangler_shape,
    basis_embedding,
    convolution_block,
    hamiltonian_embedding,
    hardware_efficient_layers,
    hardware_efficient_shape,
    interleaved_blocks,
    interleaved_shape,
    iqp_embedding,
    mera,
    mera_shape,
    mps,
    mps_shape,
    place_gates,
    pooling_block,
    qaoa_embedding,
    qaoa_embedding_shape,
    qaoa_layers,
    qaoa_shape,
    qcnn,
    qcnn_shape,
    random_layers,
    random_shape,
    strongly_entangling_layers,
    strongly_entangling_shape,
    ttn,
    ttn_shape,
)
from replank.errors import UnknownName

BLOCK = Circuit(2).ry(theta[0], 0).rx(theta[1], 1).cnot(0, 1).rz(theta[2], 0).ry(theta[3], 1)
CHAIN = Z(0) @ Z(1) + 0.5 * Z(1) @ Z(2) + Z(2) + 3.0
GATES = (("RX", (0,)), ("CNOT", (0, 1)), ("Rot", (1,)), ("CRZ", (1, 0)))

# what is trained, with the shape of its weights
TRAINED = {
    "strongly entangling": (partial(strongly_entangling_layers, 3, 2), strongly_entangling_shape(3, 2)),
    "strongly entangling, one qubit": (partial(strongly_entangling_layers, 1, 2), strongly_entangling_shape(1, 2)),
    "basic entangler": (partial(basic_entangler_layers, 3, 2), basic_entangler_shape(3, 2)),
    "hardware-efficient": (partial(hardware_efficient_layers, 3, 2), hardware_efficient_shape(3, 2)),
    "hardware-efficient, no final rotations": (
        partial(hardware_efficient_layers, 3, 2, rotations=("RX",), final_rotations=False),
        hardware_efficient_shape(3, 2, n_rotations=1, final_rotations=False),
    ),
    "interleaved": (partial(interleaved_blocks, 3, 2), interleaved_shape(3, 2)),
    "interleaved, with numbers added": (
        partial(interleaved_blocks, 2, 2, features=(0.3, -1.2, 2.0), scale=0.5),
        interleaved_shape(2, 2),
    ),
    "random": (partial(random_layers, 3, 2, 4, seed=5), random_shape(2, 4)),
    "given gates": (partial(place_gates, 2, GATES), (5,)),
    "QAOA": (partial(qaoa_layers, 3, 2, CHAIN), qaoa_shape(2)),
    "QAOA embedding, one qubit": (partial(qaoa_embedding, 1, 2), qaoa_embedding_shape(1, 2)),
    "QAOA embedding, two qubits": (partial(qaoa_embedding, 2, 2), qaoa_embedding_shape(2, 2)),
    "QAOA embedding, three qubits": (partial(qaoa_embedding, 3, 2), qaoa_embedding_shape(3, 2)),
    "MPS": (partial(mps, 4, BLOCK), mps_shape(4, BLOCK)),
    "TTN": (partial(ttn, 4, BLOCK), ttn_shape(4, BLOCK)),
    "MERA": (partial(mera, 4, BLOCK), mera_shape(4, BLOCK)),
    "convolution": (convolution_block, (15,)),
    "pooling": (pooling_block, (3,)),
    "QCNN": (partial(qcnn, 4), qcnn_shape(4)),
    "QCNN, other convolution": (partial(qcnn, 4, convolution=BLOCK), qcnn_shape(4, convolution=BLOCK)),
}
# what takes features, with their number
EMBEDDINGS = {
    "angle": (partial(angle_embedding, 3), 3),
    "amplitude": (partial(amplitude_embedding, 3), 8),
    "basis": (partial(basis_embedding, 3), 3),
    "IQP": (partial(iqp_embedding, 3), 3),
    "Hamiltonian": (partial(hamiltonian_embedding, 3, ["XXI", "IZY"]), 2),
    "QAOA": (partial(qaoa_embedding, 3, 1), 3),
}
trained = pytest.mark.parametrize(("template", "shape"), TRAINED.values(), ids=TRAINED)
embeddings = pytest.mark.parametrize(("template", "n_features"), EMBEDDINGS.values(), ids=EMBEDDINGS)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def matrix(circuit: Circuit, weights: torch.Tensor) -> torch.Tensor:
    return reference.unitary(circuit, randn(circuit.n_features, seed=9), weights)


@trained
def test_it_takes_as_many_weights_as_its_shape_says(template, shape):
    assert template().n_parameters == prod(shape)


@trained
def test_it_is_unitary(template, shape):
    circuit = template()
    unitary = matrix(circuit, randn(prod(shape)))
    torch.testing.assert_close(unitary @ unitary.mH, torch.eye(2**circuit.n_qubits, dtype=unitary.dtype))


@trained
def test_every_weight_moves_it(template, shape):
    weights = randn(prod(shape)).requires_grad_()
    unitary = matrix(template(), weights)
    into = torch.complex(randn(*unitary.shape, seed=1), randn(*unitary.shape, seed=2))
    gradient = torch.autograd.grad((into * unitary).real.sum(), weights)[0]
    assert gradient.abs().min() > 1e-6


@trained
def test_it_begins_where_it_is_told_to(template, shape):
    weights = randn(prod(shape))
    late = template(start=3)
    assert late.n_parameters == 3 + prod(shape)
    torch.testing.assert_close(matrix(late, torch.cat((randn(3), weights))), matrix(template(), weights))


@trained
def test_given_weights_are_the_same_as_bound_ones(template, shape):
    weights = randn(prod(shape))
    expected = matrix(template(), weights)
    torch.testing.assert_close(matrix(template(weights=weights.tolist()), weights[:0]), expected)
    torch.testing.assert_close(matrix(template(weights=weights.numpy()), weights[:0]), expected)
    torch.testing.assert_close(matrix(template(weights=[0.1, 0.2, *weights.tolist()], start=2), weights[:0]), expected)


@trained
@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_number_of_weights_is_refused(template, shape, change):
    n = prod(shape)
    with pytest.raises(ValueError, match=rf"needs {n} weights from start=0 on, got {n + change}\. .*flatten"):
        template(weights=theta[: n + change])
    with pytest.raises(ValueError, match=rf"needs {n} weights from start=2 on, got {n + change}\."):
        template(weights=theta[: n + change + 2], start=2)


@trained
def test_a_start_before_the_first_is_refused(template, shape):
    with pytest.raises(ValueError, match="start must be an integer at least 0, got start=-1"):
        template(start=-1)


@embeddings
def test_it_takes_the_first_features_unless_told_otherwise(template, n_features):
    assert template().n_features == n_features
    assert template(features=x[4 : 4 + n_features]).n_features == 4 + n_features


@embeddings
def test_given_features_are_the_same_as_a_sample(template, n_features):
    features, weights = torch.tensor([[1, 0, 1, 1, 0, 0, 1, 0]], dtype=torch.float64)[:, :n_features], randn(6)
    given = reference.state(template(features=features[0].tolist()), features, weights)
    sampled = reference.state(template(), features, weights)
    overlap = (given.conj() * sampled).sum()  # of the basis embedding, bits differ by a phase
    torch.testing.assert_close(overlap.abs(), torch.ones((), dtype=torch.float64))


@embeddings
def test_too_many_features_are_refused(template, n_features):
    with pytest.raises(ValueError, match=rf"takes .*{n_features} features, got {n_features + 1}\."):
        template(features=x[: n_features + 1])
    with pytest.raises(ValueError, match=r"features, got 0\."):
        template(features=[])


@pytest.mark.parametrize("template", [basis_embedding, iqp_embedding])
def test_too_few_features_are_refused(template):
    with pytest.raises(ValueError, match=r"takes 3 features, got 2\."):
        template(3, features=x[:2])


def test_a_single_angle_is_no_sequence():
    with pytest.raises(TypeError, match=r"features must be theta, x or a sequence of angles, got x\[0\]"):
        angle_embedding(1, features=x[0])
    with pytest.raises(TypeError, match="weights must be theta, x or a sequence of angles, got 1"):
        basic_entangler_layers(1, 1, weights=1)


def test_weights_may_be_functions_of_features_and_parameters():
    circuit = basic_entangler_layers(2, 1, weights=[theta[0] * x[0], theta[0] * x[1]])
    assert (circuit.n_parameters, circuit.n_features) == (1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: angle_embedding(2, rotation="X"), "unknown rotation 'X'"),
        (lambda: qaoa_embedding(2, 1, local_field="H"), "unknown rotation 'H'"),
        (lambda: hardware_efficient_layers(2, 1, rotations=("RY", "P")), "unknown rotation 'P'"),
        (lambda: random_layers(2, 1, 1, seed=0, rotations=("CRX",)), "unknown rotation 'CRX'. Did you mean 'RX'"),
        (lambda: strongly_entangling_layers(2, 1, entangler="cz"), "unknown entangler 'cz'"),
        (lambda: hardware_efficient_layers(2, 1, entangler="SWAP"), "unknown entangler 'SWAP'"),
        (lambda: random_layers(2, 1, 1, seed=0, entangler=3), "unknown entangler '3'"),
        (lambda: hardware_efficient_layers(2, 1, topology="rings"), "unknown topology 'rings'. Did you mean 'ring'"),
        (lambda: place_gates(2, [("RXY", (0,))]), "unknown gate 'RXY'"),
    ],
)
def test_an_unknown_option_is_named_with_the_known_ones(call, message):
    with pytest.raises(UnknownName, match=re.escape(message)):
        call()


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
@pytest.mark.parametrize(
    "template",
    [
        lambda n: strongly_entangling_layers(2, n),
        lambda n: strongly_entangling_layers(n, 1),
        lambda n: basic_entangler_layers(2, n),
        lambda n: basic_entangler_layers(n, 1),
        lambda n: hardware_efficient_layers(2, n),
        lambda n: hardware_efficient_layers(n, 1),
        lambda n: random_layers(2, n, 1, seed=0),
        lambda n: random_layers(2, 1, n, seed=0),
        lambda n: random_layers(-1 if n is True else n, 1, 1, seed=0),
        lambda n: qaoa_layers(1, n, Z(0)),
        lambda n: qaoa_embedding(2, n),
        lambda n: qaoa_embedding(n, 1),
        lambda n: iqp_embedding(2, n_repeats=n),
        lambda n: hamiltonian_embedding(1, ["X"], n_steps=n),
        lambda n: angle_embedding(n),
        lambda n: amplitude_embedding(n),
        lambda n: basis_embedding(n),
        lambda n: iqp_embedding(n),
        lambda n: hamiltonian_embedding(n, ["X"]),
        lambda n: qaoa_layers(n, 1, Z(0)),
        lambda n: place_gates(n, GATES),
        lambda n: mps(n, BLOCK),
        lambda n: ttn(n, BLOCK),
        lambda n: mera(n, BLOCK),
        lambda n: qcnn(n),
    ],
)
def test_a_count_must_be_a_positive_integer(template, n):
    with pytest.raises(ValueError, match=r"integer|at least one qubit"):
        template(n)


def test_templates_append_and_move():
    circuit = angle_embedding(4).extend(strongly_entangling_layers(4, 1))
    circuit.extend(basic_entangler_layers(2, 1, start=circuit.n_parameters).on((3, 1), 4))
    assert circuit.n_parameters == 12 + 2
    assert circuit.operations[-1].wires == (3, 1)


@pytest.mark.parametrize("name", templates.__all__)
def test_every_exported_name_exists(name):
    assert getattr(templates, name) is not None
