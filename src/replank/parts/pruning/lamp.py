"""Magnitudes made comparable between layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.papers import LEE2021LAMP
from replank.parts.pruning._flat import Flat
from replank.parts.pruning._interface import Pruner
from replank.sources import Source


class LAMP(Pruner):
    """The smallest squared weights over the sum of those of their layer that are not smaller.

    The largest weight of each layer scores 1, so that no layer is emptied before all are down to one weight.

    Source: [lee2021lamp], eq. 1.
    """

    source = Source(LEE2021LAMP, "eq. 1", "recalled")

    def remove(self, flat: Flat, n: int) -> Tensor:
        """By the score, over all layers."""
        scores = torch.zeros(len(flat.weights), dtype=torch.float64, device=flat.weights.device)
        for number in range(int(flat.layer.max()) + 1):
            inside = ((flat.layer == number) & flat.alive).nonzero()[:, 0]
            scores[inside] = lamp_scores(flat.weights[inside])
        return flat.smallest(scores, n)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)


def lamp_scores(weights: Tensor) -> Tensor:
    """``w_i^2 / sum_{|w_j| >= |w_i|} w_j^2`` of one layer's weights ``(n,)``, in double precision; 0 for a zero."""
    squares = weights.double().square()
    ascending = squares.sort().values
    at_least = ascending.flip(0).cumsum(0).flip(0)[torch.searchsorted(ascending, squares)]
    return torch.where(squares > 0, squares / at_least, 0.0)
