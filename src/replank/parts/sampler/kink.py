"""Weights of a box, and offsets by which every node has its middle among the data."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Self

import torch
from torch import Tensor

from replank.parts.papers import LI2023BANDLIMITED
from replank.parts.sampler._cube import box, cube
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class KinkSampler(Sampler):
    """``a ~ U[-lam, lam]^m`` and ``b = a x0`` with ``x0`` uniform in the box of the data.

    Every hyperplane ``a x = b``, where a node has its kink or its steepest slope, meets that box. Of the data no more
    is known than the box.

    Args:
        lam: half the side of the box of weights.
        low: smallest value that inputs have; one for all, or one for each.
        high: likewise the largest.
        sobol: whether the draw is quasi-random.

    Raises:
        ValueError: ``lam`` is not positive and finite, or the data's box is missing, empty or not finite; when it
            draws, bounds for another number of inputs.

    Source: our own, beside the family of [li2023bandlimited].
    """

    source = Source(LI2023BANDLIMITED, "a bounded distribution whose hyperplanes meet the data", "ours")

    def __init__(
        self,
        lam: float,
        low: float | tuple[float, ...] | None = None,
        high: float | tuple[float, ...] | None = None,
        *,
        sobol: bool = False,
    ):
        self._check_positive(lam=lam)
        if low is None or high is None:
            raise ValueError(
                f"KinkSampler: the box of the data must be known, got low={low}, high={high}. Give their smallest and "
                "largest values, or take KinkSampler.around(lam, x)."
            )
        lows, highs = (each if isinstance(each, tuple) else (each,) for each in (low, high))
        if len(lows) != len(highs) or not all(
            isfinite(a) and isfinite(b) and a < b for a, b in zip(lows, highs, strict=True)
        ):
            raise ValueError(
                f"KinkSampler: `low` must be finite and below `high`, with as many numbers, got low={low}, high={high}."
            )
        self.lam, self.low, self.high, self.sobol = float(lam), low, high, sobol

    @classmethod
    def around(cls, lam: float, x: Tensor, **options: Any) -> Self:
        """One for the box in which data ``(n, m)`` lie; an input that is always the same gets a box of width 1."""
        low, high = x.detach().double().aminmax(dim=0)
        flat = high <= low
        return cls(
            lam,
            tuple(torch.where(flat, low - 0.5, low).tolist()),
            tuple(torch.where(flat, high + 0.5, high).tolist()),
            **options,
        )

    @property
    def band(self) -> float:
        """``lam``."""
        return self.lam

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        points = cube(d, 2 * m, generator, sobol=self.sobol)
        low, high = (torch.tensor(each, dtype=points.dtype, device=points.device) for each in (self.low, self.high))
        if low.ndim and len(low) != m:
            raise ValueError(f"KinkSampler: `m` must be {len(low)}, as many as there are bounds, got m={m}.")
        a, x0 = box(points[:, :m], self.lam), low + (high - low) * points[:, m:]
        return Nodes(a, (a * x0).sum(1))

    def options(self) -> dict[str, Any]:
        """The band, the data's box and the kind of draw."""
        return {"lam": self.lam, "low": self.low, "high": self.high, "sobol": self.sobol}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One box for all inputs, random and quasi-random."""
        return ({"lam": 3.0, "low": 0.0, "high": 1.0}, {"lam": 0.5, "low": -2.0, "high": 2.0, "sobol": True})
