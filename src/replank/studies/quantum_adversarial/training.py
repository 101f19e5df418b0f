"""How models are trained here: on clean samples, or with half of each batch attacked or disturbed at random."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from replank.lab.disturbed_feed import Disturb, DisturbedFeed
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Progress
from replank.studies.quantum_adversarial.settings import Recipe

N_EVALUATIONS = 5
REACH = 2.5
"""Steps of an attack are so many radii long in all, so that they can cross the ball."""


def fitted(
    model: nn.Module,
    feeds: tuple[TensorFeed, TensorFeed],
    settings: Recipe,
    disturb: Disturb | None,
    *,
    seed: int,
    progress: Progress,
) -> Measurements:
    """Train a model in place; ``disturb`` is what half of each batch goes through."""
    training, test = feeds
    epochs = max(1, round(settings.iterations / training.n_batches))
    # without memory each step is lr times the sign of the gradient
    betas = (0.0, 0.0) if settings.forgetful else (0.9, 0.999)
    optimiser = partial(torch.optim.Adam, lr=settings.lr, betas=betas)
    budget = Budget(epochs, optimiser, evaluate_every=-(-epochs // N_EVALUATIONS))
    feed = training if disturb is None else DisturbedFeed(training, disturb)
    measured = train(model, Classification(), feed, test, budget, seed=seed, progress=progress)
    measured.metrics["train_steps"] = float(epochs * training.n_batches)
    return measured
