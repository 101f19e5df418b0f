"""The step that every library takes, and how its answer is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

LAYERS = 3
SIZES = ((4, 256), (8, 256), (10, 128), (12, 64), (16, 16), (20, 1))
"""Number of qubits, and of samples."""

THREADS = 2

Answer = tuple[Any, Any, Any]
"""Expectations (batch, n), gradient of the inputs (batch, n), gradient of the weights (layers, n, 3)."""


class Step(Protocol):
    """A whole step of training: expectations, loss, gradients."""

    def prepare(self, problem: Problem) -> None:
        """Make the library's own arrays of the problem's; not timed."""

    def __call__(self) -> Answer:
        """Do the step and return when it is done; `numpy.asarray` takes what is returned."""


@dataclass(frozen=True)
class Problem:
    """RY angle embedding, strongly entangling layers, Z on every qubit, and a loss.

    Qubit q starts in RY(inputs[b, q])|0>. A layer turns every qubit by RZ(omega) RY(theta) RZ(phi), with
    (phi, theta, omega) = weights[layer, q], and then entangles the qubits by `ring`. The loss is the sum of
    coefficients[b, q] <Z_q>_b over the batch and the qubits.

    Args:
        inputs: angles, of shape (batch, n).
        weights: angles, of shape (layers, n, 3).
        coefficients: of shape (batch, n).
    """

    inputs: NDArray[np.float32]
    weights: NDArray[np.float32]
    coefficients: NDArray[np.float32]

    @classmethod
    def draw(cls, n_qubits: int, batch: int, n_layers: int = LAYERS, seed: int = 0) -> Self:
        """Angles between 0 and 2π, coefficients from the normal distribution."""
        random = np.random.default_rng(seed)
        inputs = random.uniform(0, 2 * np.pi, (batch, n_qubits))
        weights = random.uniform(0, 2 * np.pi, (n_layers, n_qubits, 3))
        coefficients = random.normal(size=(batch, n_qubits))
        return cls(*(array.astype(np.float32) for array in (inputs, weights, coefficients)))


def ring(layer: int, n_qubits: int) -> Iterator[tuple[int, int]]:
    """Controls and targets of a layer's CNOTs, in their order: PennyLane's ``StronglyEntanglingLayers``."""
    if n_qubits > 1:
        distance = layer % (n_qubits - 1) + 1
        yield from ((qubit, (qubit + distance) % n_qubits) for qubit in range(n_qubits))


def signs(n_qubits: int) -> NDArray[np.float32]:
    """Eigenvalues of Z on every qubit, of shape (2^n, n): expectations are probabilities times this.

    Libraries that measure one Z after the other are slower than this product, so all that can hand out their
    probabilities or their state are granted it.
    """
    bits = np.arange(2**n_qubits)[:, None] >> np.arange(n_qubits)[::-1] & 1
    return (1 - 2 * bits).astype(np.float32)
