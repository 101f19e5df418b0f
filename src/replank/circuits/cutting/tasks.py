"""What runs the fragments: tasks that any executor can take, and their results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.observables import PauliSum
from replank.circuits.plan import Plan

Run = Callable[[Circuit, Sequence[PauliSum], Tensor, Tensor], Tensor]
"""From a circuit, K observables, features ``(B, n_features)`` and parameters ``(n_parameters,)`` to ``(B, K)``."""


@dataclass(frozen=True, eq=False)
class Task:
    """One circuit to run, with what to measure on it; small, and can be pickled.

    Its angles name features and parameters by the same indices as the circuit that was cut.
    """

    circuit: Circuit
    observables: tuple[PauliSum, ...]

    @functools.cached_property
    def plan(self) -> Plan:
        """The circuit made ready to run, once."""
        return self.circuit.plan(self.observables)

    def __getstate__(self) -> dict[str, object]:
        # a plan is made anew where the task arrives: it holds what is compiled for this process
        return {"circuit": self.circuit, "observables": self.observables}


@dataclass(frozen=True, eq=False)
class Result:
    """What a task gave.

    Args:
        values: expectation values, ``(B, n_observables)``.
        n_qubits: width of the circuit that ran.
    """

    values: Tensor
    n_qubits: int


def execute(task: Task, features: Tensor, parameters: Tensor, run: Run | None = None) -> Result:
    """Run one task; all arguments and the result can be pickled, so that it can happen in another process.

    Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``, of the circuit that was cut.

    Args:
        task: what to run.
        features: of each sample.
        parameters: shared by all samples.
        run: what runs the task's circuit with the features and parameters that it takes; its plan if not given.
    """
    circuit = task.circuit
    features, parameters = features[:, : circuit.n_features], parameters[: circuit.n_parameters]
    values = task.plan(features, parameters) if run is None else run(circuit, task.observables, features, parameters)
    return Result(values, circuit.n_qubits)
