"""PennyLane's lightning.qubit: C++ kernels in complex64, adjoint differentiation, torch around it.

Most of a step is PennyLane's own work for each sample. Tried: gates that the device has itself, so that none need be
decomposed (kept: a third less), or templates; observables in parallel (``batch_obs``: no difference); the batch as a
broadcast parameter (kept) or in a loop; the device's own vector-Jacobian product (kept from 10 qubits on; below, the
Jacobian of all observables is faster); no cache (kept).
"""

from __future__ import annotations

import numpy as np
import pennylane as qml
import torch
from torch import Tensor

from .problem import LAYERS, ring
from .torch_step import TorchStep

WIDE = 10
"""Qubits from which one vector-Jacobian product is faster than the Jacobian."""


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step."""
    device = qml.device("lightning.qubit", wires=n_qubits, c_dtype=np.complex64)

    @qml.qnode(device, interface="torch", diff_method="adjoint", device_vjp=n_qubits >= WIDE, cache=False)
    def circuit(inputs: Tensor, weights: Tensor) -> list[Tensor]:
        for qubit in range(n_qubits):
            qml.RY(inputs[:, qubit], wires=qubit)
        for layer in range(n_layers):
            for qubit in range(n_qubits):
                phi, theta, omega = weights[layer, qubit]
                qml.RZ(phi, wires=qubit)
                qml.RY(theta, wires=qubit)
                qml.RZ(omega, wires=qubit)
            for pair in ring(layer, n_qubits):
                qml.CNOT(wires=pair)
        return [qml.expval(qml.Z(qubit)) for qubit in range(n_qubits)]

    return TorchStep(lambda inputs, weights: torch.stack(circuit(inputs, weights), 1).float())
