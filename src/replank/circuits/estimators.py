"""Plans as a device would run them: with finite shots, read-out errors, and gradients from shifted circuits."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from replank.circuits.columns import Columns
from replank.circuits.noise import ReadoutError
from replank.circuits.one_group import one_group
from replank.circuits.parameter_shift import Shiftable, shifted
from replank.circuits.plan import Plan
from replank.circuits.shots import Shots

Gradient = Literal["adjoint", "parameter_shift"]


class Estimator:
    """What a plan gives, as a device would give it; with the plan's own interface.

    Noise in gates is a matter of the circuit: plan ``noise_model.apply(circuit)``, and give ``noise_model.readout``.

    Args:
        plan: what is run. Its observables are sums of Pauli strings, projectors or probabilities.
        gradient: where derivatives come from. ``"adjoint"``: they are those of exact values, with shots, too;
            ``"parameter_shift"``: from the circuit at shifted angles, with as many shots each.
        shots: how often each setting is measured; values are exact if not given.
        readout: how outcomes are read; as they are if not given.

    Raises:
        ValueError: no shot, an observable of another kind, or a circuit that has no shift rule.

    Example:
        >>> from replank.circuits import Circuit, Z, theta
        >>> plan = Circuit(1).rx(theta[0], 0).plan(Z(0))
        >>> estimator = Estimator(plan, gradient="parameter_shift", shots=1000)
        >>> estimator(torch.zeros(0), torch.zeros(1))
        tensor(1.)
    """

    def __init__(
        self,
        plan: Plan,
        *,
        gradient: Gradient = "adjoint",
        shots: int | None = None,
        readout: ReadoutError | None = None,
    ):
        if shots is not None and shots < 1:
            raise ValueError(f"Estimator: there must be at least one shot, got shots={shots}.")
        if gradient not in ("adjoint", "parameter_shift"):
            raise ValueError(f'Estimator: `gradient` must be "adjoint" or "parameter_shift", got {gradient!r}.')
        self.plan, self.gradient, self.shots, self.readout = plan, gradient, shots, readout
        self.columns = Columns(plan.observables, is_single=plan.is_single, n_qubits=plan.circuit.n_qubits)
        self._shiftable = Shiftable(plan.circuit) if gradient == "parameter_shift" else None
        circuit = plan.circuit if self._shiftable is None else self._shiftable.circuit
        self._exact = self._measured = None
        if shots is None and readout is None:
            observables = plan.observables[0] if plan.is_single else plan.observables
            self._exact = plan if self._shiftable is None else circuit.plan(observables)
        else:
            self._measured = Shots(circuit, self.columns, readout)

    def __call__(self, features: Tensor, parameters: Tensor, *, generator: torch.Generator | None = None) -> Any:
        """Run the circuit on a batch.

        Shape: as :meth:`replank.circuits.plan.Plan.__call__`.

        Args:
            features: of each sample.
            parameters: shared by all samples.
            generator: for shots; torch's default one if not given.

        Raises:
            ValueError: too few or too many features or parameters, NaN or infinity among them, or a gradient that has
                no shift rule.
            TypeError: their dtypes or devices differ, or are not float32 or float64.
            UsageError: the states do not fit into memory.
        """

        def run(features: Tensor, parameters: Tensor) -> Any:
            return self.run(features, parameters, generator=generator)

        return one_group("Estimator", self.plan.circuit, run, features, parameters)

    def run(self, features: Tensor, parameters: Tensor, *, generator: torch.Generator | None = None) -> Any:
        """The same for several sets of parameters or of features: see :meth:`replank.circuits.plan.Plan.run`."""
        with torch.autocast(features.device.type, enabled=False):
            if self._shiftable is None:
                return self.columns.split(self._table(features, parameters, generator))
            return self.columns.split(self._shifted(self._shiftable, features, parameters, generator))

    def _shifted(
        self, shiftable: Shiftable, features: Tensor, parameters: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        def evaluate(lanes: Tensor) -> Tensor:
            return self._table(lanes[None], lanes.new_zeros(1, 0), generator)[0]

        shifts, weights = shiftable.shifts(of_features=features.requires_grad, of_parameters=parameters.requires_grad)
        angles = shiftable.angles(features, parameters)
        table = shifted(evaluate, angles.flatten(0, 1), shifts, weights)
        return table.reshape(*angles.shape[:2], table.shape[-1])

    def _table(self, features: Tensor, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        if self._exact is not None:
            return self.columns.join(self._exact.run(features, parameters))
        assert self._measured is not None
        return self._measured.run(features, parameters, shots=self.shots, generator=generator)
