"""One trial: split, frame and decompose the images, build the model, train it."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn

from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, ScheduleBuilder, predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure.classification import accuracy
from replank.measure.loss_floor import bounded_logit_floor
from replank.seeding import isolated
from replank.studies.hamiltonian_embedding.data import framed, selected
from replank.studies.hamiltonian_embedding.model import ArmModel, build
from replank.studies.hamiltonian_embedding.settings import EmbeddingSettings

ONE_START = "embedding-one-start"
TEST_BATCH = 1000  # the published accuracy on MNIST is the mean over batches of a thousand, the last of which has 17


def run(trial: Trial) -> Measurements:
    """Train one arm; split, order and start depend on the seed, but for the arm that always starts alike."""
    settings: EmbeddingSettings = trial.settings
    data = selected(trial.dataset, settings, trial.seed)
    training, test = ((framed(x), y) for x, y in tensors(data, trial.device))
    arm = initial(trial.arm.name, settings, training[0].shape[-1], trial.seed)
    model = arm.module.to(trial.device)
    training_feed, test_feed = (
        TensorFeed(arm.view(x), y, batch_size=settings.batch_size or len(x), evaluation_batch_size=TEST_BATCH)
        for x, y in (training, test)
    )
    measured = train(
        model, Classification(), training_feed, test_feed, _budget(settings), seed=trial.seed, progress=trial.progress
    )
    floor = probability_floor(settings.n_classes)
    measured.metrics |= {
        "effective_parameters": float(arm.n_effective),
        "layers": float(settings.n_layers),
        "loss_floor": floor,
        "train_loss_above_floor": measured.metrics["least_train_loss"] - floor,
        "test_batch_mean_accuracy": batch_mean_accuracy(*predictions(model, test_feed)),
    }
    return measured


def initial(arm: str, settings: EmbeddingSettings, side: int, seed: int) -> ArmModel:
    """An arm's model as it starts."""
    with isolated(0 if arm == ONE_START else seed, "initialisation"):
        return build(arm, settings, side)


def probability_floor(n_classes: int) -> float:
    """The least cross-entropy of probabilities as logits, ``ln(1 + (K - 1) / e)``, whatever the class frequencies are.

    With a bias the floor depends on them; here there is none, and each sample alone obeys the bound of equal classes.
    """
    return bounded_logit_floor([1.0] * n_classes)


def batch_mean_accuracy(logits: Tensor, labels: Tensor, batch_size: int = TEST_BATCH) -> float:
    """The mean of the accuracies of batches, as published: a sample of a small last batch counts for more."""
    batches = zip(torch.split(logits, batch_size), torch.split(labels, batch_size), strict=True)
    each = [accuracy(*batch) for batch in batches]
    return sum(each) / len(each)


def _budget(settings: EmbeddingSettings) -> Budget:
    return Budget(
        settings.epochs,
        functools.partial(torch.optim.Adam, lr=settings.lr),
        schedule=_schedule(settings),
        limit_gradients=functools.partial(nn.utils.clip_grad_value_, clip_value=1.0) if settings.clip else None,
        evaluate_every=settings.evaluate_every,
    )


def _schedule(settings: EmbeddingSettings) -> ScheduleBuilder | None:
    if settings.schedule == "constant":
        return None

    def build_schedule(optimiser: torch.optim.Optimizer, n_steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: step_factor(settings, step, n_steps))

    return build_schedule


def step_factor(settings: EmbeddingSettings, step: int, n_steps: int) -> float:
    """What the step size is multiplied by at a step, counted from 0."""
    if settings.schedule == "decay":
        return 0.99 ** (step / settings.decay_every)
    return 0.95 + 0.05 * (1 + math.cos(math.pi * min(1.0, step / n_steps))) / 2
