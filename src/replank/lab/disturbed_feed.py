"""Training batches of which a share is disturbed as they are drawn: adversarial training, and its control by noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from replank.errors import UsageError
from replank.lab.feed import Batch, Feed
from replank.seeding import torch_stream

Disturb = Callable[[Tensor, Tensor, int], Tensor]
"""From inputs, targets and a seed to disturbed inputs of the same shape."""


class DisturbedFeed:
    """Another feed's batches, the first samples of each of which are disturbed; evaluation sees them as they are.

    A batch is disturbed when the training loop asks for it, that is after the step on the one before: an attack on the
    model that is being trained meets its current parameters. So ``task.loss`` of these batches, step by step, is
    adversarial training (Madry et al., arXiv 1706.06083) in the shared loop.

    Args:
        feed: where batches come from.
        disturb: from inputs, targets and a seed of the batch to inputs.
        share: of a batch, rounded down to whole samples, but at least one.

    Raises:
        UsageError: a share that is not in (0, 1].
    """

    def __init__(self, feed: Feed, disturb: Disturb, *, share: float = 0.5):
        if not 0 < share <= 1:
            raise UsageError(f"DisturbedFeed: `share` must be in (0, 1], got share={share}.")
        self.feed, self.disturb, self.share = feed, disturb, share

    @property
    def n_samples(self) -> int:
        """Number of samples, disturbed or not."""
        return self.feed.n_samples

    @property
    def n_batches(self) -> int:
        """Number of training batches in an epoch."""
        return self.feed.n_batches

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """The training batches of one epoch; their order is that of the other feed."""
        stream = torch_stream(seed, "disturbance", epoch)
        for x, y in self.feed.shuffled(seed, epoch):
            n = max(1, int(self.share * len(x)))
            disturbed = self.disturb(x[:n], y[:n], int(torch.randint(2**62, (), generator=stream)))
            yield torch.cat((disturbed, x[n:])), y

    def ordered(self) -> Iterator[Batch]:
        """All batches once, undisturbed."""
        return self.feed.ordered()
