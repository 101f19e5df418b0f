"""Weights that are orthogonal to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.papers import YU2016
from replank.parts.sampler._interface import Nodes, Sampler
from replank.sources import Source


class OrthogonalSampler(Sampler):
    """Blocks of ``m`` orthogonal directions with the lengths of normal vectors, and phases ``b ~ U[0, 2 pi]``.

    Each node is distributed as a normal one; together they repeat each other less, so that a Gaussian kernel is
    approached with less variance. In one dimension there is no second direction: it is a normal draw.

    Args:
        s: standard deviation of the weights.

    Raises:
        ValueError: ``s`` is not positive and finite.

    Source: [yu2016orthogonal].
    """

    source = Source(YU2016, "W = S Q", "recalled")

    def __init__(self, s: float):
        self._check_positive(s=s)
        self.s = float(s)

    @property
    def band(self) -> float:
        """Infinity."""
        return math.inf

    def _draw(self, d: int, m: int, generator: torch.Generator) -> Nodes:
        directions = torch.cat([_rotation(m, generator) for _ in range(-(-d // m))])[:d]
        lengths = _normal((d, m), generator).norm(dim=1, keepdim=True)
        phases = torch.rand(d, generator=generator, dtype=torch.float64, device=generator.device)
        return Nodes(self.s * lengths * directions, 2 * math.pi * phases)

    def options(self) -> dict[str, Any]:
        """The spread."""
        return {"s": self.s}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One."""
        return ({"s": 2.0},)


def _rotation(m: int, generator: torch.Generator) -> Tensor:
    """A uniform orthogonal matrix: that of a QR decomposition whose R has a positive diagonal."""
    q, r = torch.linalg.qr(_normal((m, m), generator))
    return q * r.diagonal().sign()


def _normal(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)
