"""A straight line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from replank.parts.extrapolator._weighted import WeightedExtrapolator, least_squares_weights
from replank.parts.papers import TEMME2017
from replank.sources import Source


class LinearExtrapolator(WeightedExtrapolator):
    """A straight line by least squares: ``2 E(1) - E(2)`` for the scales 1 and 2.

    Source: [temme2017mitigation], first order.
    """

    source = Source(TEMME2017, "extrapolation to the zero noise limit", "recalled")

    @property
    def least_points(self) -> int:
        """Two."""
        return 2

    def weights(self, scale: Tensor, at: float = 0.0) -> Tensor:
        """Of least squares."""
        return least_squares_weights(scale, 1, at)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both ranges."""
        return ({}, {"range": "full"})
