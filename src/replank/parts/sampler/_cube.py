"""Points of the unit cube, random or quasi-random: what all samplers of bounded sets begin with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

_LEAST = 2.0**-54
"""So far from the faces: quantiles there are infinite."""


def cube(d: int, k: int, generator: torch.Generator, *, sobol: bool = False) -> Tensor:
    """Points ``(d, k)`` strictly inside the unit cube, in float64 on the generator's device.

    Args:
        d: how many.
        k: of how many numbers.
        generator: what is drawn comes from it.
        sobol: whether they are the first of a Sobol sequence that the generator scrambles.
    """
    if sobol:
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        engine = SobolEngine(k, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
        points = engine.draw(d, dtype=torch.float64).to(generator.device)
    else:
        points = torch.rand(d, k, generator=generator, dtype=torch.float64, device=generator.device)
    return points.clamp(_LEAST, 1 - _LEAST)


def box(points: Tensor, reach: float) -> Tensor:
    """Points of the unit cube, stretched to ``[-reach, reach]`` in each number."""
    return reach * (2 * points - 1)


def ball(points: Tensor, radius: float) -> Tensor:
    """Points ``(d, m + 1)`` of the unit cube, turned into uniform ones ``(d, m)`` of a ball."""
    directions = torch.special.ndtri(points[:, :-1])
    lengths = radius * points[:, -1:] ** (1 / directions.shape[1])
    return lengths * directions / directions.norm(dim=1, keepdim=True)
