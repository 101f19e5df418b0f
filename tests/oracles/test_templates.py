"""PennyLane and Qiskit as witnesses of the templates: whole unitaries and states, global phase included."""

from __future__ import annotations

import itertools
from functools import partial
from math import prod

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits import Circuit, X, Y, Z, reference, theta, x
from replank.circuits import templates as ours
from replank.circuits.gates import GATES

ROTATIONS = ("RX", "RY", "RZ")


def randn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def unitary(circuit: Circuit, weights: np.ndarray = (), features: np.ndarray = ()) -> np.ndarray:
    tensors = (torch.as_tensor(np.ravel(values), dtype=torch.float64) for values in (features, weights))
    return reference.unitary(circuit, *tensors).numpy()


def state(circuit: Circuit, features: np.ndarray) -> np.ndarray:
    """States of a batch of samples, ``(B, 2^n)``."""
    return reference.state(circuit, torch.as_tensor(features, dtype=torch.float64), torch.zeros(0).double()).numpy()


def pennylane_matrix(n: int, function, *args, **kwargs) -> np.ndarray:
    return qml.matrix(function, wire_order=range(n))(*args, **kwargs)


def pennylane_state(n: int, function) -> np.ndarray:
    @qml.qnode(qml.device("default.qubit", wires=n))
    def circuit():
        function()
        return qml.state()

    return np.asarray(circuit())


def assert_equal(actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == np.complex128
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("n", "n_features"), [(1, 1), (3, 3), (4, 2)])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_angle_embedding(n, n_features, rotation):
    features = randn(n_features)
    expected = pennylane_matrix(n, partial(qml.AngleEmbedding, wires=range(n), rotation=rotation[1]), features)
    assert_equal(unitary(ours.angle_embedding(n, features=x[:n_features], rotation=rotation), (), features), expected)


@pytest.mark.parametrize(("n", "n_features", "pad_with"), [(1, 2, 0), (3, 8, 0), (3, 5, 0), (3, 5, 0.7), (4, 1, -2)])
def test_amplitude_embedding(n, n_features, pad_with):
    features = randn(3, n_features)
    padding = {"pad_with": pad_with, "normalize": True}
    expected = pennylane_state(n, lambda: qml.AmplitudeEmbedding(features, wires=range(n), **padding))
    got = state(ours.amplitude_embedding(n, features=x[:n_features], pad_with=pad_with), features)
    assert_equal(got, expected)


@pytest.mark.parametrize("bits", [[1], [0, 1, 1], [1, 0, 0, 1]], ids=str)
def test_basis_embedding(bits):
    n = len(bits)
    expected = pennylane_state(n, lambda: qml.BasisEmbedding(bits, wires=range(n)))
    assert_equal(state(ours.basis_embedding(n, features=bits), np.zeros((1, 0)))[0], expected)
    sampled = state(ours.basis_embedding(n), np.array([bits]))[0]
    assert_equal(sampled, (-1j) ** sum(bits) * expected)


@pytest.mark.parametrize(
    ("n", "n_repeats", "pattern"),
    [(1, 1, None), (2, 3, None), (4, 1, None), (4, 2, [(0, 1), (3, 1)]), (3, 2, [])],
)
def test_iqp_embedding(n, n_repeats, pattern):
    features = randn(n)
    options = {"n_repeats": n_repeats, "pattern": pattern}
    expected = pennylane_matrix(n, partial(qml.IQPEmbedding, wires=range(n), **options), features)
    assert_equal(unitary(ours.iqp_embedding(n, **options), (), features), expected)


@pytest.mark.parametrize(
    ("words", "n_steps"), [(["X"], 1), (["XX", "ZI", "YZ"], 1), (["XXI", "IYY", "ZIZ", "IIX"], 5)], ids=str
)
def test_hamiltonian_embedding(words, n_steps):
    n, features, time = len(words[0]), randn(len(words)), 0.8
    terms = [qml.pauli.string_to_pauli_word(word) for word in words]
    evolution = qml.ApproxTimeEvolution(qml.Hamiltonian(features, terms), time, n_steps)
    expected = qml.matrix(evolution, wire_order=range(n))
    assert_equal(unitary(ours.hamiltonian_embedding(n, words, time=time, n_steps=n_steps), (), features), expected)


def test_hamiltonian_embedding_of_commuting_words():
    features, words = randn(3), ["XX", "YY", "ZZ"]
    terms = [qml.pauli.string_to_pauli_word(word) for word in words]
    evolution = qml.CommutingEvolution(qml.Hamiltonian(features, terms), 0.8)
    expected = qml.matrix(evolution, wire_order=range(2))
    assert_equal(unitary(ours.hamiltonian_embedding(2, words, time=0.8), (), features), expected)


