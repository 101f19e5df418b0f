"""The right answer, slowly: a state vector in NumPy and double precision, gradients by parameter shifts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .problem import Answer, Problem, ring, signs

Array = NDArray[np.float64]


def expectations(inputs: Array, weights: Array) -> Array:
    """<Z> of every sample and qubit, of shape (batch, n)."""
    batch, n_qubits = inputs.shape
    state = np.zeros((batch, *[2] * n_qubits), complex)
    state[:, *[0] * n_qubits] = 1
    for qubit in range(n_qubits):
        state = _turn(state, qubit, _ry(inputs[:, qubit]))
    for layer, angles in enumerate(weights):
        for qubit, (phi, theta, omega) in enumerate(angles):
            state = _turn(state, qubit, (_rz(omega) @ _ry(theta) @ _rz(phi))[None])
        for control, target in ring(layer, n_qubits):
            halves = np.moveaxis(state, control + 1, 0)  # a view
            axis = target + (target < control)  # of the target in a half, where the control's axis is gone
            halves[1] = np.flip(halves[1].copy(), axis)
    return np.abs(state.reshape(batch, -1)) ** 2 @ signs(n_qubits)


def answer(problem: Problem) -> Answer:
    """Expectations and both gradients of the loss."""
    inputs, weights, coefficients = (
        array.astype(float) for array in (problem.inputs, problem.weights, problem.coefficients)
    )
    of_inputs = np.stack(
        [
            _shifts(lambda angle, q=qubit: expectations(inputs + angle * np.eye(inputs.shape[1])[q], weights))
            for qubit in range(inputs.shape[1])
        ]
    )  # (qubit turned, batch, qubit measured)
    of_weights = np.zeros_like(weights)
    for index in np.ndindex(weights.shape):
        unit = np.zeros_like(weights)
        unit[index] = 1
        of_weights[index] = np.sum(
            coefficients * _shifts(lambda angle, unit=unit: expectations(inputs, weights + angle * unit))
        )
    return expectations(inputs, weights), np.einsum("tbq,bq->bt", of_inputs, coefficients), of_weights


def _shifts(function: Callable[[float], Array]) -> Array:
    """Derivative at 0 of a function of a rotation's angle, which is exact."""
    return (function(np.pi / 2) - function(-np.pi / 2)) / 2


def _ry(angle: Array) -> Array:
    cosine, sine = np.cos(angle / 2), np.sin(angle / 2)
    return np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), (0, 1), (-2, -1))


def _rz(angle: float) -> NDArray[np.complex128]:
    return np.diag(np.exp([-0.5j * angle, 0.5j * angle]))


def _turn(state: NDArray[np.complex128], qubit: int, matrices: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Act on a qubit, with a matrix for each sample or one for all."""
    halves = np.moveaxis(state, qubit + 1, 1)
    turned = np.einsum("bij,bj...->bi...", np.broadcast_to(matrices, (len(state), 2, 2)), halves)
    return np.moveaxis(turned, 1, qubit + 1)
