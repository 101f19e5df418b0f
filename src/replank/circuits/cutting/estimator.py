"""Cut circuits as devices would run them: every execution a task of its own, with shots, on whatever takes tasks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.reconstruct import CutCircuit, check_inputs
from replank.circuits.cutting.tasks import Run, Task, execute_all
from replank.circuits.estimators import Estimator, Gradient
from replank.circuits.noise import NoiseModel
from replank.circuits.observables import PauliSum
from replank.circuits.parameter_shift import Shiftable, shifted
from replank.circuits.plan import Plan
from replank.errors import UsageError


@dataclass(frozen=True)
class MeasuredRun:
    """Runs a fragment's circuit with shots or noise; can be pickled, and draws the same wherever it runs.

    Args:
        shots: how often the circuit is measured; values are exact if not given.
        noise: of the device; none if not given.
        seed: of the shots.
    """

    shots: int | None
    noise: NoiseModel | None
    seed: int

    def __call__(
        self, circuit: Circuit, observables: Sequence[PauliSum], features: Tensor, parameters: Tensor
    ) -> Tensor:
        """Values of the observables, ``(B, K)``."""
        noisy = circuit if self.noise is None else self.noise.apply(circuit)
        readout = None if self.noise is None else self.noise.readout
        estimator = Estimator(Plan(noisy, tuple(observables)), shots=self.shots, readout=readout)
        values: Tensor = estimator(features, parameters, generator=torch.Generator().manual_seed(self.seed))
        return values


class CutEstimator:
    """What a cut circuit gives, from executions of its fragments that know nothing of each other.

    An execution is one circuit measured in one setting: 3 of the fragment where a wire is cut and 4 of the one where it
    goes on, 7 in all. With shots each is measured so often. Estimates are unbiased, may lie outside the range of the
    observable, and are not clipped.

    Args:
        cut: the circuit in fragments.
        shots: of each execution; values are exact if not given.
        noise: of the devices that the fragments run on.
        gradient: where derivatives come from: ``"adjoint"``, through the simulator, which neither shots nor an executor
            has; or ``"parameter_shift"``: from executions at shifted angles, which all have.
        executor: takes each execution as a task; they run here one after the other if not given.

    Raises:
        ValueError: not at least one shot, no such gradient, or a circuit that has no shift rule.
        TypeError: ``noise`` is not a noise model.
    """

    def __init__(
        self,
        cut: CutCircuit,
        *,
        shots: int | None = None,
        noise: NoiseModel | None = None,
        gradient: Gradient = "adjoint",
        executor: Executor | None = None,
    ):
        if shots is not None and (isinstance(shots, bool) or not isinstance(shots, int) or shots < 1):
            raise ValueError(f"CutEstimator: there must be at least one shot, got shots={shots!r}.")
        if gradient not in ("adjoint", "parameter_shift"):
            raise ValueError(f'CutEstimator: `gradient` must be "adjoint" or "parameter_shift", got {gradient!r}.')
        if noise is not None and not isinstance(noise, NoiseModel):
            raise TypeError(f"CutEstimator: `noise` must be a NoiseModel, got {type(noise).__name__}.")
        self.cut, self.shots, self.noise, self.gradient, self.executor = cut, shots, noise, gradient, executor
        self._shiftable = Shiftable(cut.circuit) if gradient == "parameter_shift" else None
        self._run = cut if self._shiftable is None else cut.recut(self._shiftable.circuit)
        self._executions = [task.executions() for task in self._run.tasks]

    @property
    def executions(self) -> tuple[Task, ...]:
        """What is run, in order."""
        return tuple(execution for executions in self._executions for execution in executions)

    def __call__(self, features: Tensor, parameters: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Run all executions and reconstruct.

        Shape: as :meth:`CutCircuit.run`.

        Args:
            features: of each sample.
            parameters: shared by all samples.
            generator: for shots; torch's default one if not given.

        Raises:
            ValueError: the shapes do not fit, or a feature or parameter is not finite.
            TypeError: the tensors are not of one dtype, float32 or float64, on one device.
            UsageError: a gradient is asked for that there is none of.
        """
        check_inputs(self.cut.circuit, features, parameters)
        if self._shiftable is None:
            self._check_gradient(features, parameters)
            return self._evaluated(features, parameters, generator)

        def evaluate(lanes: Tensor) -> Tensor:
            return self._evaluated(lanes, lanes.new_zeros(0), generator).reshape(len(lanes), -1)

        shifts, weights = self._shiftable.shifts(
            of_features=features.requires_grad, of_parameters=parameters.requires_grad
        )
        values = shifted(evaluate, self._shiftable.angles(features[None], parameters[None])[0], shifts, weights)
        return values[:, 0] if self.cut.scalar else values

    def _evaluated(self, features: Tensor, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        results = execute_all(self.executions, features, parameters, runs=self._runs(generator), executor=self.executor)
        found = iter(results)
        joined = [
            task.joined([next(found) for _ in executions])
            for task, executions in zip(self._run.tasks, self._executions, strict=True)
        ]
        return self._run.combine(joined, features, parameters)

    def _runs(self, generator: torch.Generator | None) -> list[Run | None]:
        n = len(self.executions)
        if self.shots is None and self.noise is None:
            return [None] * n
        device = None if generator is None else generator.device
        seeds = torch.randint(2**63 - 1, (n,), generator=generator, device=device).tolist()
        return [MeasuredRun(self.shots, self.noise, seed) for seed in seeds]

    def _check_gradient(self, features: Tensor, parameters: Tensor) -> None:
        asked = torch.is_grad_enabled() and (features.requires_grad or parameters.requires_grad)
        if asked and (self.shots is not None or self.executor is not None):
            raise UsageError(
                f"CutEstimator: autograd sees neither shots nor other processes, got a gradient asked for with shots="
                f'{self.shots} and executor={self.executor}. Say gradient="parameter_shift", or torch.no_grad().'
            )
