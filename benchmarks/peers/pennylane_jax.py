"""PennyLane's default.qubit on JAX: jit over a vmapped QNode, Z on all qubits from the probabilities.

Tried: vmap against parameter broadcasting; expectation values one by one (slower from 10 qubits on).
"""

from __future__ import annotations

from .jax_step import JaxStep  # isort: skip  it tells XLA of its devices before JAX starts

import numpy as np
import pennylane as qml

from .problem import LAYERS


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> JaxStep:
    """The step; JAX computes in complex64 as long as its 64-bit mode is off."""
    bits = np.arange(2**n_qubits)[:, None] >> np.arange(n_qubits - 1, -1, -1) & 1
    signs = (1 - 2 * bits).astype(np.float32)

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="jax", diff_method="backprop")
    def probabilities(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(n_qubits))
        return qml.probs(wires=range(n_qubits))

    return JaxStep(lambda inputs, weights: probabilities(inputs, weights) @ signs)
