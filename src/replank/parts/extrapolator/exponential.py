"""A single exponential."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import ExtrapolationWarning, Extrapolator, Range
from replank.parts.extrapolator._weighted import least_squares_weights
from replank.parts.papers import ENDO2018
from replank.sources import Source

_LARGEST_RATE = 5.0
"""A unit of scale: beyond it less than e^-5 of the signal is left at the device's noise."""
_GRID, _ROUNDS = 33, 12


class ExponentialExtrapolator(Extrapolator):
    """``E = c + a exp(-b scale)`` by least squares, with a given asymptote c or a free one.

    For each rate b the rest is linear and solved exactly; b is sought on a grid from -5 to 5 that zooms in on the best.
    So there are no starting values, and all circuits are fitted at once. With a free asymptote the straight line is the
    case b = 0.

    Where values minus a given asymptote change sign or vanish there is no such curve through them: these circuits get a
    straight line and an :class:`ExtrapolationWarning`, and are marked in ``fell_back``.

    Args:
        asymptote: the value at infinite noise, 0 for observables without trace under depolarising noise; ``None`` if it
            is to be fitted.
        range: which scales may be fitted.

    Source: [endo2018practical].
    """

    source = Source(ENDO2018, "exponential extrapolation", "recalled")

    def __init__(self, *, asymptote: float | None = 0.0, range: Range = "device"):
        super().__init__(range=range)
        self.asymptote = asymptote

    @property
    def least_points(self) -> int:
        """As many as parameters."""
        return 3 if self.asymptote is None else 2

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        self._scale, self._rows = scale, rows
        shifted = rows - (self.asymptote or 0.0)
        self._rates = self._best_rates()
        no_sign_change = (shifted > 0).all(-1) | (shifted < 0).all(-1)
        self.fell_back = torch.zeros_like(no_sign_change) if self.asymptote is None else ~no_sign_change
        n_back = int(self.fell_back.sum())
        if n_back:
            warnings.warn(
                f"ExponentialExtrapolator: {n_back} of {len(rows)} rows change sign or vanish about the asymptote: "
                "they get a straight line.",
                ExtrapolationWarning,
                stacklevel=3,
            )

    def _predict(self, at: float) -> Tensor:
        amplitude, offset = self._linear(self._rates[:, None])
        curve = (offset + amplitude * self._basis(self._rates[:, None], at))[:, 0]
        if self.fell_back is None or not self.fell_back.any():
            return curve
        line = self._rows @ least_squares_weights(self._scale, 1, at)
        return torch.where(self.fell_back.reshape(-1), line, curve)

    def _best_rates(self) -> Tensor:
        """Of least squares, ``(B,)``."""
        grid = torch.linspace(-1, 1, _GRID).to(self._rows)
        centre, width = self._rows.new_zeros(len(self._rows), 1), _LARGEST_RATE
        for _ in range(_ROUNDS):
            rates = (centre + width * grid).clamp(-_LARGEST_RATE, _LARGEST_RATE)
            amplitude, offset = self._linear(rates)
            curves = offset[..., None] + amplitude[..., None] * self._curve(rates)
            losses = (curves - self._rows[:, None]).square().sum(-1)
            centre = rates.gather(1, losses.argmin(1, keepdim=True))
            width = width * 2 / (_GRID - 1)
        return centre[:, 0]

    def _basis(self, rates: Tensor, at: float | Tensor) -> Tensor:
        """What the amplitude multiplies: an exponential, or ``(1 - exp(-b s))/b``, which is s for b = 0."""
        distance = at - self._scale[0]
        if self.asymptote is not None:
            return torch.exp(-rates * distance)
        safe = torch.where(rates == 0, 1.0, rates)
        return torch.where(rates == 0, distance, -torch.expm1(-safe * distance) / safe)

    def _curve(self, rates: Tensor) -> Tensor:
        """The same at all scales, ``(B, G) -> (B, G, m)``."""
        return self._basis(rates[..., None], self._scale)

    def _linear(self, rates: Tensor) -> tuple[Tensor, Tensor]:
        """Amplitude and offset that fit best at given rates, both ``(B, G)``."""
        curve, rows = self._curve(rates), self._rows[:, None]
        if self.asymptote is not None:
            amplitude = (curve * (rows - self.asymptote)).sum(-1) / curve.square().sum(-1)
            return amplitude, torch.full_like(amplitude, self.asymptote)
        middle, mean = curve.mean(-1, keepdim=True), rows.mean(-1, keepdim=True)
        amplitude = ((curve - middle) * (rows - mean)).sum(-1) / (curve - middle).square().sum(-1)
        return amplitude, (mean - amplitude[..., None] * middle)[..., 0]

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Asymptotes 0, another, and a free one."""
        return ({}, {"asymptote": -3.0}, {"asymptote": None, "range": "full"})

    def options(self) -> dict[str, Any]:
        """Asymptote and range."""
        return {"asymptote": self.asymptote, **super().options()}
