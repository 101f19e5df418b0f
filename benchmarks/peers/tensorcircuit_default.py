"""TensorCircuit-NG on JAX as its tutorials write it: gate by gate, the default contractor, jit and vmap, complex64."""

from __future__ import annotations

from .jax_step import JaxStep  # isort: skip  it tells XLA of its devices before JAX starts

import jax.numpy as jnp
import tensorcircuit as tc

from .problem import LAYERS, ring

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
        return jnp.stack([circuit.expectation_ps(z=[qubit]) for qubit in range(n_qubits)]).real

    return JaxStep(circuit)