@pytest.mark.parametrize("entangler", ["CNOT", "CZ", "CY", "CH", "iSWAP"])
@pytest.mark.parametrize(
    ("n", "n_layers", "ranges"), [(1, 2, None), (2, 3, None), (3, 4, None), (4, 4, None), (4, 2, [3, 2])]
)
def test_strongly_entangling_layers(n, n_layers, ranges, entangler):
    shape = ours.strongly_entangling_shape(n, n_layers)
    assert shape == qml.StronglyEntanglingLayers.shape(n_layers, n)
    weights, imprimitive = randn(*shape), getattr(qml, entangler.replace("iSWAP", "ISWAP"))
    template = partial(qml.StronglyEntanglingLayers, wires=range(n), ranges=ranges, imprimitive=imprimitive)
    circuit = ours.strongly_entangling_layers(n, n_layers, ranges=ranges, entangler=entangler)
    assert_equal(unitary(circuit, weights), pennylane_matrix(n, template, weights))


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize(("n", "n_layers"), [(1, 2), (2, 3), (3, 1), (4, 2)])
def test_basic_entangler_layers(n, n_layers, rotation):
    shape = ours.basic_entangler_shape(n, n_layers)
    assert shape == qml.BasicEntanglerLayers.shape(n_layers, n)
    weights = randn(*shape)
    template = partial(qml.BasicEntanglerLayers, wires=range(n), rotation=getattr(qml, rotation))
    circuit = ours.basic_entangler_layers(n, n_layers, rotation=rotation)
    assert_equal(unitary(circuit, weights), pennylane_matrix(n, template, weights))


PAIRS = {
    "linear": lambda n: itertools.pairwise(range(n)),
    "ring": lambda n: [(q, (q + 1) % n) for q in range(n)] if n > 2 else [(0, 1)],
    "all-to-all": lambda n: itertools.combinations(range(n), 2),
}


@pytest.mark.parametrize("topology", PAIRS)
@pytest.mark.parametrize(
    ("n", "rotations", "entangler", "final"),
    [(2, ("RY", "RZ"), "CNOT", True), (4, ("RX",), "CZ", False), (3, ("RZ", "RX", "RZ"), "CNOT", True)],
)
def test_hardware_efficient_layers(n, rotations, entangler, final, topology):
    n_layers = 2
    weights = randn(
        *ours.hardware_efficient_shape(n, n_layers, n_rotations=len(rotations), final_rotations=final), seed=1
    )

    def by_hand(weights):
        for layer, of_layer in enumerate(weights):
            for rotation, of_rotation in zip(rotations, of_layer, strict=True):
                for wire, angle in enumerate(of_rotation):
                    getattr(qml, rotation)(angle, wires=wire)
            if layer < n_layers:
                for pair in PAIRS[topology](n):
                    getattr(qml, entangler)(wires=pair)

    options = {"rotations": rotations, "entangler": entangler, "topology": topology, "final_rotations": final}
    got = unitary(ours.hardware_efficient_layers(n, n_layers, **options), weights)
    assert_equal(got, pennylane_matrix(n, by_hand, weights))


@pytest.mark.parametrize(
    ("topology", "entanglement", "entangler"),
    [("linear", "linear", "CNOT"), ("all-to-all", "full", "CNOT"), ("ring", "circular", "CZ")],
)
@pytest.mark.parametrize("n", [2, 3, 4])
def test_hardware_efficient_layers_by_qiskit(n, topology, entanglement, entangler):
    library = pytest.importorskip("qiskit.circuit.library")
    from qiskit.quantum_info import Operator

    if entangler == "CNOT":
        circuit = library.efficient_su2(n, entanglement=entanglement, reps=2)
    else:
        circuit = library.n_local(n, ["ry", "rz"], "cz", entanglement=entanglement, reps=2)
    weights = randn(*ours.hardware_efficient_shape(n, 2))
    bound = circuit.assign_parameters(weights.ravel())
    expected = Operator(bound.reverse_bits()).data  # Qiskit's qubit 0 is the least significant bit
    got = unitary(ours.hardware_efficient_layers(n, 2, topology=topology, entangler=entangler), weights)
    assert_equal(got, expected)


@pytest.mark.parametrize(("n", "n_layers", "n_rotations", "ratio"), [(1, 2, 3, 0.3), (2, 2, 4, 0.5), (4, 3, 6, 0.6)])
@pytest.mark.parametrize("seed", [0, 1])
def test_random_layers_of_the_same_gates(n, n_layers, n_rotations, ratio, seed):
    shape = ours.random_shape(n_layers, n_rotations)
    assert shape == qml.RandomLayers.shape(n_layers, n_rotations)
    weights = randn(*shape)
    layers = qml.RandomLayers(weights, wires=range(n), ratio_imprim=ratio, seed=seed)
    structure = [(gate.name, tuple(gate.wires.tolist())) for gate in layers.decomposition()]
    got = unitary(ours.place_gates(n, structure), weights)
    assert_equal(got, qml.matrix(layers, wire_order=range(n)))


