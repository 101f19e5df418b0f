"""Xavier's normal initialisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.initialiser._interface import Initialiser, fans
from replank.parts.papers import GLOROT2010
from replank.sources import Source


class XavierNormalInitialiser(Initialiser):
    """Normal values that compromise between activations and gradients of saturating units.

    Variance: ``2 gain^2 / (fan_in + fan_out)``.

    Args:
        gain: factor on the standard deviation.

    Raises:
        ValueError: the gain is not positive and finite.

    Source: [glorot2010difficulty], in torch's convention.
    """

    source = Source(GLOROT2010, "eq. 12", "recalled")

    def __init__(self, *, gain: float = 1.0):
        if not 0 < gain < inf:
            raise ValueError(f"{type(self).__name__}: `gain` must be positive and finite, got gain={gain}.")
        self.gain = gain

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        nn.init.xavier_normal_(weight, self.gain, generator)

    def variance(self, shape: Sequence[int]) -> Tensor:
        """``2 gain^2 / (fan_in + fan_out)``."""
        return torch.tensor(2 * self.gain**2 / sum(fans(shape)))

    def options(self) -> dict[str, Any]:
        """The gain."""
        return {"gain": self.gain}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One."""
        return ({"gain": 1.5},)
