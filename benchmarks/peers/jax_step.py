"""A step through JAX: value and gradients, compiled, the batch shared out among the threads."""

from __future__ import annotations

import os
from collections.abc import Callable

from .problem import THREADS, Answer, Problem

# XLA runs one step of such a circuit on one core; as many devices as threads, each with a part of the batch, make it
# use all. It must be said before JAX starts.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={THREADS}"

import jax
from jax import Array
from jax.sharding import NamedSharding, PartitionSpec

WORTHWHILE = 2**14
"""Amplitudes of the whole batch from which sharing the batch out among devices pays."""


class JaxStep:
    """The step of a library whose circuit is a JAX function.

    Args:
        circuit: from the inputs (n,) of one sample and the weights (layers, n, 3) to expectations (n,).
    """

    def __init__(self, circuit: Callable[[Array, Array], Array]):
        def loss(inputs: Array, weights: Array, coefficients: Array) -> tuple[Array, Array]:
            expectations = jax.vmap(circuit, in_axes=(0, None))(inputs, weights)
            return (coefficients * expectations).sum(), expectations

        self.gradients = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))

    def prepare(self, problem: Problem) -> None:
        """Lay the samples, and a copy of the weights, on every device."""
        batch, n_qubits = problem.inputs.shape
        devices = THREADS if batch % THREADS == 0 and batch * 2**n_qubits >= WORTHWHILE else 1
        mesh = jax.make_mesh((devices,), ("samples",), devices=jax.devices()[:devices])
        samples, whole = NamedSharding(mesh, PartitionSpec("samples")), NamedSharding(mesh, PartitionSpec())
        self.arrays = jax.device_put((problem.inputs, problem.weights, problem.coefficients), (samples, whole, samples))

    def __call__(self) -> Answer:
        """Expectations, and the gradients of the loss."""
        (_, expectations), gradients = jax.block_until_ready(self.gradients(*self.arrays))
        return expectations, *gradients
