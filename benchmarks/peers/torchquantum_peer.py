"""TorchQuantum."""

from __future__ import annotations

import sys
from types import ModuleType

# Its data sets, which no step needs, import torchvision, which does not go with every build of torch.
sys.modules["torchquantum.dataset"] = ModuleType("torchquantum.dataset")

import torch
import torchquantum
from torch import Tensor
from torchquantum import functional

from .problem import LAYERS, Step, ring, signs
from .torch_step import TorchStep, probabilities


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> Step:
    """Gates of the functional interface, in complex64."""
    eigenvalues = torch.from_numpy(signs(n_qubits))

    def expectations(inputs: Tensor, weights: Tensor) -> Tensor:
        device = torchquantum.QuantumDevice(n_qubits, bsz=batch)
        for qubit in range(n_qubits):
            functional.ry(device, wires=qubit, params=inputs[:, qubit])
        for layer in range(n_layers):
            for qubit in range(n_qubits):
                functional.rot(device, wires=qubit, params=weights[layer, qubit][None])
            for pair in ring(layer, n_qubits):
                functional.cnot(device, wires=list(pair))
        return probabilities(device.get_states_1d()) @ eigenvalues

    return TorchStep(expectations)
