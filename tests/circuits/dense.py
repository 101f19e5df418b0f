"""Primitives as dense matrices, from exponentials, controls and Kronecker products alone."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import scipy.linalg

from replank.circuits.gates import pauli_matrix
from replank.circuits.primitives import Cnot, Exchange, Flip, Matrix, Primitive, Project, Turn

_X = np.eye(2)[::-1]
EXCHANGE = np.eye(4)[[0, 2, 1, 3]]


def generated(hermitian: np.ndarray, angle: float) -> np.ndarray:
    """``exp(-i angle/2 H)``."""
    return scipy.linalg.expm(-0.5j * angle * hermitian)


def under_control(matrix: np.ndarray) -> np.ndarray:
    return scipy.linalg.block_diag(np.eye(len(matrix)), matrix)


def on_all(matrix: np.ndarray, wires: tuple[int, ...], n: int) -> np.ndarray:
    """A matrix on some of n qubits as one on all of them: entry by entry, from the bits of rows and columns."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1
    own = bits[:, list(wires)] @ (1 << np.arange(len(wires) - 1, -1, -1))
    rest = np.delete(bits, list(wires), axis=1)
    same = (rest[:, None] == rest[None]).all(-1)
    return matrix[own[:, None], own[None]] * same


def local(primitive: Primitive) -> tuple[np.ndarray, tuple[int, ...]]:
    """A primitive's matrix by its definition, and the wires that it acts on."""
    match primitive:
        case Turn(word, angle, controls):
            letters = "".join(letter for _, letter in word)
            inner = generated(pauli_matrix(letters).numpy(), angle.constant)
            matrix = functools.reduce(lambda block, _: under_control(block), controls, inner)
            return matrix, controls + tuple(wire for wire, _ in word)
        case Flip(wire):
            return _X, (wire,)
        case Cnot(control, target):
            return under_control(_X), (control, target)
        case Exchange(one, other):
            return EXCHANGE, (one, other)
        case Matrix(wires, matrix):
            return matrix, wires
        case Project(wire, value):
            return np.diag([1 - value, value]), (wire,)
    raise AssertionError(primitive)


def product(primitives: Iterable[Primitive], n: int) -> np.ndarray:
    """The matrix of primitives that act one after the other."""
    matrices = (on_all(*local(primitive), n) for primitive in primitives)
    return functools.reduce(lambda total, each: each @ total, matrices, np.eye(2**n, dtype=complex))


def evolved(primitives: Iterable[Primitive], n: int) -> np.ndarray:
    """What primitives make of n qubits in 0, ``(2, 2, ..., 2)``; not normalised after projections."""
    state = np.zeros([2] * n, dtype=complex)
    state[(0,) * n] = 1
    for primitive in primitives:
        matrix, wires = local(primitive)
        k = len(wires)
        tensor = matrix.reshape([2] * (2 * k))
        state = np.moveaxis(np.tensordot(tensor, state, axes=(range(k, 2 * k), wires)), range(k), wires)
    return state


def reduced(state: np.ndarray, kept: tuple[int, ...]) -> np.ndarray:
    """The density matrix of some qubits of a state, of trace 1."""
    rows = np.moveaxis(state, kept, range(len(kept))).reshape(2 ** len(kept), -1)
    rho = rows @ rows.conj().T
    return rho / np.trace(rho)
