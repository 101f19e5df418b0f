"""Gradients as a device can measure them: from the circuit itself at shifted angles.

An angle that turns by ``exp(-i a/2 G)`` with ``G^2 = 1`` enters expectation values as ``c + A cos(a) + B sin(a)``,
whose derivative two shifts give. A controlled rotation's generator has the eigenvalue 0 besides: half the frequency
comes in, and four shifts are needed. All shifts of all samples are one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from replank.circuits.angle import Angle, x
from replank.circuits.circuit import Circuit
from replank.circuits.operations import Gate, Operation, PauliRotation, PostSelect, PrepareAmplitudes
from replank.circuits.slots import Slots

Rule = tuple[tuple[float, float], ...]
"""Shifts with their weights: the derivative at a is ``sum weight * f(a + shift)``."""

TWO_TERM: Rule = ((pi / 2, 1 / 2), (-pi / 2, -1 / 2))
_NEAR, _FAR = (sqrt(2) + 1) / (4 * sqrt(2)), (sqrt(2) - 1) / (4 * sqrt(2))
FOUR_TERM: Rule = ((pi / 2, _NEAR), (-pi / 2, -_NEAR), (3 * pi / 2, -_FAR), (-3 * pi / 2, _FAR))
FOUR_TERM_GATES = ("CRX", "CRY", "CRZ")


class Shiftable:
    """A circuit whose angles are features: one for each angle of each operation, numbers apart.

    Args:
        circuit: what is to be differentiated.

    Raises:
        ValueError: the circuit post-selects: a quotient of expectation values has no shift rule.
    """

    def __init__(self, circuit: Circuit):
        self._angles: list[Angle] = []
        self._rules: list[Rule] = []
        self.circuit = Circuit(circuit.n_qubits, [self._slotted(operation) for operation in circuit])
        self._slots = Slots(self._angles, circuit.n_features, circuit.n_parameters)
        self._matrices = self._slots.matrices()
        kinds = [{variable.kind for variable in angle.variables()} for angle in self._angles]
        self._by_feature, self._by_parameter = ([kind in each for each in kinds] for kind in ("x", "theta"))

    def _slotted(self, operation: Operation) -> Operation:
        match operation:
            case PostSelect():
                raise ValueError(
                    "parameter_shift: the circuit must not post-select, got PostSelect. Use the adjoint gradient."
                )
            case Gate(name=name, angles=angles):
                rule = FOUR_TERM if name in FOUR_TERM_GATES else TWO_TERM
                return replace(operation, angles=tuple(self._slot(angle, rule) for angle in angles))
            case PauliRotation(angle=angle):
                return replace(operation, angle=self._slot(angle, TWO_TERM))
            case PrepareAmplitudes() if operation.angles:
                return replace(operation, amplitudes=tuple(self._slot(angle, ()) for angle in operation.angles))
        return operation

    def _slot(self, angle: Angle, rule: Rule) -> Angle:
        if angle.is_number:
            return angle
        self._angles.append(angle)
        self._rules.append(rule)
        return x[len(self._angles) - 1]

    def angles(self, features: Tensor, parameters: Tensor) -> Tensor:
        """All angles, ``(G, B, K)``, differentiable.

        Shape: ``features`` ``(G or 1, B, n_features)``, ``parameters`` ``(G or 1, n_parameters)``.
        """
        features, parameters = self._slots.sources(features, parameters)
        by_feature, by_parameter = (torch.as_tensor(each).to(features) for each in self._matrices)
        constants = torch.as_tensor(self._slots.constants).to(features)
        return constants + (parameters @ by_parameter)[:, None] + features @ by_feature

    def shifts(self, *, of_features: bool, of_parameters: bool) -> tuple[Tensor, Tensor]:
        """All shifts of the angles that are to be differentiated, and their weights in derivatives, ``(S, K)`` each.

        Raises:
            ValueError: amplitudes are among them: they are no angles of gates.
        """
        rows: list[tuple[int, float, float]] = []
        for slot, rule in enumerate(self._rules):
            if (of_features and self._by_feature[slot]) or (of_parameters and self._by_parameter[slot]):
                if not rule:
                    raise ValueError(
                        f"parameter_shift: prepared amplitudes have no shift rule, got a gradient through "
                        f"{self._angles[slot]}. Use the adjoint gradient, or detach the features."
                    )
                rows += [(slot, shift, weight) for shift, weight in rule]
        slots = [slot for slot, _, _ in rows]
        tables = torch.zeros(2, len(rows), len(self._rules), dtype=torch.float64)
        tables[:, range(len(rows)), slots] = (
            torch.tensor([row[1:] for row in rows], dtype=torch.float64).reshape(-1, 2).T
        )
        return tables[0], tables[1]


def shifted(evaluate: Callable[[Tensor], Tensor], angles: Tensor, shifts: Tensor, weights: Tensor) -> Tensor:
    """``evaluate(angles)``, ``(B, K) -> (B, T)``, whose derivatives of any order are sums over shifted angles.

    Shape: ``shifts`` and ``weights`` ``(S, K)``: ``df/da_k = sum_s weights[s, k] f(a + shifts[s])``.
    """
    return _Shifted.apply(angles, evaluate, shifts.to(angles), weights.to(angles))  # type: ignore[no-untyped-call]


class _Shifted(Function):
    @staticmethod
    def forward(angles: Tensor, evaluate: Callable[[Tensor], Tensor], shifts: Tensor, weights: Tensor) -> Tensor:
        return evaluate(angles)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        angles, ctx.evaluate, shifts, weights = inputs
        ctx.save_for_backward(angles, shifts, weights)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        angles, shifts, weights = ctx.saved_tensors
        lanes = (angles[:, None] + shifts).flatten(0, 1)
        values = shifted(ctx.evaluate, lanes, shifts, weights)
        by_shift = values.reshape(len(angles), len(shifts), values.shape[-1])
        return (grad[:, None] * by_shift).sum(-1) @ weights, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, angles: Tensor, *others: Any) -> tuple[Tensor, int]:
        mapped = angles.movedim(in_dims[0], 0)
        table = _Shifted.apply(mapped.flatten(0, 1), *others)  # type: ignore[no-untyped-call]
        return table.reshape(*mapped.shape[:2], table.shape[-1]), 0
