"""PennyLane as a witness of the study hamiltonian-embedding: the re-uploading circuit and the convolutional network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits import BrickwallSU4, Circuit, QuantumLayer, ReuploadingClassifier, pauli_strings, reference
from replank.circuits.observables import Probabilities
from replank.circuits.templates import (
    amplitude_embedding,
    arbitrary_unitary,
    dense_qcnn,
    dense_qcnn_shape,
    dense_qcnn_wires,
)

F64 = torch.float64


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def su4(angles: np.ndarray) -> np.ndarray:
    words = [qml.pauli.string_to_pauli_word(string) for string in pauli_strings(2)]
    generator = qml.matrix(qml.dot(angles, words), wire_order=range(2))
    return qml.matrix(qml.exp(qml.Hermitian(generator, wires=range(2)), 1j))


@pytest.mark.parametrize(
    ("n", "pairs", "tied", "readout", "n_classes"),
    [
        (3, [(0, 1), (1, 2)], True, (0, 1, 2), 8),
        (3, [(0, 1), (1, 2)], False, (0, 1, 2), 8),
        (5, [(1, 2), (3, 4), (0, 1), (2, 3)], False, (0,), 2),
    ],
    ids=["digits", "digits-untied", "ct"],
)
@pytest.mark.parametrize("mode", ["symmetric", "hermitian"])
def test_reuploading(n, pairs, tied, readout, n_classes, mode):
    torch.manual_seed(0)
    block = BrickwallSU4(n, 2, pairs, tied=tied, dtype=F64)
    model = ReuploadingClassifier(n_classes, block, mode=mode, readout=readout)
    image = torch.rand(1, 2**n, 2**n, dtype=F64)
    hamiltonian = model.hamiltonians(image)[0].numpy()

    @qml.qnode(qml.device("default.qubit", wires=n))
    def circuit():
        for wire in range(n):
            qml.Hadamard(wire)
        for angles, t in zip(block.theta.detach().numpy(), model.times.detach().numpy(), strict=True):
            data = qml.exp(qml.Hermitian(hamiltonian, wires=range(n)), -0.5j * t)
            qml.QubitUnitary(qml.matrix(data, wire_order=range(n)), wires=range(n))
            for own, pair in zip(angles, pairs, strict=True):
                qml.QubitUnitary(su4(angles[0] if tied else own), wires=pair)
        return qml.probs(wires=readout)

    np.testing.assert_allclose(model(image)[0].detach().numpy(), circuit(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_arbitrary_unitary(n):
    weights = randn(4**n - 1)
    expected = qml.matrix(qml.ArbitraryUnitary, wire_order=range(n))(weights.numpy(), wires=range(n))
    ours = reference.unitary(arbitrary_unitary(n), torch.zeros(0, dtype=F64), weights)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-12)


def pennylane_qcnn(weights: np.ndarray, n: int, n_layers: int) -> list[int]:
    """The network with measurements in the middle; the wires that remain."""
    left = list(range(n))
    for layer in range(n_layers):
        w = weights[18 * layer : 18 * (layer + 1)]
        for parity in (0, 1):
            for one, other in list(pairwise(left))[parity::2]:
                if layer == 0 and parity == 0:
                    qml.U3(*w[0:3], wires=one)
                    qml.U3(*w[3:6], wires=other)
                qml.IsingXX(w[6], wires=[one, other])
                qml.IsingYY(w[7], wires=[one, other])
                qml.IsingZZ(w[8], wires=[one, other])
                qml.U3(*w[9:12], wires=one)
                qml.U3(*w[12:15], wires=other)
        for kept, pooled in zip(left[::2], left[1::2], strict=False):
            qml.cond(qml.measure(pooled), qml.U3)(*w[15:18], wires=kept)
        left = left[::2]
    qml.ArbitraryUnitary(weights[18 * n_layers :], wires=left)
    return left


@pytest.mark.parametrize(("n", "n_layers"), [(2, 1), (3, 1), (4, 1), (6, 1), (5, 2)])
def test_qcnn_with_measurement_in_the_middle(n, n_layers):
    images = torch.rand(5, 2**n, dtype=F64, generator=torch.Generator().manual_seed(1))
    wires = dense_qcnn_wires(n, n_layers)
    circuit = amplitude_embedding(n).extend(dense_qcnn(n, n_layers))
    layer = QuantumLayer(circuit, Probabilities(wires), dtype=F64)
    weights = randn(*dense_qcnn_shape(n, n_layers))
    with torch.no_grad():
        layer.theta.copy_(weights)

    @qml.qnode(qml.device("default.qubit"))
    def theirs(image):
        qml.AmplitudeEmbedding(image, wires=range(n), normalize=True)
        return qml.probs(wires=pennylane_qcnn(weights.numpy(), n, n_layers))

    expected = np.stack([theirs(image) for image in images.numpy()])
    np.testing.assert_allclose(layer(images).detach().numpy(), expected, rtol=0, atol=1e-8)


def test_pooling_that_measures_gives_the_same_mixed_state():
    weights = randn(*dense_qcnn_shape(4, 1))

    @qml.qnode(qml.device("default.qubit"))
    def theirs():
        for wire in range(4):
            qml.Hadamard(wire)
        pennylane_qcnn(weights.numpy(), 4, 1)
        return qml.density_matrix(wires=range(4))

    circuit = Circuit(4)
    for wire in range(4):
        circuit.h(wire)
    ours = reference.density_matrix(circuit.extend(dense_qcnn(4, 1, measured=True)), torch.zeros(0, dtype=F64), weights)
    np.testing.assert_allclose(ours.numpy(), theirs(), rtol=0, atol=1e-10)
