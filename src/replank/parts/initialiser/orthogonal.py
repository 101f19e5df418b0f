"""Orthogonal rows or columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, prod
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.initialiser._interface import Initialiser
from replank.parts.papers import SAXE2014
from replank.sources import Source


class OrthogonalInitialiser(Initialiser):
    """A random orthogonal matrix: of the weight as ``(out, in * window)``, rows or columns, whichever are fewer.

    Variance: ``gain^2 / max(out, in * window)``; entries are not independent.

    Args:
        gain: length of the orthogonal vectors.

    Raises:
        ValueError: the gain is not positive and finite.

    Source: [saxe2014exact], in torch's convention.
    """

    source = Source(SAXE2014, "random orthogonal initial conditions", "recalled")

    def __init__(self, *, gain: float = 1.0):
        if not 0 < gain < inf:
            raise ValueError(f"OrthogonalInitialiser: `gain` must be positive and finite, got gain={gain}.")
        self.gain = gain

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        nn.init.orthogonal_(weight, self.gain, generator)

    def variance(self, shape: Sequence[int]) -> Tensor:
        """``gain^2`` over the longer side."""
        return torch.tensor(self.gain**2 / max(shape[0], prod(shape[1:])))

    def options(self) -> dict[str, Any]:
        """The gain."""
        return {"gain": self.gain}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One."""
        return ({"gain": 2.0},)
