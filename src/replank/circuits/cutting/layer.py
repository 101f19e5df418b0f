"""A cut circuit as a torch module, with the parameters of the uncut one."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.bases import Basis
from replank.circuits.cutting.cuts import Cut
from replank.circuits.cutting.estimator import CutEstimator
from replank.circuits.cutting.reconstruct import CutCircuit, cut
from replank.circuits.estimators import Gradient
from replank.circuits.layer import QuantumLayer
from replank.circuits.noise import NoiseModel
from replank.circuits.observables import PauliSum


class CutQuantumLayer(QuantumLayer):
    """A :class:`~replank.circuits.QuantumLayer` that runs as several smaller circuits and gives the same.

    Values and gradients equal those of the uncut layer to rounding, and so do parameters and state.

    Shape: ``(*, n_features) -> (*, K)``, or ``(*,)`` for a single observable.

    Args:
        circuit: it is immutable from now on.
        observables: sums of Pauli strings.
        cuts: where it is cut.
        basis: as for :func:`replank.circuits.cutting.cut`.
        skip_zero_y: likewise.
        max_width: likewise.
        init_scale: as for the uncut layer.
        frozen: whether the angles stay as they are drawn.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        CircuitCutError: the cuts do not fit, or a fragment is too wide.
        ValueError: as the uncut layer.
        TypeError: likewise; or an observable is not a sum of Pauli strings.
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: PauliSum | Sequence[PauliSum],
        cuts: Sequence[Cut],
        *,
        basis: Basis = "states",
        skip_zero_y: bool = False,
        max_width: int | None = None,
        init_scale: float | None = None,
        frozen: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(circuit, observables, init_scale=init_scale, frozen=frozen, device=device, dtype=dtype)
        self.pieces: CutCircuit | None = cut(
            circuit, observables, cuts, basis=basis, skip_zero_y=skip_zero_y, max_width=max_width
        )

    def whole(self) -> Self:
        """The layer with the very same parameters, uncut."""
        layer = copy.copy(self)
        layer.pieces, layer._device = None, None
        return layer

    def with_circuit(self, circuit: Circuit) -> Self:
        """A layer with the very same parameters that runs another circuit with the same cuts.

        Raises:
            ValueError: the circuit takes another number of features or parameters.
            CircuitCutError: the cuts do not fit it.
        """
        layer = super().with_circuit(circuit)
        layer.pieces = None if self.pieces is None else self.pieces.recut(circuit)
        return layer

    def on(
        self,
        *,
        shots: int | None = None,
        noise: NoiseModel | None = None,
        trajectories: int | None = None,
        gradient: Gradient = "adjoint",
        generator: torch.Generator | None = None,
        executor: Executor | None = None,
    ) -> Self:
        """The same layer, with the very same parameters, as devices would run its fragments.

        Args:
            shots: of each execution, see :class:`CutEstimator`; there is no gradient through them but that of shifts.
            noise: of the devices.
            trajectories: not for fragments.
            gradient: ``"adjoint"`` or ``"parameter_shift"``.
            generator: for shots; torch's default one if not given.
            executor: takes each execution as a task: a pool of processes, a cluster's.

        Raises:
            ValueError: not at least one shot, trajectories, or a circuit that has no shift rule.
            TypeError: ``noise`` is not a noise model.
        """
        if self.pieces is None:
            if executor is not None:
                raise ValueError("CutQuantumLayer.on: only fragments are tasks, got an executor for an uncut layer.")
            return super().on(
                shots=shots, noise=noise, trajectories=trajectories, gradient=gradient, generator=generator
            )
        if trajectories is not None:
            raise ValueError(
                f"CutQuantumLayer.on: fragments run as density matrices, got trajectories={trajectories}. Leave it out."
            )
        layer = copy.copy(self)
        estimator = CutEstimator(self.pieces, shots=shots, noise=noise, gradient=gradient, executor=executor)
        layer._device = partial(estimator, generator=generator)
        return layer

    def _run(self, features: Tensor) -> Tensor:
        if self.pieces is None:
            return super()._run(features)
        lead = features.shape[:-1]
        run = self.pieces.run if self._device is None else self._device
        values = run(features.reshape(math.prod(lead), features.shape[-1]), self.theta)
        return values.reshape((*lead, *values.shape[1:]))

    def extra_repr(self) -> str:
        """The circuit's size, the options and the fragments."""
        widths = "uncut" if self.pieces is None else [fragment.width for fragment in self.pieces.fragments]
        return f"{super().extra_repr()}, fragments={widths}"
