"""Least-squares polynomials of the scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from replank.parts.extrapolator._interface import Range
from replank.parts.extrapolator._weighted import WeightedExtrapolator, least_squares_weights
from replank.parts.papers import TEMME2017
from replank.sources import Source


class PolynomialExtrapolator(WeightedExtrapolator):
    """A polynomial of low degree by least squares.

    Args:
        degree: at least 1.
        range: which scales may be fitted.

    Raises:
        ValueError: another degree.

    Source: [temme2017mitigation], with more scales than coefficients.
    """

    source = Source(TEMME2017, "extrapolation to the zero noise limit", "recalled")

    def __init__(self, *, degree: int = 2, range: Range = "device"):
        super().__init__(range=range)
        if degree < 1:
            raise ValueError(f"{type(self).__name__}: `degree` must be at least 1, got degree={degree}.")
        self.degree = degree

    @property
    def least_points(self) -> int:
        """As many as coefficients."""
        return self.degree + 1

    def weights(self, scale: Tensor, at: float = 0.0) -> Tensor:
        """Of least squares."""
        return least_squares_weights(scale, self.degree, at)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Two degrees and both ranges."""
        return ({"degree": 2}, {"degree": 3, "range": "full"})

    def options(self) -> dict[str, Any]:
        """Degree and range."""
        return {"degree": self.degree, **super().options()}
