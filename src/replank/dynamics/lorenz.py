"""The system of Lorenz, of three variables."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from replank.dynamics._states import Any_, States, stacked

LYAPUNOV = 0.9056
"""The largest Lyapunov exponent for the usual parameters, a textbook value; see :func:`largest_lyapunov`."""


@dataclass(frozen=True)
class Lorenz63:
    """``x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z``, of arrays or tensors ``(*, 3)``.

    Args:
        sigma: Prandtl number.
        rho: Rayleigh number over the critical one; chaos from about 24.74 on.
        beta: aspect.

    Example:
        >>> Lorenz63()(np.array([1.0, 1.0, 1.0])).round(3).tolist()
        [0.0, 26.0, -1.667]
    """

    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8 / 3

    def __call__(self, state: Any_) -> Any_:
        """How fast a state changes."""
        x, y, z = state[..., 0], state[..., 1], state[..., 2]
        return stacked(self.sigma * (y - x), x * (self.rho - z) - y, x * y - self.beta * z)

    def fixed_points(self) -> States:
        """Where nothing changes: the origin and, for rho above 1, two more."""
        if self.rho <= 1:
            return np.zeros((1, 3))
        side, height = math.sqrt(self.beta * (self.rho - 1)), self.rho - 1
        return np.array([[0.0, 0.0, 0.0], [side, side, height], [-side, -side, height]])

    @property
    def divergence(self) -> float:
        """How fast volumes shrink, the same everywhere."""
        return -(self.sigma + 1 + self.beta)
