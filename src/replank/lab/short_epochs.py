"""Epochs that are parts of a pass over the data, so that a model is looked at more often."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from replank.errors import UsageError
from replank.lab.feed import Batch, Feed


class ShortEpochs:
    """Another feed's training batches, so many to an epoch; passes begin and end as they did.

    Evaluation sees the other feed's first batches only: it is done often, and its cost must not depend on how much
    there is to train on.

    Args:
        feed: where batches come from.
        n_batches: training batches of an epoch; must divide those of a pass.
        n_evaluated: batches that are evaluated.

    Raises:
        UsageError: a pass can't be divided like that, or nothing is evaluated.
    """

    def __init__(self, feed: Feed, n_batches: int, *, n_evaluated: int = 1):
        if n_batches < 1 or feed.n_batches % n_batches:
            raise UsageError(
                f"ShortEpochs: `n_batches` must divide the {feed.n_batches} batches of a pass, got "
                f"n_batches={n_batches}. Take another number of samples, or another batch size."
            )
        if n_evaluated < 1:
            raise UsageError(f"ShortEpochs: `n_evaluated` must be at least 1, got n_evaluated={n_evaluated}.")
        self.feed, self.n_batches, self.n_evaluated = feed, n_batches, n_evaluated

    @property
    def n_samples(self) -> int:
        """Number of samples of an epoch, rounded."""
        return round(self.feed.n_samples * self.n_batches / self.feed.n_batches)

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """The next batches of the pass that this epoch belongs to."""
        passes, first = divmod((epoch - 1) * self.n_batches, self.feed.n_batches)
        yield from itertools.islice(self.feed.shuffled(seed, passes + 1), first, first + self.n_batches)

    def ordered(self) -> Iterator[Batch]:
        """The first batches, for evaluation."""
        yield from itertools.islice(self.feed.ordered(), self.n_evaluated)