@pytest.mark.parametrize("entangler", ["CNOT", "CZ"])
def test_random_layers_of_our_gates(entangler):
    weights = randn(3, 5)
    options = {"seed": 4, "entangler": entangler, "rotations": ("RX", "RZ"), "entangler_ratio": 0.5}
    structure = ours.random_structure(3, 15, **options)

    def by_hand(angles):
        angles = iter(angles)
        for name, wires in structure:
            getattr(qml, name)(*(next(angles) for _ in range(GATES[name].n_angles)), wires=wires)

    got = unitary(ours.random_layers(3, 3, 5, **options), weights)
    assert_equal(got, pennylane_matrix(3, by_hand, weights.ravel()))


@pytest.mark.parametrize("local_field", ROTATIONS)
@pytest.mark.parametrize(("n", "n_layers", "n_features"), [(1, 2, 1), (2, 1, 2), (2, 2, 1), (3, 2, 3), (4, 1, 2)])
def test_qaoa_embedding(n, n_layers, n_features, local_field):
    shape = ours.qaoa_embedding_shape(n, n_layers)
    assert shape == qml.QAOAEmbedding.shape(n_layers, n)
    weights, features = randn(*shape), randn(n_features, seed=1)
    template = partial(qml.QAOAEmbedding, wires=range(n), local_field=local_field[1])
    circuit = ours.qaoa_embedding(n, n_layers, features=x[:n_features], local_field=local_field)
    assert_equal(unitary(circuit, weights, features), pennylane_matrix(n, template, features, weights))


@pytest.mark.parametrize("mixer", ["sum of X", "non-commuting"])
def test_qaoa_layers(mixer):
    cost = 0.7 * Z(0) @ Z(1) + Z(1) @ Z(2) - 0.4 * Z(2) + 2.0
    their_cost = qml.Hamiltonian([0.7, 1, -0.4, 2], [qml.Z(0) @ qml.Z(1), qml.Z(1) @ qml.Z(2), qml.Z(2), qml.I(0)])
    if mixer == "sum of X":
        mixer, their_mixer = None, qml.Hamiltonian([1, 1, 1], [qml.X(0), qml.X(1), qml.X(2)])
    else:
        mixer = X(0) @ X(1) + 0.3 * Y(1) @ Z(2)
        their_mixer = qml.Hamiltonian([1, 0.3], [qml.X(0) @ qml.X(1), qml.Y(1) @ qml.Z(2)])
    weights = randn(*ours.qaoa_shape(2))

    def by_hand(weights):
        for gamma, alpha in weights:
            qml.qaoa.cost_layer(gamma, their_cost)
            qml.qaoa.mixer_layer(alpha, their_mixer)

    got = unitary(ours.qaoa_layers(3, 2, cost, mixer=mixer), weights)
    assert_equal(got, pennylane_matrix(3, by_hand, weights))


def block_of(k: int) -> Circuit:
    """A block on ``k`` qubits that treats all of its wires and weights differently."""
    circuit = Circuit(k)
    for wire in range(k):
        circuit.ry(theta[wire], wire)
    for wire in range(k - 1):
        circuit.cnot(wire, wire + 1)
    return circuit.rx(theta[k], 0)


def pennylane_block(weights, wires):
    for weight, wire in zip(weights, wires, strict=False):
        qml.RY(weight, wires=wire)
    for pair in itertools.pairwise(wires):
        qml.CNOT(wires=pair)
    qml.RX(weights[-1], wires=wires[0])


def assert_network_equal(template, shape, theirs, n: int, block: Circuit, **options) -> None:
    weights = randn(*shape)
    network = theirs(range(n), block.n_qubits, pennylane_block, block.n_parameters, weights, **options)
    assert_equal(unitary(template(n, block, **options), weights), qml.matrix(network, wire_order=range(n)))


@pytest.mark.parametrize(
    ("n", "k", "offset"), [(2, 2, None), (5, 2, None), (6, 4, None), (6, 4, 1), (7, 3, 2), (5, 3, 1), (6, 3, 1)]
)
def test_mps(n, k, offset):
    shape = ours.mps_shape(n, block_of(k), offset=offset)
    assert shape[0] == qml.MPS.get_n_blocks(range(n), k, offset)
    assert_network_equal(ours.mps, shape, qml.MPS, n, block_of(k), offset=offset)


