"""Weights that were learned from other circuits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._learned import LearnedExtrapolator, learned_weights
from replank.parts.papers import CZARNIK2021
from replank.sources import Source


class RegressionExtrapolator(LearnedExtrapolator):
    """One weight for each scale, by least squares over training circuits: what Richardson's would be, had they learned.

    The weights sum to 1, so that values that do not depend on noise are left alone.

    Source: [czarnik2021clifford], with several scales and any training circuits.
    """

    source = Source(CZARNIK2021, "regression on classically simulated circuits", "recalled")

    weights: Tensor
    """Of ascending scales, ``(m,)``, once learned."""

    @property
    def least_points(self) -> int:
        """Two."""
        return 2

    def _learn(self, rows: Tensor, targets: Tensor, descriptors: Tensor | None) -> None:
        self.weights = learned_weights(rows, targets)

    def _predicted(self, rows: Tensor, descriptors: Tensor | None) -> Tensor:
        return torch.mv(rows, self.weights)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)
