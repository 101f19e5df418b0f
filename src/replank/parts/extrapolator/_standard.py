"""Scales and values brought to mean 0 and standard deviation 1, each circuit by itself."""

from __future__ import annotations

import torch
from torch import Tensor

_NOTHING = 1e-12
"""What rounding leaves of the spread of constant values, relative to their size."""


def standard_deviation(values: Tensor, dim: int) -> Tensor:
    """Of all there is, not of what it was drawn from; also of no rows at all."""
    return (values - values.mean(dim, keepdim=True)).square().mean(dim).sqrt()


class Standardised:
    """Standardised data of a fit, and the ways there and back.

    Values that are constant stay so: their spread is 0.

    Args:
        scale: ``(m,)``.
        rows: ``(B, m)``.
    """

    def __init__(self, scale: Tensor, rows: Tensor):
        self._middle, self._width = scale.mean(), standard_deviation(scale, 0)
        self.mean = rows.mean(1)
        spread = standard_deviation(rows, 1)
        self.spread = torch.where(spread <= _NOTHING * rows.abs().amax(1), 0.0, spread)
        self.x = self.input(scale)
        self.y = (rows - self.mean[:, None]) / torch.where(self.spread == 0, 1.0, self.spread)[:, None]

    def input(self, scale: float | Tensor) -> Tensor:
        """Scales as the fit sees them."""
        return (torch.as_tensor(scale).to(self._middle) - self._middle) / self._width

    def output(self, y: Tensor) -> Tensor:
        """Values ``(B,)`` as they were."""
        return self.mean + self.spread * y
