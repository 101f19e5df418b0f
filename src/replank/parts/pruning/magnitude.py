"""Small weights go first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.papers import HAN2015
from replank.parts.pruning._flat import Flat
from replank.parts.pruning._interface import Pruner
from replank.sources import Source


class GlobalMagnitude(Pruner):
    """The smallest weights of all layers together.

    Source: [han2015both], with one threshold for all layers.
    """

    source = Source(HAN2015, "section 3, with one threshold for all layers", "recalled")

    def remove(self, flat: Flat, n: int) -> Tensor:
        """By ``|w|``."""
        return flat.smallest(flat.weights.abs(), n)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)


class LayerMagnitude(Pruner):
    """The smallest weights of each layer, the same share in each.

    Shares are rounded down; the layers with the largest remainders, the first of them, give one more until the sum is
    right.

    Source: [han2015both], a threshold for each layer.
    """

    source = Source(HAN2015, "section 3, a threshold for each layer", "recalled")

    def remove(self, flat: Flat, n: int) -> Tensor:
        """By ``|w|`` within the layer."""
        size = flat.weights.abs()
        quotas = _quotas(torch.bincount(flat.layer[flat.alive], minlength=int(flat.layer.max()) + 1).tolist(), n)
        return torch.cat(
            [flat.smallest(size, quota, among=flat.layer == number) for number, quota in enumerate(quotas)]
        )

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)


def _quotas(counts: list[int], n: int) -> list[int]:
    total = max(1, sum(counts))
    quotas = [count * n // total for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda each: -(counts[each] * n % total))
    for number in by_remainder[: n - sum(quotas)]:
        quotas[number] += 1
    return quotas
