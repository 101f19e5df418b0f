"""The training loop against closed forms, and the feeds that give it its batches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from replank.errors import TrialError
from replank.lab.feed import LoaderFeed, TensorFeed, make_feed
from replank.lab.task import Classification, Regression
from replank.lab.training import Budget, at_initialisation, evaluate, train

CPU = torch.device("cpu")


def line(n: int = 40) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(1))
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3


def sgd(lr: float) -> partial:
    return partial(torch.optim.SGD, lr=lr)


def fit(model: nn.Module, feed: TensorFeed, *, epochs: int = 1, lr: float = 0.1, seed: int = 0):
    return train(model, Regression(), feed, feed, Budget(epochs, sgd(lr)), seed=seed, progress=lambda *_: None)


def test_one_full_batch_is_one_step_of_gradient_descent():
    x, y = line()
    model = nn.Linear(3, 1)
    weight = model.weight.detach().clone()
    residual = model(x).detach() - y
    fit(model, TensorFeed(x, y, batch_size=len(x)), lr=0.1)
    assert torch.allclose(model.weight, weight - 0.1 * 2 * (residual * x).mean(0), atol=1e-6)


def test_it_converges_to_least_squares():
    x, y = line()
    model = nn.Linear(3, 1)
    measured = fit(model, TensorFeed(x, y, batch_size=10), epochs=60)
    solution = np.linalg.lstsq(np.c_[x.numpy(), np.ones(len(x))], y.numpy(), rcond=None)[0].ravel()
    assert np.allclose(model.weight.detach().numpy().ravel(), solution[:3], atol=1e-4)
    assert measured.metrics["test_r2"] == pytest.approx(1, abs=1e-6)
    losses = [row["train_loss"] for row in measured.curves]
    assert measured.metrics["least_train_loss"] == min(losses)
    assert measured.metrics["train_loss"] == losses[-1]


def test_the_gap_is_the_difference_of_the_headlines():
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    feeds = [TensorFeed(x, y, batch_size=7), TensorFeed(x.flip(0), y, batch_size=7)]
    budget = Budget(3, sgd(0.1))
    metrics = train(nn.Linear(4, 3), Classification(), *feeds, budget, seed=0, progress=lambda *_: None).metrics
    assert metrics["train_minus_test_accuracy"] == metrics["train_accuracy"] - metrics["test_accuracy"]


def test_dropout_is_off_when_a_set_is_evaluated_and_on_when_trained():
    model = nn.Sequential(nn.Linear(3, 1), nn.Dropout(0.5))
    feed = TensorFeed(*line(), batch_size=10)
    model.train()
    first, second = (evaluate(model, Regression(), feed) for _ in range(2))
    assert first == second
    assert model.training


def test_a_model_that_can_not_be_trained_is_measured_all_the_same():
    model = nn.Linear(3, 1).requires_grad_(False)
    before = model.weight.clone()
    measured = fit(model, TensorFeed(*line(), batch_size=10))
    assert torch.equal(model.weight, before)
    assert measured.metrics["trainable_parameters"] == 0


def test_a_loss_that_is_not_finite_says_when():
    with pytest.raises(TrialError, match="epoch 1; try a smaller step size"):
        fit(nn.Linear(3, 1), TensorFeed(*line(), batch_size=1), lr=1e30)


def test_looking_at_the_initialisation_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    found = at_initialisation(model, Regression(), TensorFeed(*line(), batch_size=10))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert found["forward_flops"] == 2 * (3 * 4 + 4)
    assert found["initial_gradient_norm.0"] > 0


# -- feeds -----------------------------------------------------------------------------------------------------------


@given(n=st.integers(1, 50), batch_size=st.integers(1, 60), seed=st.integers(0, 1000), epoch=st.integers(1, 9))
def test_an_epoch_holds_each_sample_once_in_an_order_of_its_own(n, batch_size, seed, epoch):
    x = torch.arange(n)
    feed = TensorFeed(x, x, batch_size=batch_size)
    batches = list(feed.shuffled(seed, epoch))
    assert all(len(batch) == batch_size for batch, _ in batches[:-1])
    assert sorted(torch.cat([batch for batch, _ in batches]).tolist()) == list(range(n))
    assert all(torch.equal(a, b) for a, b in batches)
    torch.rand(3)  # what a model draws meanwhile does not matter
    assert [a.tolist() for a, _ in batches] == [a.tolist() for a, _ in feed.shuffled(seed, epoch)]


def test_augmentation_in_a_loader_does_not_depend_on_what_the_model_draws():
    class Noisy(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x + torch.randn_like(x), y

    feed = LoaderFeed(DataLoader(Noisy(torch.zeros(12, 2), torch.arange(12)), batch_size=4, shuffle=True), CPU)

    def epoch(draws: int) -> Tensor:
        seen = []
        for x, y in feed.shuffled(3, 1):
            torch.rand(draws)
            seen.append(torch.cat((x, y[:, None]), 1))
        return torch.cat(seen)

    assert torch.equal(epoch(0), epoch(7))
    assert not torch.equal(epoch(0), torch.cat([torch.cat((x, y[:, None]), 1) for x, y in feed.shuffled(3, 2)]))


def test_labels_of_any_integer_type_reach_the_loss():
    for labels in (np.arange(6, dtype=np.uint8), torch.arange(6, dtype=torch.int32)):
        feed = make_feed((np.zeros((6, 2)), labels), name="training", batch_size=2, device=CPU)
        x, y = next(feed.ordered())
        assert y.dtype == torch.int64
        assert x.dtype == torch.get_default_dtype()
