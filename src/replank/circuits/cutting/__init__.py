"""Cutting circuits: run a wide circuit as several narrower ones and put their results together.

Example:
    >>> import torch
    >>> from replank.circuits import Circuit, Z, theta
    >>> from replank.circuits.cutting import cut, find_cuts
    >>> circuit = Circuit(4).ry(theta[0], 0).cnot(0, 1).ry(theta[1], 1).cnot(1, 2).ry(theta[2], 2).cnot(2, 3)
    >>> pieces = cut(circuit, Z(0) @ Z(3), find_cuts(circuit, max_qubits=3))
    >>> pieces.widest, pieces.overhead
    (3, 9.0)
    >>> round(pieces.run(torch.zeros(1, 0), torch.tensor([0.1, 0.0, 0.0])).item(), 4)  # as uncut: cos(0) = 1
    1.0
"""

from replank.circuits.cutting.bases import Basis
from replank.circuits.cutting.cuts import Cut, GateCut, WireCut
from replank.circuits.cutting.estimator import CutEstimator
from replank.circuits.cutting.fragments import Fragment
from replank.circuits.cutting.layer import CutQuantumLayer
from replank.circuits.cutting.planner import find_cuts
from replank.circuits.cutting.pool import local_pool
from replank.circuits.cutting.reconstruct import CutCircuit, cut
from replank.circuits.cutting.sampling import measured_results, quasi_probability_estimate
from replank.circuits.cutting.tasks import ExecutionCount, Result, Run, Task, counting_executions, execute, execute_all

__all__ = [
    "Basis",
    "Cut",
    "CutCircuit",
    "CutEstimator",
    "CutQuantumLayer",
    "ExecutionCount",
    "Fragment",
    "GateCut",
    "Result",
    "Run",
    "Task",
    "WireCut",
    "counting_executions",
    "cut",
    "execute",
    "execute_all",
    "find_cuts",
    "local_pool",
    "measured_results",
    "quasi_probability_estimate",
]
