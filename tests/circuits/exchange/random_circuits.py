"""Random circuits over everything that can be exchanged, and how two of them are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.stats
import torch
from hypothesis import strategies as st
from torch import Tensor

from replank.circuits import Circuit, reference, theta, x
from replank.circuits.angle import Angle, arctan, as_angle, cos, exp, sqrt, tanh
from replank.circuits.gates import GATES
from replank.circuits.operations import Diagonal, Gate, Measure, Operation, PauliRotation, Reset, Unitary

FEATURES = torch.tensor([0.3, -1.1], dtype=torch.float64)
PARAMETERS = torch.tensor([0.7, 2.3, -0.4], dtype=torch.float64)
ARITHMETIC = (theta[0], -0.5 * theta[1] + x[1] - 2, theta[2] * x[0] + 0.1)
SYMBOLS = (
    *ARITHMETIC,
    sqrt(theta[1]) * arctan(x[0]),
    2 / (theta[0] + 3),
    tanh(theta[2] - x[0]) ** 2,
    1e-5 * cos(x[1]) - exp(-theta[0]),
)
numbers = st.floats(-2 * math.pi, 2 * math.pi).map(as_angle)


def wires_of(n_qubits: int, n_wires: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.permutations(range(n_qubits)).map(lambda order: tuple(order[:n_wires]))


@st.composite
def unitary_operations(draw: st.DrawFn, n_qubits: int, angles: st.SearchStrategy) -> Operation:
    """A gate of every kind, a rotation, a matrix or a diagonal."""
    name = draw(st.sampled_from([*GATES, "Pauli", "Unitary", "Diagonal"]))
    n_wires = GATES[name].n_wires if name in GATES else draw(st.integers(1, n_qubits))
    wires = draw(wires_of(n_qubits, n_wires))
    if name in GATES:
        return Gate(name=name, wires=wires, angles=tuple(draw(angles) for _ in range(GATES[name].n_angles)))
    if name == "Pauli":
        return PauliRotation(
            letters=draw(st.text("IXYZ", min_size=n_wires, max_size=n_wires)), angle=draw(angles), wires=wires
        )
    seed = draw(st.integers(0, 99))
    if name == "Unitary":
        return Unitary(matrix=scipy.stats.unitary_group.rvs(2**n_wires, random_state=seed), wires=wires)
    return Diagonal(phases=np.random.default_rng(seed).normal(size=2**n_wires), wires=wires)


def circuits(*, symbols: Sequence[Angle] = (), n_qubits: int = 3) -> st.SearchStrategy[Circuit]:
    """Unitary circuits whose angles are numbers and ``symbols``."""
    angles = st.one_of(numbers, st.sampled_from(symbols)) if symbols else numbers
    return st.lists(unitary_operations(n_qubits, angles), max_size=8).map(lambda each: Circuit(n_qubits, each))


@st.composite
def measured_circuits(draw: st.DrawFn, n_qubits: int = 3) -> Circuit:
    """Circuits with measurements, resets and gates that depend on measurements."""
    circuit = Circuit(n_qubits)
    keys: list[str] = []
    for number in range(draw(st.integers(2, 8))):
        kind = draw(st.sampled_from(["gate", "gate", "measure", "reset", "prepare"]))
        if kind == "measure":
            keys.append(draw(st.sampled_from([f"m{number}", f"parity {number}", f"if[{number}]"])))
            circuit.append(Measure(key=keys[-1], wires=draw(wires_of(n_qubits, 1))))
        elif kind == "reset":
            circuit.append(Reset(wires=draw(wires_of(n_qubits, 1))))
        elif kind == "prepare" and number == 0:
            circuit.prepare_amplitudes([0.6, 0.0, 0.48j, 0.64], (2, 0)).prepare_product([[0.8, -0.6j]], (1,))
        else:
            operation = draw(unitary_operations(n_qubits, numbers))
            when = draw(st.sampled_from([None, *keys]))
            circuit.append(type(operation)(**{**vars(operation), "when": when}))
    return circuit


def unitary(circuit: Circuit) -> Tensor:
    """The matrix at :data:`FEATURES` and :data:`PARAMETERS`."""
    return reference.unitary(circuit, FEATURES, PARAMETERS)


def final_state(circuit: Circuit) -> Tensor:
    """The final density matrix at :data:`FEATURES` and :data:`PARAMETERS`."""
    return reference.density_matrix(circuit, FEATURES, PARAMETERS)


def assert_same_unitary(one: Circuit, other: Circuit) -> None:
    torch.testing.assert_close(unitary(one), unitary(other), rtol=0, atol=ATOL)


def assert_same_up_to_phase(one: Circuit, other: Circuit) -> None:
    overlap = (unitary(one).conj() * unitary(other)).sum().abs()
    torch.testing.assert_close(overlap, torch.tensor(2.0**one.n_qubits, dtype=torch.float64), rtol=0, atol=ATOL)


def assert_same_state(one: Circuit, other: Circuit) -> None:
    torch.testing.assert_close(final_state(one), final_state(other), rtol=0, atol=ATOL)


# torch.matrix_exp, by which the reference turns Pauli strings, is only that good on single matrices
ATOL = 1e-8
