"""Weights from pairs of data points: nodes where the target changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.papers import BOLAGER2023
from replank.parts.sampler._interface import DataSampler, Nodes
from replank.sources import Source

_PAIRS_A_NODE = 50


class DataDrivenSampler(DataSampler):
    """Each node rises from one data point to another, and pairs are drawn where the target is steep.

    Of random pairs ``x1, x2`` one is taken with a probability that is proportional to ``|y2 - y1| / |x2 - x1|``; then
    ``a = (last - first) (x2 - x1) / |x2 - x1|^2``, and b is such that the node's argument is ``first`` at ``x1`` and
    ``last`` at ``x2``.

    Args:
        first: argument at the first point: by default a hyperbolic tangent is -1/2 there.
        last: argument at the second: by default it is 1/2. For a ReLU take 0 and 1.

    Raises:
        ValueError: the arguments are equal or not finite; when it draws, if all data points are the same.

    Source: [bolager2023sampling]: the distribution of pairs. How many pairs are looked at, 50 for each node, is ours.
    """

    source = Source(BOLAGER2023, "sample where it matters", "recalled")

    def __init__(self, *, first: float = -math.log(3) / 2, last: float = math.log(3) / 2):
        if not (math.isfinite(first) and math.isfinite(last) and first != last):
            raise ValueError(
                f"DataDrivenSampler: the two arguments must be finite and differ, got first={first}, last={last}."
            )
        self.first, self.last = float(first), float(last)

    @property
    def band(self) -> float:
        """Infinity: points may be as near as they like."""
        return math.inf

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        assert self.x is not None
        assert self.y is not None
        x, y = (each.to(generator.device) for each in (self.x, self.y))
        one, other = self._pairs(_PAIRS_A_NODE * d, len(x), generator)
        squares = (x[other] - x[one]).square().sum(1)
        apart = squares > 0
        if int(apart.sum()) < d:
            raise ValueError(
                f"DataDrivenSampler: for d={d} nodes as many pairs of points must differ, got {int(apart.sum())} of "
                f"{len(one)}. Draw fewer nodes."
            )
        one, other, squares = one[apart], other[apart], squares[apart]
        steepness = (y[other] - y[one]).abs().amax(1) / squares.sqrt()
        # where too few pairs differ in their targets, the others are all alike
        steepness = steepness.clamp(min=1e-12 * float(steepness.max()) or 1.0)
        chosen = torch.multinomial(steepness, d, generator=generator)
        start, end = x[one[chosen]], x[other[chosen]]
        a = (self.last - self.first) * (end - start) / squares[chosen, None]
        return Nodes(a, (a * start).sum(1) - self.first)

    @staticmethod
    def _pairs(count: int, n: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Pairs of points, none of them twice: a node the other way round is the same but for its sign."""
        ends = torch.randint(n, (2, count), generator=generator, device=generator.device).sort(dim=0).values
        ends = torch.unique(ends, dim=1)
        turned = torch.randint(2, ends.shape[1:], generator=generator, device=generator.device).bool()
        return iter(torch.where(turned, ends.flip(0), ends))

    def options(self) -> dict[str, Any]:
        """The arguments at the two points."""
        return {"first": self.first, "last": self.last}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """For a hyperbolic tangent and for a ReLU."""
        return ({}, {"first": 0.0, "last": 1.0})
