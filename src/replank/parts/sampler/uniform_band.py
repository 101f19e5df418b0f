"""A box of weights and offsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.papers import LI2023BANDLIMITED
from replank.parts.sampler._cube import box, cube
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class UniformBandSampler(Sampler):
    """Weights and offsets uniform in one box: ``a ~ U[-lam, lam]^m``, ``b ~ U[-lam, lam]``. The paper's family.

    Args:
        lam: half the side of the box.
        sobol: whether the draw is quasi-random.

    Raises:
        ValueError: ``lam`` is not positive and finite.

    Source: [li2023bandlimited].
    """

    source = Source(LI2023BANDLIMITED, "|a|, |b| <= lambda", "paper")

    def __init__(self, lam: float, *, sobol: bool = False):
        self._check_positive(lam=lam)
        self.lam, self.sobol = float(lam), sobol

    @property
    def band(self) -> float:
        """``lam``."""
        return self.lam

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        points = box(cube(d, m + 1, generator, sobol=self.sobol), self.lam)
        return Nodes(points[:, :m], points[:, m])

    def options(self) -> dict[str, Any]:
        """The band and the kind of draw."""
        return {"lam": self.lam, "sobol": self.sobol}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Random and quasi-random."""
        return ({"lam": 3.0}, {"lam": 0.5, "sobol": True})
