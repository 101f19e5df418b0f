"""What runs the fragments: tasks that any executor can take, and their results."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.cost import counting_operations
from replank.circuits.observables import PauliSum
from replank.circuits.plan import Plan
from replank.circuits.shots import group

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

    @functools.cached_property
    def settings(self) -> tuple[tuple[int, ...], ...]:
        """Places of the observables, single Pauli strings, that one measurement of all qubits gives together."""
        words = [word for observable in self.observables for word, _ in observable.terms]
        return tuple(tuple(places) for _, places in group(words))

    def executions(self) -> tuple[Task, ...]:
        """The task as a device runs it: the circuit once for each of its settings."""
        return tuple(Task(self.circuit, tuple(self.observables[each] for each in places)) for places in self.settings)

    def joined(self, results: Sequence[Result]) -> Result:
        """The task's result from those of its executions."""
        order = torch.tensor([place for places in self.settings for place in places]).argsort()
        values = torch.cat([result.values for result in results], dim=1)
        return Result(values[:, order.to(values.device)], self.circuit.n_qubits)

    def __getstate__(self) -> dict[str, object]:
        # a plan is made anew where the task arrives: it holds what is compiled for this process
        return {"circuit": self.circuit, "observables": self.observables}


@dataclass(frozen=True, eq=False)
class Result:
    """What a task gave.

    Args:
        values: expectation values, ``(B, n_observables)``.
        n_qubits: width of the circuit that ran.
        simulated: qubits of the largest register that our simulator held for it; 0 if something else ran it.
        process: id of the process that it ran in; 0 if it did not run as such.
    """

    values: Tensor
    n_qubits: int
    simulated: int = 0
    process: int = 0


@dataclass
class ExecutionCount:
    """What ran while it was counted.

    Attributes:
        executions: circuits with a setting to measure, as a device runs them.
        widest: qubits of the widest circuit.
        simulated: qubits of the largest register that our simulator held.
        processes: the processes that they ran in.
    """

    executions: int = 0
    widest: int = 0
    simulated: int = 0
    processes: set[int] = field(default_factory=set)

    def add(self, task: Task, result: Result) -> None:
        """Count one task."""
        self.executions += len(task.settings)
        self.widest = max(self.widest, result.n_qubits)
        self.simulated = max(self.simulated, result.simulated)
        self.processes.add(result.process)


_ACTIVE: ContextVar[ExecutionCount | None] = ContextVar("execution count", default=None)


@contextmanager
def counting_executions() -> Iterator[ExecutionCount]:
    """Count what all cut circuits run in the block, wherever it runs."""
    count = ExecutionCount()
    token = _ACTIVE.set(count)
    try:
        yield count
    finally:
        _ACTIVE.reset(token)


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
    with counting_operations() as count:
        values = (
            task.plan(features, parameters) if run is None else run(circuit, task.observables, features, parameters)
        )
    return Result(values, circuit.n_qubits, count.widest, os.getpid())


def execute_all(
    tasks: Sequence[Task],
    features: Tensor,
    parameters: Tensor,
    *,
    runs: Sequence[Run | None] | None = None,
    executor: Executor | None = None,
) -> list[Result]:
    """Run tasks: here one after the other, or each by itself wherever an executor takes it.

    Args:
        tasks: what to run.
        features: of each sample.
        parameters: shared by all samples.
        runs: what runs each task's circuit; their plans if not given.
        executor: any of Python's interface: a pool of processes, a cluster's. Tasks travel as pickles with plain
            arrays, and results are not differentiable.
    """
    runs = [None] * len(tasks) if runs is None else runs
    if executor is None:
        results = [execute(task, features, parameters, run) for task, run in zip(tasks, runs, strict=True)]
    else:
        x, theta = features.numpy(force=True), parameters.numpy(force=True)
        futures = [executor.submit(_elsewhere, task, x, theta, run) for task, run in zip(tasks, runs, strict=True)]
        found = [future.result() for future in futures]
        results = [Result(torch.from_numpy(values).to(features), *facts) for values, *facts in found]
    count = _ACTIVE.get()
    if count is not None:
        for task, result in zip(tasks, results, strict=True):
            count.add(task, result)
    return results


def _elsewhere(
    task: Task, features: NDArray[np.floating], parameters: NDArray[np.floating], run: Run | None
) -> tuple[NDArray[np.floating], int, int, int]:
    """As :func:`execute`, with arrays: tensors would be shared as files, of which a process has few."""
    with torch.no_grad():
        result = execute(task, torch.from_numpy(features), torch.from_numpy(parameters), run)
    return result.values.numpy(), result.n_qubits, result.simulated, result.process
