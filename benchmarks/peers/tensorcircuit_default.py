"""TensorCircuit-NG on JAX as one writes it first: gate by gate, the default contractor, jit and vmap, complex64.

Expectation values come from the state: one by one they take minutes to compile from eight qubits on.
"""

from __future__ import annotations

from .jax_step import JaxStep  # isort: skip  it tells XLA of its devices before JAX starts

import tensorcircuit as tc

from .problem import LAYERS, ring
from .tensorcircuit_jax import z_of_all

tc.set_backend("jax")
tc.set_dtype("complex64")


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> JaxStep:
    """The step."""
    tc.set_contractor("greedy")

    def circuit(inputs, weights):
        circuit = tc.Circuit(n_qubits)
        for qubit in range(n_qubits):
            circuit.ry(qubit, theta=inputs[qubit])
        for layer in range(n_layers):
            for qubit in range(n_qubits):
                phi, theta, omega = weights[layer, qubit]
                circuit.rz(qubit, theta=phi)
                circuit.ry(qubit, theta=theta)
                circuit.rz(qubit, theta=omega)
            for control, target in ring(layer, n_qubits):
                circuit.cnot(control, target)
        return z_of_all(circuit.state(), n_qubits)

    return JaxStep(circuit)