@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(2, 13) for k in range(2, n + 1)])
def test_mps_wires(n, k):
    for offset in range(1, k):
        if (n - k) % offset or n % (k // 2) + offset >= k:
            continue  # refused here, or the last block is forgotten there, as the docstring says
        expected = qml.templates.tensornetworks.mps.compute_indices_MPS(range(n), k, offset)
        assert ours.mps_wires(n, k, offset=offset) == expected


def test_the_block_that_pennylane_forgets():
    expected = qml.templates.tensornetworks.mps.compute_indices_MPS(range(7), 4, 3)
    assert (*expected, (3, 4, 5, 6)) == ours.mps_wires(7, 4, offset=3)


TREES = [(2, 2), (4, 2), (8, 2), (4, 4), (8, 4)]


@pytest.mark.parametrize(("n", "k"), TREES)
def test_ttn(n, k):
    shape = ours.ttn_shape(n, block_of(k))
    assert shape[0] == qml.TTN.get_n_blocks(range(n), k)
    assert_network_equal(ours.ttn, shape, qml.TTN, n, block_of(k))


@pytest.mark.parametrize(("n", "k"), TREES)
def test_mera(n, k):
    shape = ours.mera_shape(n, block_of(k))
    assert shape[0] == qml.MERA.get_n_blocks(range(n), k)
    assert_network_equal(ours.mera, shape, qml.MERA, n, block_of(k))


@pytest.mark.parametrize(("n", "k"), [(16, 2), (32, 2), (16, 4), (24, 6), (32, 8)])
def test_larger_trees(n, k):
    networks = qml.templates.tensornetworks
    assert ours.ttn_wires(n, k) == networks.ttn.compute_indices(range(n), k)
    assert ours.mera_wires(n, k) == networks.mera.compute_indices(range(n), k)


def pennylane_convolution(weights, wires):
    for first, wire in zip((0, 3), wires, strict=True):
        qml.Rot(*weights[first : first + 3], wires=wire)
    for gate, weight in zip((qml.IsingXX, qml.IsingYY, qml.IsingZZ), weights[6:9], strict=True):
        gate(weight, wires=wires)
    for first, wire in zip((9, 12), wires, strict=True):
        qml.Rot(*weights[first : first + 3], wires=wire)


def pennylane_qcnn(weights, n: int, n_remaining: int, measured: bool) -> None:
    left = list(range(n))
    for convolution, pooling in ((row[:15], row[15:]) for row in weights):
        for parity in (0, 1):
            for one, other in list(itertools.pairwise(left))[parity::2]:
                pennylane_convolution(convolution, [one, other])
        for kept, pooled in list(itertools.pairwise(left))[::2]:
            if measured:
                qml.cond(qml.measure(pooled), qml.Rot)(*pooling, wires=kept)
            else:
                qml.CRot(*pooling, wires=[pooled, kept])
        left = left[::2]
    assert len(left) <= n_remaining
    assert tuple(left) == ours.qcnn_wires(n, n_remaining=n_remaining)


def test_convolution_block():
    weights = randn(15)
    got = unitary(ours.convolution_block(), weights)
    assert_equal(got, pennylane_matrix(2, partial(pennylane_convolution, wires=[0, 1]), weights))


def test_pooling_block():
    weights = randn(3)
    expected = pennylane_matrix(2, lambda weights: qml.CRot(*weights, wires=[1, 0]), weights)
    assert_equal(unitary(ours.pooling_block(), weights), expected)


@pytest.mark.parametrize(("n", "n_remaining"), [(2, 1), (3, 1), (4, 1), (5, 3), (6, 2), (8, 2)])
def test_qcnn(n, n_remaining):
    weights = randn(*ours.qcnn_shape(n, n_remaining=n_remaining))
    expected = pennylane_matrix(n, partial(pennylane_qcnn, n=n, n_remaining=n_remaining, measured=False), weights)
    assert_equal(unitary(ours.qcnn(n, n_remaining=n_remaining), weights), expected)


@pytest.mark.parametrize(("n", "n_remaining"), [(2, 1), (3, 1), (4, 1), (4, 2), (5, 3)])
def test_qcnn_with_measurement(n, n_remaining):
    weights = randn(*ours.qcnn_shape(n, n_remaining=n_remaining))

    @qml.qnode(qml.device("default.qubit"))
    def theirs():
        pennylane_qcnn(weights, n, n_remaining, measured=True)
        return qml.density_matrix(wires=range(n))

    circuit = ours.qcnn(n, n_remaining=n_remaining, measured=True)
    weights_tensor = torch.as_tensor(weights.ravel())
    rho = reference.density_matrix(circuit, torch.zeros(0, dtype=torch.float64), weights_tensor)
    assert prod(weights.shape) == circuit.n_parameters
    assert_equal(rho.numpy(), theirs())
