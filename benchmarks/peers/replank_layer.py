"""replank: the circuit's plan through torch, on the compiled core."""

from __future__ import annotations

from replank.circuits import Circuit
from replank.circuits.templates import angle_embedding, strongly_entangling_layers

from .problem import LAYERS
from .torch_step import TorchStep


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> TorchStep:
    """The step; nothing is tried out, the plan chooses its layout by itself."""
    circuit = Circuit(n_qubits)
    circuit.extend(angle_embedding(n_qubits, rotation="RY"))
    circuit.extend(strongly_entangling_layers(n_qubits, n_layers))
    plan = circuit.plan()
    return TorchStep(lambda inputs, weights: plan(inputs, weights.flatten()))
