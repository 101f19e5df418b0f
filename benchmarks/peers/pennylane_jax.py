"""PennyLane's default.qubit on JAX: jit over a vmapped QNode, Z on all qubits from the probabilities.

Tried: vmap against parameter broadcasting; expectation values one by one (slower from 10 qubits on).
"""

from __future__ import annotations

from .jax_step import JaxStep  # isort: skip  it tells XLA of its devices before JAX starts

import pennylane as qml

from .problem import LAYERS, signs


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> JaxStep:
    """The step; JAX computes in complex64 as long as its 64-bit mode is off."""
    eigenvalues = signs(n_qubits)

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="jax", diff_method="backprop")
    def probabilities(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(n_qubits))
        return qml.probs(wires=range(n_qubits))

    return JaxStep(lambda inputs, weights: probabilities(inputs, weights) @ eigenvalues)
