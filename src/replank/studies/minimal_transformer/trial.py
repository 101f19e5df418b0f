"""One trial: build the arm by swaps, train it, and relate what it has to what it was given."""

from __future__ import annotations

import functools

import torch

from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.measure.overdetermination import overdetermination_ratio
from replank.measure.parameters import count_parameters
from replank.parts.attention import Variant
from replank.parts.patch_classifier import PatchClassifier
from replank.studies.minimal_transformer.arms import FULL_MLP, ladder
from replank.studies.minimal_transformer.costs import run_costs
from replank.studies.minimal_transformer.settings import MinimalSettings


def run(trial: Trial) -> Measurements:
    """Train and measure the arm's classifier, or time its encoder."""
    settings: MinimalSettings = trial.settings
    if settings.problem == "cost":
        return run_costs(trial)
    data = trial.dataset.subset(settings.n_train, settings.n_test, seed=trial.seed)
    training, test = (
        TensorFeed(settings.pixel_scale * x, y, batch_size=settings.batch_size) for x, y in tensors(data, trial.device)
    )
    model = ladder(settings, data.card).model(trial.arm.name, seed=trial.seed).to(trial.device)
    budget = Budget(
        settings.epochs, functools.partial(torch.optim.Adam, lr=settings.lr), evaluate_every=settings.evaluate_every
    )
    measured = train(model, Classification(), training, test, budget, seed=trial.seed, progress=trial.progress)
    found = measured.metrics
    trainable = int(found["trainable_parameters"])
    found |= {
        "test_minus_train_loss": found["test_loss"] - found["train_loss"],
        "overdetermination": overdetermination_ratio(training.n_samples, len(data.card.classes), trainable),
        "cpu_us_per_epoch_and_parameter": 1e6 * found["train_cpu_s_per_epoch"] / found["parameters"],
    }
    if trial.arm.name == FULL_MLP:
        found |= counted()
    return measured


@functools.cache
def counted() -> dict[str, float]:
    """Shares of parameters at N = 64, h = 4, MNIST in patches of 4, counted from the modules."""
    whole, deep = _count("full", 4), _count("full", 4, depth=12)
    return {
        "parameters_without_mlp_over_full": _count("full", None) / whole,
        "parameters_symmetric_over_full": _count("symmetric", None) / whole,
        "parameters_minimum_over_full": _count("wqk_novo", None) / whole,
        "parameters_minimum_over_12_full": _count("wqk_novo", None) / deep,
    }


def _count(variant: Variant, mlp_ratio: float | None, depth: int = 6) -> int:
    return count_parameters(PatchClassifier(28, 4, depth=depth, variant=variant, mlp_ratio=mlp_ratio)).total
