"""What runs the fragments: tasks that any executor can take, and their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.circuits import reference
from replank.circuits.circuit import Circuit
from replank.circuits.gates import pauli_matrix
from replank.circuits.observables import PauliSum

Run = Callable[[Circuit, Sequence[PauliSum], Tensor, Tensor], Tensor]
"""From a circuit, K observables, features ``(B, n_features)`` and parameters ``(n_parameters,)`` to ``(B, K)``."""


@dataclass(frozen=True)
class Task:
    """One circuit to run, with what to measure on it; small, and can be pickled.

    Its angles name features and parameters by the same indices as the circuit that was cut.
    """

    circuit: Circuit
    observables: tuple[PauliSum, ...]


@dataclass(frozen=True, eq=False)
class Result:
    """What a task gave.

    Args:
        values: expectation values, ``(B, n_observables)``.
        n_qubits: width of the circuit that ran.
    """

    values: Tensor
    n_qubits: int


def run_circuit(circuit: Circuit, observables: Sequence[PauliSum], features: Tensor, parameters: Tensor) -> Tensor:
    """Expectation values of a whole circuit, ``(B, n_observables)``; differentiable.

    Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``.
    """
    states = reference.state(circuit, features, parameters)
    return torch.stack([_expectation(observable, states) for observable in observables], dim=1)


def _expectation(observable: PauliSum, states: Tensor) -> Tensor:
    total = torch.zeros_like(states[:, 0].real)
    for word, coefficient in observable.terms:
        turned = states
        for wire, letter in word:
            turned = reference.apply(turned, pauli_matrix(letter).to(states), (wire,))
        total = total + coefficient * (states.conj() * turned).sum(1).real
    return total


def execute(task: Task, features: Tensor, parameters: Tensor, run: Run = run_circuit) -> Result:
    """Run one task; all arguments and the result can be pickled, so that it can happen in another process.

    Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``.
    """
    return Result(run(task.circuit, task.observables, features, parameters), task.circuit.n_qubits)
