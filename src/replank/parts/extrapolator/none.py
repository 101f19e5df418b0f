"""No mitigation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._weighted import WeightedExtrapolator
from replank.sources import Source


class NoExtrapolator(WeightedExtrapolator):
    """The value at the least noise, taken as it is.

    Source: our own, the control of every other.
    """

    source = Source(None, "the control without mitigation", "ours")

    @property
    def least_points(self) -> int:
        """One."""
        return 1

    def weights(self, scale: Tensor, at: float = 0.0) -> Tensor:
        """1 for the least scale."""
        weights = torch.zeros_like(scale)
        weights[0] = 1
        return weights

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)
