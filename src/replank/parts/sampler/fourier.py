"""A box of frequencies, and phases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.papers import LI2023BANDLIMITED
from replank.parts.sampler._cube import box, cube
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class FourierSampler(Sampler):
    """``a ~ U[-lam, lam]^m`` and phases ``b ~ U[0, 2 pi]``: with a cosine, all waves of a band of frequencies.

    With these features the paper's bound is sharp: on the whole line, the best error is what the target has outside of
    the band, see :func:`replank.measure.out_of_band_energy`.

    Args:
        lam: largest frequency in each input.
        sobol: whether the draw is quasi-random.

    Raises:
        ValueError: ``lam`` is not positive and finite.

    Source: our own case of [li2023bandlimited].
    """

    source = Source(LI2023BANDLIMITED, "a bounded distribution for a cosine", "ours")

    def __init__(self, lam: float, *, sobol: bool = False):
        self._check_positive(lam=lam)
        self.lam, self.sobol = float(lam), sobol

    @property
    def band(self) -> float:
        """``lam``."""
        return self.lam

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        points = cube(d, m + 1, generator, sobol=self.sobol)
        return Nodes(box(points[:, :m], self.lam), 2 * math.pi * points[:, m])

    def options(self) -> dict[str, Any]:
        """The band and the kind of draw."""
        return {"lam": self.lam, "sobol": self.sobol}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Random and quasi-random."""
        return ({"lam": 3.0}, {"lam": 0.5, "sobol": True})
