"""DeepQuantum: torch operations in complex64, backpropagation, the batch by its own vmap.

Weights are encoded like inputs, the same for all samples: as its own parameters they would not be an argument.
"""

from __future__ import annotations

import deepquantum as dq
import torch

from .problem import LAYERS, ring
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    circuit = dq.QubitCircuit(n_qubits)
    for qubit in range(n_qubits):
        circuit.ry(qubit, encode=True)
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            circuit.rz(qubit, encode=True)
            circuit.ry(qubit, encode=True)
            circuit.rz(qubit, encode=True)
        for control, target in ring(layer, n_qubits):
            circuit.cnot(control, target)
    for qubit in range(n_qubits):
        circuit.observable(qubit, "z")

    def expectations(inputs, weights):
        circuit(torch.cat((inputs, weights.flatten().expand(len(inputs), -1)), 1))
        return circuit.expectation()

    return TorchStep(expectations)
