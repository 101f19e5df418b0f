"""PennyLane's lightning.qubit: C++ kernels in complex64, adjoint differentiation, torch around it.

Tried: observables in parallel (`batch_obs`), the batch as a broadcast parameter (kept) or in a loop, the device's own
vector-Jacobian product (kept).
"""

from __future__ import annotations

import numpy as np
import pennylane as qml
import torch

from .problem import LAYERS
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    device = qml.device("lightning.qubit", wires=n_qubits, c_dtype=np.complex64)

    @qml.qnode(device, interface="torch", diff_method="adjoint", device_vjp=True)
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(n_qubits))
        return [qml.expval(qml.Z(qubit)) for qubit in range(n_qubits)]

    return TorchStep(lambda inputs, weights: torch.stack(circuit(inputs, weights), 1).float())
