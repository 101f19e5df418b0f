"""The contract of the slot *extrapolator*: values at some strengths of noise go in, that without noise comes out."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, get_args

import torch
from torch import Tensor

from replank.errors import ExtrapolationError
from replank.sources import Source

__all__ = ["ExtrapolationWarning", "Extrapolator", "Range", "outside_spectrum"]

Range = Literal["device", "full"]
"""What may be fitted: scales from 1 on, the device's own noise and more of it; or all above 0, which no device has."""

_SAME = 1e-12
"""Relative difference below which two scales are one."""


class ExtrapolationWarning(UserWarning):
    """A fit could not be made as asked, and a simpler one stands in its place."""


class Extrapolator(abc.ABC):
    """From values at scales of the noise to the value at scale 0, for many circuits at once.

    A scale of 1 is the noise of the device. Zero-noise extrapolation never sees less: smaller scales are refused unless
    ``range="full"``, which makes the task an *interpolation* that needs a better device than there is. Scale 0 is
    refused always: it is the answer.

    Rows are circuits that do not see each other. Nothing random is drawn from global state: equal arguments give equal
    predictions. What a constructor takes besides ``range`` is keyword-only.

    A part of the group derives from this class, gives :meth:`_fit` and :meth:`_predict`, and small ``examples`` of
    itself for the contract suite.

    Args:
        range: ``"device"`` or ``"full"``.

    Raises:
        ValueError: another range.
    """

    source: ClassVar[Source]
    reads_descriptors: ClassVar[bool] = False
    """Whether :meth:`fit` needs to know the circuits."""

    std: Tensor | None = None
    """How uncertain the last prediction is, ``(*,)``, where the extrapolator has an opinion."""
    fell_back: Tensor | None = None
    """Which circuits of the last fit got a simpler one, ``(*,)``, where that can happen."""

    def __init__(self, *, range: Range = "device"):
        if range not in get_args(Range):
            raise ValueError(f"{type(self).__name__}: `range` must be one of {get_args(Range)}, got range={range!r}.")
        self.range = range

    @property
    @abc.abstractmethod
    def least_points(self) -> int:
        """How many different scales a fit needs."""

    @abc.abstractmethod
    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        """Fit rows ``(B, m)`` at ascending scales ``(m,)``."""

    @abc.abstractmethod
    def _predict(self, at: float) -> Tensor:
        """The fitted values at a scale, ``(B,)``."""

    @property
    def keeps_constants(self) -> bool:
        """Whether values that do not depend on the noise are given back, as all do that look at values."""
        return True

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""

    def fit(self, scale: Tensor, values: Tensor, descriptors: Tensor | None = None) -> Self:
        """Fit the values of each circuit.

        Shape: ``scale`` ``(m,)``, ``values`` ``(*, m)``, ``descriptors`` ``(*, d)``.

        Args:
            scale: how many times the device's noise; in any order.
            values: at these scales.
            descriptors: what is known of each circuit; looked at by extrapolators that were trained on others.

        Raises:
            ValueError: scales that come twice or are not allowed in this range, NaN or infinity, shapes that don't fit.
            TypeError: dtypes differ, or are not floating point.
            ExtrapolationError: too few scales.
        """
        self._check(scale, values)
        order = torch.argsort(scale)
        self._lead = values.shape[:-1]
        self.std = self.fell_back = None
        if descriptors is not None:
            descriptors = descriptors.reshape(-1, descriptors.shape[-1])
        rows = values.reshape(-1, len(scale))[:, order]
        self._fit(scale[order], rows, descriptors)
        return self

    def predict(self, at: float = 0.0) -> Tensor:
        """The value at a scale, ``(*,)``: by default without noise.

        Raises:
            ExtrapolationError: nothing has been fitted.
        """
        if not hasattr(self, "_lead"):
            raise ExtrapolationError(f"{type(self).__name__}: fit(scale, values) must come before predict().")
        prediction = self._predict(at).reshape(self._lead)
        if self.std is not None:
            self.std = self.std.reshape(self._lead)
        if self.fell_back is not None:
            self.fell_back = self.fell_back.reshape(self._lead)
        return prediction

    def _check(self, scale: Tensor, values: Tensor) -> None:
        name = type(self).__name__
        if scale.ndim != 1 or values.ndim == 0 or values.shape[-1] != len(scale):
            raise ValueError(
                f"{name}: shapes must be (m,) and (*, m), got scale of shape {tuple(scale.shape)} and values of shape "
                f"{tuple(values.shape)}."
            )
        if not scale.is_floating_point() or scale.dtype != values.dtype:
            raise TypeError(
                f"{name}: scale and values must be floating point of one dtype, got {scale.dtype} and {values.dtype}."
            )
        if not (scale.isfinite().all() and values.isfinite().all()):
            raise ValueError(f"{name}: scales and values must be finite, got NaN or infinity.")
        least = float(scale.min()) if len(scale) else 1.0
        if least < 1 - _SAME and self.range == "device":
            raise ValueError(
                f"{name}: a device has no less noise than its own: scales must be at least 1, got scale={least:.6g}. "
                'range="full" allows it, and is interpolation.'
            )
        if least <= 0:
            raise ValueError(f"{name}: scales must be above 0, the noise-free value is the answer, got scale={least}.")
        ascending = scale.sort().values
        if len(scale) > 1 and not (ascending.diff() > _SAME * ascending[1:]).all():
            raise ValueError(f"{name}: scales must differ, got {scale.tolist()}. Average the values of equal ones.")
        if len(scale) < self.least_points:
            raise ExtrapolationError(
                f"{name}: a fit needs {self.least_points} scales, got {len(scale)}. Measure at more, or take a fit "
                "with fewer parameters."
            )

    def options(self) -> dict[str, Any]:
        """The constructor's arguments, for the printed name."""
        return {"range": self.range}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"


def outside_spectrum(prediction: Tensor, lowest: float | Tensor, highest: float | Tensor) -> Tensor:
    """Which predictions are no expectation value at all; they are flagged, never clipped.

    Args:
        prediction: of any shape.
        lowest: eigenvalue of what is measured, or one for each prediction.
        highest: likewise.
    """
    room = 1e-9 * (torch.as_tensor(highest) - torch.as_tensor(lowest))
    return (prediction < lowest - room) | (prediction > highest + room)
