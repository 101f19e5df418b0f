"""PennyLane as a second witness: its own exponentials, qubit order and measurements."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from replank.circuits import pauli_strings, pauli_sum
from replank.parts.convolution import FlippedQuanv2d
from replank.parts.linear import HamiltonianReuploadLinear


def pauli_sum_by_pennylane(theta: np.ndarray, n: int) -> np.ndarray:
    words = [qml.pauli.string_to_pauli_word(string) for string in pauli_strings(n)]
    return qml.matrix(qml.dot(theta, words), wire_order=range(n))


@pytest.mark.parametrize("n", [2, 3])
def test_pauli_sum(n):
    theta = torch.randn(4**n - 1, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    np.testing.assert_allclose(pauli_sum(theta).numpy(), pauli_sum_by_pennylane(theta.numpy(), n), atol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_reuploading_probabilities(n):
    torch.manual_seed(n)
    part = HamiltonianReuploadLinear(4**n - 3, 2**n, n_reps=2, dtype=torch.float64)
    x = torch.randn(4**n - 3, dtype=torch.float64)
    matrix = np.pad(x.numpy(), (0, 3)).reshape(2**n, 2**n)

    @qml.qnode(qml.device("default.qubit", wires=n))
    def circuit():
        for wire in range(n):
            qml.Hadamard(wire)
        for theta in part.theta.detach().numpy():
            data = qml.exp(qml.Hermitian((matrix + matrix.T) / 2, wires=range(n)), 1j / part.n_reps)
            qml.QubitUnitary(qml.matrix(data, wire_order=range(n)), wires=range(n))
            trained = qml.exp(qml.Hermitian(pauli_sum_by_pennylane(theta, n), wires=range(n)), 1j)
            qml.QubitUnitary(qml.matrix(trained, wire_order=range(n)), wires=range(n))
        return qml.probs(wires=range(n))

    np.testing.assert_allclose(part.probabilities(x).detach().numpy(), circuit(), atol=1e-10)


def test_flipped_quanvolution_is_the_expectation_value_of_the_patch():
    torch.manual_seed(0)
    part = FlippedQuanv2d(1, 1, bias=False, dtype=torch.float64)
    patch = torch.randn(1, 3, 3, dtype=torch.float64)
    matrix = np.pad(patch[0].numpy(), (0, 1))
    generator = pauli_sum_by_pennylane(part.theta[0, 0].detach().numpy(), 2)

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit():
        qml.QubitUnitary(qml.matrix(qml.exp(qml.Hermitian(generator, wires=[0, 1]), 1j)), wires=[0, 1])
        return qml.expval(qml.Hermitian((matrix + matrix.T) / 2, wires=[0, 1]))

    np.testing.assert_allclose(part(patch).item(), circuit(), atol=1e-10)
