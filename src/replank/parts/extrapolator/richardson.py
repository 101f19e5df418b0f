"""The polynomial through the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import Range
from replank.parts.extrapolator._weighted import WeightedExtrapolator, lagrange_weights
from replank.parts.papers import TEMME2017
from replank.sources import Source


class RichardsonExtrapolator(WeightedExtrapolator):
    """The polynomial through all values, or through some of them: weights (3, -3, 1) for the scales 1, 2, 3.

    The bias shrinks with each node, and the variance grows: by ``3^2 + 3^2 + 1 = 19`` for these three.

    Args:
        nodes: how many scales are used, the first, the last, and what is spread most evenly between them; all if not
            given.
        range: which scales may be fitted.

    Raises:
        ValueError: fewer than two nodes.

    Source: [temme2017mitigation].
    """

    source = Source(TEMME2017, "extrapolation to the zero noise limit", "recalled")

    def __init__(self, *, nodes: int | None = None, range: Range = "device"):
        super().__init__(range=range)
        if nodes is not None and nodes < 2:
            raise ValueError(f"RichardsonExtrapolator: `nodes` must be at least 2, got nodes={nodes}.")
        self.nodes = nodes

    @property
    def least_points(self) -> int:
        """As many as nodes."""
        return self.nodes or 2

    def weights(self, scale: Tensor, at: float = 0.0) -> Tensor:
        """Lagrange's, and 0 where there is no node."""
        used = torch.linspace(0, len(scale) - 1, self.nodes or len(scale), dtype=torch.float64).round().long()
        weights = torch.zeros_like(scale)
        weights[used] = lagrange_weights(scale[used], at)
        return weights

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """All scales, or three of them."""
        return ({}, {"nodes": 3}, {"range": "full"})

    def options(self) -> dict[str, Any]:
        """Nodes and range."""
        return {"nodes": self.nodes, **super().options()}
