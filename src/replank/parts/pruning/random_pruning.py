"""Any weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.pruning._flat import Flat
from replank.parts.pruning._interface import Pruner
from replank.seeding import torch_stream
from replank.sources import Source


class RandomPruning(Pruner):
    """Weights drawn at random, the control of every other.

    The draw depends on the seed and on how many weights are left, and on nothing that went before.

    Args:
        seed: of the draw.

    Source: our own.
    """

    source = Source(None, "the control without a criterion", "ours")

    def __init__(self, seed: int = 0):
        self.seed = seed

    def remove(self, flat: Flat, n: int) -> Tensor:
        """By random numbers."""
        return flat.smallest(random_scores(flat, self.seed), n)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without a seed."""
        return ({}, {"seed": 3})

    def options(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


def random_scores(flat: Flat, seed: int) -> Tensor:
    """A number for each weight, from a stream of the seed and of how many weights are left."""
    stream = torch_stream(seed, "pruning", flat.n_alive)
    return torch.rand(len(flat.weights), generator=stream, dtype=torch.float64).to(flat.weights.device)
