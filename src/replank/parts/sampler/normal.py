"""Normal weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.papers import RAHIMI2007
from replank.parts.sampler._cube import box, cube
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class NormalSampler(Sampler):
    """``a ~ N(0, s^2 I)`` and ``b ~ U[-s, s]``, or phases ``b ~ U[0, 2 pi]``: nothing bounds the weights.

    With phases and a cosine, products of features approach a Gaussian kernel: the mean of ``2 cos(a x - b) cos(a y -
    b)`` is ``exp(-s^2 |x - y|^2 / 2)``.

    Args:
        s: standard deviation of the weights.
        phases: whether offsets are phases.
        sobol: whether the draw is quasi-random.

    Raises:
        ValueError: ``s`` is not positive and finite.

    Source: [rahimi2007features].
    """

    source = Source(RAHIMI2007, "random Fourier features of the Gaussian kernel", "recalled")

    def __init__(self, s: float, *, phases: bool = False, sobol: bool = False):
        self._check_positive(s=s)
        self.s, self.phases, self.sobol = float(s), phases, sobol

    @property
    def band(self) -> float:
        """Infinity."""
        return math.inf

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        points = cube(d, m + 1, generator, sobol=self.sobol)
        b = 2 * math.pi * points[:, m] if self.phases else box(points[:, m], self.s)
        return Nodes(self.s * torch.special.ndtri(points[:, :m]), b)

    def options(self) -> dict[str, Any]:
        """The spread and the kind of offset and draw."""
        return {"s": self.s, "phases": self.phases, "sobol": self.sobol}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both kinds of offsets, random and quasi-random."""
        return ({"s": 2.0}, {"s": 0.5, "phases": True, "sobol": True})
