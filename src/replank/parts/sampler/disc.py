"""A ball of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.papers import LI2023BANDLIMITED
from replank.parts.sampler._cube import ball, box, cube
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class DiscSampler(Sampler):
    """Weights uniform in a ball, ``|a| <= lam``, offsets ``b ~ U[-lam, lam]``: the band knows no direction.

    In one dimension it is a uniform band.

    Args:
        lam: radius of the ball.
        sobol: whether the draw is quasi-random.

    Raises:
        ValueError: ``lam`` is not positive and finite.

    Source: our own reading of a band in several dimensions, for [li2023bandlimited].
    """

    source = Source(LI2023BANDLIMITED, "|a| <= lambda, read as the Euclidean norm", "ours")

    def __init__(self, lam: float, *, sobol: bool = False):
        self._check_positive(lam=lam)
        self.lam, self.sobol = float(lam), sobol

    @property
    def band(self) -> float:
        """``lam``."""
        return self.lam

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        points = cube(d, m + 2, generator, sobol=self.sobol)
        return Nodes(ball(points[:, : m + 1], self.lam), box(points[:, m + 1], self.lam))

    def options(self) -> dict[str, Any]:
        """The band and the kind of draw."""
        return {"lam": self.lam, "sobol": self.sobol}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Random and quasi-random."""
        return ({"lam": 3.0}, {"lam": 0.5, "sobol": True})
