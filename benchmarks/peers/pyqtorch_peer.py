"""pyqtorch: torch operations in complex64, backpropagation.

Tried: the three turns of a qubit as its gate U (kept), merged into one matrix, as single gates; expectation values by
observables, or Z on all qubits from the probabilities (kept).
"""

from __future__ import annotations

import pyqtorch as pyq
import torch
from torch import Tensor

from .problem import LAYERS, ring, signs
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    operations = [pyq.RY(qubit, f"x{qubit}") for qubit in range(n_qubits)]
    names = {}
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            names[layer, qubit] = [f"{angle}{layer}_{qubit}" for angle in ("phi", "theta", "omega")]
            operations.append(pyq.U(qubit, *names[layer, qubit]))
        operations += [pyq.CNOT(*pair) for pair in ring(layer, n_qubits)]
    circuit = pyq.QuantumCircuit(n_qubits, operations).to(torch.complex64)
    zero, eigenvalues = circuit.init_state(batch), torch.from_numpy(signs(n_qubits))

    def expectations(inputs: Tensor, weights: Tensor) -> Tensor:
        values = {f"x{qubit}": inputs[:, qubit] for qubit in range(n_qubits)}
        for place, turns in names.items():
            values.update(zip(turns, weights[place], strict=True))
        state = circuit.run(zero, values).reshape(2**n_qubits, batch)  # samples are its last axis
        return (state.real**2 + state.imag**2).T @ eigenvalues

    return TorchStep(expectations)
