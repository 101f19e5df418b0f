"""PennyLane's default.qubit on torch: backpropagation, the batch as one broadcast parameter.

Tried: starting from a complex64 state (kept: faster from 8 qubits on), Z on all qubits from the probabilities instead
of one by one, templates against single gates.
"""

from __future__ import annotations

import pennylane as qml
import torch

from .problem import LAYERS, signs
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    start = torch.zeros(2**n_qubits, dtype=torch.complex64)
    start[0] = 1
    eigenvalues = torch.from_numpy(signs(n_qubits))

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="torch", diff_method="backprop")
    def probabilities(inputs, weights):
        qml.StatePrep(start, wires=range(n_qubits), validate_norm=False)
        qml.AngleEmbedding(inputs, wires=range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(n_qubits))
        return qml.probs(wires=range(n_qubits))

    return TorchStep(lambda inputs, weights: probabilities(inputs, weights).float() @ eigenvalues)
