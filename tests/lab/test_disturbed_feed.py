from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from replank.errors import UsageError
from replank.lab.disturbed_feed import DisturbedFeed
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.measure import fgsm, robust_accuracy

X = torch.arange(22.0).reshape(11, 2)
Y = torch.arange(11)


def feed(size=4):
    return TensorFeed(X, Y, batch_size=size)


def shifted(x, y, seed):
    return x + 100


@pytest.mark.parametrize(("share", "counts"), [(0.5, [2, 2, 1]), (1.0, [4, 4, 3]), (0.1, [1, 1, 1])])
def test_the_first_samples_of_each_batch_are_disturbed_and_order_and_targets_stay(share, counts):
    plain, disturbed = list(feed().shuffled(3, 1)), list(DisturbedFeed(feed(), shifted, share=share).shuffled(3, 1))
    assert len(plain) == len(disturbed) == 3
    for (x, y), (moved, same), n in zip(plain, disturbed, counts, strict=True):
        assert torch.equal(same, y)
        assert torch.equal(moved[:n], x[:n] + 100)
        assert torch.equal(moved[n:], x[n:])


def test_evaluation_sees_samples_as_they_are():
    found = DisturbedFeed(feed(), shifted)
    assert (found.n_samples, found.n_batches) == (11, 3)
    assert torch.equal(torch.cat([x for x, _ in found.ordered()]), X)


def test_seeds_of_batches_depend_on_seed_and_epoch_alone():
    def seeds(seed, epoch):
        seen = []
        list(DisturbedFeed(feed(), lambda x, y, each: seen.append(each) or x).shuffled(seed, epoch))
        return seen

    assert seeds(0, 1) == seeds(0, 1)
    assert len({*seeds(0, 1), *seeds(0, 2), *seeds(1, 1)}) == 9


def test_a_batch_is_disturbed_when_it_is_asked_for():
    model = nn.Linear(2, 2)
    seen = []
    batches = DisturbedFeed(feed(), lambda x, y, seed: seen.append(model.weight.sum().item()) or x).shuffled(0, 1)
    for _ in batches:
        with torch.no_grad():
            model.weight.add_(1)
    assert seen == pytest.approx([seen[0], seen[0] + 4, seen[0] + 8], abs=1e-5)


def test_adversarial_training_in_the_shared_loop_makes_a_model_robust():
    stream = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (400,), generator=stream)
    # one feature that is large and right nine times in ten, and many small ones that together are always right
    strong = torch.where(torch.rand(400, generator=stream) < 0.9, 1.0, -1.0) * (2 * y - 1)
    weak = 0.1 * (2 * y - 1)[:, None] + 0.02 * torch.randn(400, 20, generator=stream)
    x = torch.cat((strong[:, None], weak), 1)
    attack = partial(fgsm, eps=0.25, bounds=(-9, 9))
    plain = TensorFeed(x, y, batch_size=50)
    budget = Budget(30, partial(torch.optim.Adam, lr=0.02))

    def robustness(adversarial):
        torch.manual_seed(0)
        model = nn.Linear(21, 2)
        training = DisturbedFeed(plain, lambda x, y, seed: attack(model, x, y)) if adversarial else plain
        train(model, Classification(), training, plain, budget, seed=0, progress=lambda *_: None)
        return robust_accuracy(model, x, y, attack)

    assert robustness(adversarial=True) > robustness(adversarial=False) + 0.2


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(UsageError, match=r"`share` must be in \(0, 1\], got share="):
        DisturbedFeed(feed(), shifted, share=share)
