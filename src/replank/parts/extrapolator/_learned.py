"""Extrapolators that learn from other circuits, whose noise-free values are known."""

from __future__ import annotations

import abc
from typing import Self

import torch
from torch import Tensor

from replank.errors import ExtrapolationError
from replank.parts.extrapolator._interface import Extrapolator


class LearnedExtrapolator(Extrapolator):
    """Trained once, by :meth:`learn`, on circuits that can be simulated; then used on others at the same scales.

    Only the value without noise is learned: :meth:`predict` knows no other scale.
    """

    @abc.abstractmethod
    def _learn(self, rows: Tensor, targets: Tensor, descriptors: Tensor | None) -> None:
        """Learn from rows ``(N, m)`` at ascending scales, targets ``(N,)`` and descriptors ``(N, d)``."""

    @abc.abstractmethod
    def _predicted(self, rows: Tensor, descriptors: Tensor | None) -> Tensor:
        """The values without noise, ``(B,)``."""

    def learn(self, scale: Tensor, values: Tensor, targets: Tensor, descriptors: Tensor | None = None) -> Self:
        """Learn from other circuits.

        Shape: ``scale`` ``(m,)``, ``values`` ``(N, m)``, ``targets`` ``(N,)``, ``descriptors`` ``(N, d)``.

        Args:
            scale: how many times the device's noise.
            values: of each training circuit at these scales.
            targets: without noise.
            descriptors: what is known of each circuit.

        Raises:
            ValueError: as :meth:`fit`, or targets that do not fit or are not finite.
            ExtrapolationError: fewer circuits than scales.
        """
        self._check(scale, values)
        if targets.shape != values.shape[:1] or values.ndim != 2 or not targets.isfinite().all():
            raise ValueError(
                f"{type(self).__name__}: needs values (N, m) and N finite targets, got values of shape "
                f"{tuple(values.shape)} and targets of shape {tuple(targets.shape)}."
            )
        if len(targets) < len(scale):
            raise ExtrapolationError(
                f"{type(self).__name__}: there must be at least as many circuits as scales, {len(scale)}, got "
                f"{len(targets)}."
            )
        order = torch.argsort(scale)
        self._learned_scale = scale[order]
        self._learn(values[:, order], targets, descriptors)
        return self

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        if not hasattr(self, "_learned_scale"):
            raise ExtrapolationError(f"{type(self).__name__}: learn(scale, values, targets) must come before fit().")
        known = self._learned_scale
        if scale.shape != known.shape or not torch.allclose(scale, known.to(scale), rtol=1e-9, atol=0):
            raise ValueError(
                f"{type(self).__name__}: scales must be those that were learned, {known.tolist()}, got "
                f"{scale.tolist()}."
            )
        self._rows, self._descriptors = rows, descriptors

    def _predict(self, at: float) -> Tensor:
        if at != 0:
            raise ValueError(f"{type(self).__name__}: only the value without noise has been learned, got at={at}.")
        return self._predicted(self._rows, self._descriptors)


def learned_weights(rows: Tensor, targets: Tensor) -> Tensor:
    """Weights ``(m,)`` that sum to 1 and bring ``rows @ weights`` nearest to the targets, by least squares."""
    differences = rows[:, 1:] - rows[:, :1]
    solution = torch.linalg.lstsq(differences, (targets - rows[:, 0])[:, None], driver="gelsd").solution[:, 0]
    return torch.cat((1 - solution.sum()[None], solution))
