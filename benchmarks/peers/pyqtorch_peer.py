"""pyqtorch: torch operations in complex64, backpropagation.

Tried: the three turns of a qubit merged into one matrix (kept), single gates, its U gate; expectation values by
observables, or Z on all qubits from the probabilities (kept).
"""

from __future__ import annotations

import pyqtorch as pyq
import torch

from .problem import LAYERS, ring
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    operations = [pyq.RY(qubit, f"x{qubit}") for qubit in range(n_qubits)]
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            names = [f"w{layer}_{qubit}_{turn}" for turn in range(3)]
            turns = [kind(qubit, name) for kind, name in zip((pyq.RZ, pyq.RY, pyq.RZ), names, strict=True)]
            operations.append(pyq.Merge(turns))
        operations += [pyq.CNOT(control, target) for control, target in ring(layer, n_qubits)]
    circuit = pyq.QuantumCircuit(n_qubits, operations).to(torch.complex64)

    def expectations(inputs, weights):
        values = {f"x{qubit}": inputs[:, qubit] for qubit in range(n_qubits)}
        values |= {
            f"w{layer}_{qubit}_{turn}": weights[layer, qubit, turn]
            for layer in range(n_layers)
            for qubit in range(n_qubits)
            for turn in range(3)
        }
        state = circuit.run(state=circuit.init_state(batch), values=values)
        probabilities = state.real**2 + state.imag**2  # the batch is the last axis
        others = (tuple(axis for axis in range(n_qubits) if axis != qubit) for qubit in range(n_qubits))
        return torch.stack([marginal[0] - marginal[1] for marginal in map(probabilities.sum, others)], 1)

    return TorchStep(expectations)
