"""Epochs shorter than a pass, put together again, are the pass."""

from __future__ import annotations

import pytest
import torch

from replank.errors import UsageError
from replank.lab.feed import TensorFeed
from replank.lab.short_epochs import ShortEpochs

X = torch.arange(24.0)[:, None]
FEED = TensorFeed(X, X[:, 0], batch_size=4, evaluation_batch_size=5)


@pytest.mark.parametrize("n_batches", [1, 2, 3, 6])
def test_a_pass_is_its_short_epochs(n_batches):
    short = ShortEpochs(FEED, n_batches)
    for number in (1, 2):
        whole = [x for x, _ in FEED.shuffled(3, number)]
        n = 6 // n_batches
        parts = [x for epoch in range((number - 1) * n + 1, number * n + 1) for x, _ in short.shuffled(3, epoch)]
        assert torch.equal(torch.cat(parts), torch.cat(whole))
    assert short.n_batches == n_batches
    assert short.n_samples == 4 * n_batches


def test_the_first_batches_are_evaluated():
    found = torch.cat([x for x, _ in ShortEpochs(FEED, 2, n_evaluated=2).ordered()])
    assert torch.equal(found, X[:10])


@pytest.mark.parametrize(("n_batches", "n_evaluated"), [(4, 1), (0, 1), (7, 1), (2, 0)])
def test_what_can_not_be_divided(n_batches, n_evaluated):
    with pytest.raises(UsageError, match="n_"):
        ShortEpochs(FEED, n_batches, n_evaluated=n_evaluated)
