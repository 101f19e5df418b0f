"""How long an epoch takes, whether it takes longer and longer, and whether subnormal numbers are why.

In the published logs an epoch of the classical network takes up to five times as long at the end as at the beginning.
One explanation would be numbers so close to zero that a CPU computes with them slowly. They can be counted, and the
processor can be told to take them for zero: if they are the reason, an epoch is then as fast as at the beginning.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from replank.lab.feed import Batch, TensorFeed
from replank.lab.task import Classification
from replank.lab.training import train
from replank.measure.resources import flushing_subnormals
from replank.studies.hybrid_image_classification.factors import Recipe
from replank.studies.hybrid_image_classification.recipes import RECIPES, budget
from replank.studies.hybrid_image_classification.settings import HybridSettings

_AT_EITHER_END = 0.25
"""Share of the epochs that counts as beginning and as end."""


class ClockedFeed:
    """A feed that remembers how long each pass over its training batches took, with what was done between them.

    Args:
        feed: where the batches come from.

    Attributes:
        seconds: CPU seconds of this process for each pass that was completed.
    """

    def __init__(self, feed: TensorFeed):
        self.feed = feed
        self.seconds: list[float] = []

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.feed.n_samples

    @property
    def n_batches(self) -> int:
        """Number of training batches in an epoch."""
        return self.feed.n_batches

    def ordered(self) -> Iterator[Batch]:
        """All batches once; not clocked."""
        return self.feed.ordered()

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """The training batches of one epoch, clocked from the first request to the one that finds no more."""
        began = time.process_time()
        yield from self.feed.shuffled(seed, epoch)
        self.seconds.append(time.process_time() - began)


def slowdown(seconds: list[float]) -> dict[str, float]:
    """CPU seconds of an epoch at the beginning and at the end, and their ratio; medians over a quarter of the epochs.

    The first epoch is left out if there are more: it pays for caches and allocators.
    """
    warm = seconds[1:] or seconds
    n = max(1, round(_AT_EITHER_END * len(warm)))
    first, last = statistics.median(warm[:n]), statistics.median(warm[-n:])
    return {"early_epoch_cpu_s": first, "late_epoch_cpu_s": last, "late_over_early_epoch": last / first}


def flushing_speedup(
    model: nn.Module,
    task: Classification,
    training: TensorFeed,
    settings: HybridSettings,
    optimiser: torch.optim.Optimizer | None,
    seed: int,
) -> dict[str, float]:
    """How much faster an epoch from the trained state is if subnormal numbers are taken for zero.

    The two ways are timed in turn, each from a copy of the same model and optimiser.

    Args:
        model: trained; left as it is.
        task: what it was trained for.
        training: what it was trained on.
        settings: recipe, and how often to measure.
        optimiser: with what it remembers from training.
        seed: of the order.
    """
    if optimiser is None:
        return {}
    state = copy.deepcopy(optimiser.state_dict())
    few = TensorFeed(training.x[:2], training.y[:2], batch_size=2)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for repeat in range(settings.compare_flushing):
        for flush in (False, True) if repeat % 2 == 0 else (True, False):
            clocked = ClockedFeed(training)
            again = budget(settings.recipe, 1, optimiser=_Resumed(settings.recipe, state))
            with flushing_subnormals(flush):
                train(copy.deepcopy(model), task, clocked, few, again, seed=seed, progress=_tell_nobody)
            seconds[flush] += clocked.seconds
    usual, flushed = (statistics.median(seconds[flush]) for flush in (False, True))
    return {"epoch_cpu_s": usual, "epoch_cpu_s_flushing": flushed, "speedup_by_flushing": usual / flushed}


class _Resumed:
    """Builds a recipe's optimiser with what it remembered."""

    def __init__(self, recipe: Recipe, state: dict[str, Any]):
        self.recipe, self.state = recipe, state

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimiser = RECIPES[self.recipe].optimiser(parameters)
        optimiser.load_state_dict(copy.deepcopy(self.state))
        return optimiser


def _tell_nobody(epoch: int, n_epochs: int, values: Mapping[str, float]) -> None:
    """The repeated epochs are no progress."""
