"""TensorCircuit-NG on JAX: jit and vmap, complex64, a qubit's three turns made one matrix before they are contracted.

Tried: contractors "greedy" (default), "plain-experimental" with 1 to 6 local steps, "greedy" with primitives, cotengra
with 32 paths by flops, writes and both ("combo", kept: up to four times faster from 12 qubits on); gates one by one
(half as fast); expectation values one by one instead of from the state (slower); checkpointing. Samples are shared out
among as many devices as threads: see ``jax_step.py``.
"""

from __future__ import annotations

from .jax_step import JaxStep  # isort: skip  it tells XLA of its devices before JAX starts

import cotengra
import jax
import jax.numpy as jnp
import tensorcircuit as tc

from .problem import LAYERS, ring

tc.set_backend("jax")
tc.set_dtype("complex64")


def build(n_qubits: int, batch: int, n_layers: int = LAYERS) -> JaxStep:
    """The step with a path found by cotengra."""
    path = cotengra.ReusableHyperOptimizer(
        methods=["greedy"], parallel=False, minimize="combo", max_time=None, max_repeats=32, progbar=False, seed=0
    )
    tc.set_contractor("custom", optimizer=path, preprocessing=True)

    def state(inputs, weights):
        circuit, turns = tc.Circuit(n_qubits), _turns(weights)
        for qubit in range(n_qubits):
            circuit.ry(qubit, theta=inputs[qubit])
        for layer in range(n_layers):
            for qubit in range(n_qubits):
                circuit.unitary(qubit, unitary=turns[layer, qubit])
            for control, target in ring(layer, n_qubits):
                circuit.cnot(control, target)
        return circuit.state()

    return JaxStep(lambda inputs, weights: z_of_all(state(inputs, weights), n_qubits))


def _turns(weights):
    """RZ(omega) RY(theta) RZ(phi) for weights (..., 3)."""
    phi, theta, omega = weights[..., 0], weights[..., 1], weights[..., 2]
    c, s = jnp.cos(theta / 2), jnp.sin(theta / 2)
    plus, minus = (phi + omega) / 2, (phi - omega) / 2

    def phase(angle):
        return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))

    rows = [[phase(-plus) * c, -phase(minus) * s], [phase(-minus) * s, phase(plus) * c]]
    return jnp.stack([jnp.stack(row, -1) for row in rows], -2)


def z_of_all(state, n_qubits):
    """<Z> of every qubit, from amplitudes (2^n,)."""
    probabilities = (state.real**2 + state.imag**2).reshape((2,) * n_qubits)
    others = (tuple(axis for axis in range(n_qubits) if axis != qubit) for qubit in range(n_qubits))
    return jnp.stack([marginal[0] - marginal[1] for marginal in map(probabilities.sum, others)])
