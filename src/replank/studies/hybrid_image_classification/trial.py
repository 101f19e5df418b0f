"""One trial: build the network at its place in the grid, train it by its recipe, attack it, and look what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from replank.lab.task import Classification
from replank.lab.training import evaluate, train
from replank.lab.trial import Measurements, Trial
from replank.measure.attacks import clamp_only, pgd
from replank.measure.classification import accuracy
from replank.measure.evaluation import evaluating, predict
from replank.measure.parameters import count_parameters
from replank.measure.resources import ResourceMeter, subnormal_count
from replank.studies.hybrid_image_classification.data import PIXELS, Parts, Pixels, parts, source
from replank.studies.hybrid_image_classification.factors import CELLS, CLASSICAL, HYBRID, Cell, Recipe
from replank.studies.hybrid_image_classification.model import build
from replank.studies.hybrid_image_classification.pace import ClockedFeed, flushing_speedup, slowdown
from replank.studies.hybrid_image_classification.recipes import LABEL_SMOOTHING, RECIPES, budget
from replank.studies.hybrid_image_classification.settings import HybridSettings

EPS, ALPHA = 0.1, 0.01
_CARDS = {"mnist": ((1, 28, 28), 10), "cifar100": ((3, 32, 32), 100), "stl10": ((3, 96, 96), 10)}


@dataclass
class _Kept:
    """Builds a recipe's optimiser and keeps it: what it remembers is looked at after training."""

    recipe: Recipe
    optimiser: torch.optim.Optimizer | None = field(default=None, init=False)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        self.optimiser = RECIPES[self.recipe].optimiser(parameters)
        return self.optimiser


def run(trial: Trial) -> Measurements:
    """Train one arm; arms of one seed share images, order, augmentation and whatever they do not replace."""
    settings: HybridSettings = trial.settings
    data = source(trial.dataset, settings, trial.seed)
    sets = parts(data, settings, trial.seed, trial.device)
    cell = Cell(settings.bottleneck, settings.trunk, settings.recipe)
    model = build(cell, settings.network, data.card.shape, len(data.card.classes), seed=trial.seed)
    # the same network, twice as fast on a CPU: small convolutions and pools like the channels of a pixel side by side
    model = model.to(trial.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    task, kept, training = Classification(LABEL_SMOOTHING), _Kept(settings.recipe), ClockedFeed(sets.training)
    plan = budget(settings.recipe, settings.epochs, optimiser=kept, evaluate_every=settings.evaluate_every)
    chosen_on = sets.augmented_validation if settings.augment_validation else sets.validation
    meter = ResourceMeter(trial.device)
    with meter if settings.compare_flushing else nullcontext():
        measured = train(
            model, task, training, sets.test, plan, seed=trial.seed, progress=trial.progress, validation=chosen_on
        )
    measured.metrics |= (
        _selection(model, task, sets, measured)
        | {"subnormal_numbers": float(sum(subnormal_count(model, kept.optimiser).values()))}
        | slowdown(training.seconds)
        | _savings(trial.arm.name)
    )
    if settings.n_attacked:
        scale = PIXELS[settings.network]
        measured.metrics |= under_attack(model, sets.test_pixels, sets.test.y, scale, settings, trial.seed)
    if settings.compare_flushing:
        measured.metrics |= meter.metrics("training_")
        measured.metrics |= flushing_speedup(model, task, sets.training, settings, kept.optimiser, trial.seed)
    return measured


def under_attack(
    model: nn.Module, pixels: Tensor, labels: Tensor, scale: Pixels, settings: HybridSettings, seed: int
) -> dict[str, float]:
    """Accuracy on the first test images: clean, attacked, attacked as published, and only clamped as published.

    Args:
        model: takes normalised images.
        pixels: in [0, 1].
        labels: class numbers.
        scale: the normalisation.
        settings: how many images and steps.
        seed: of the attack's random starts.
    """
    x, y = pixels[: settings.n_attacked], labels[: settings.n_attacked]
    attack = partial(
        pgd, model, x, y, eps=EPS, alpha=ALPHA, steps=settings.attack_steps, seed=seed, mean=scale.mean, std=scale.std
    )
    clamped = clamp_only(x, mean=scale.mean, std=scale.std)
    with evaluating(model):
        disturbed = {
            "test_accuracy_attack_none": x,
            "test_accuracy_attack_pgd": attack(),
            "test_accuracy_attack_as_published": attack(legacy_clamp=True),
            "test_accuracy_attack_clamp_alone": clamped,
        }
    found = {
        name: accuracy(predict(model, scale.normalised(images), batch_size=250), y)
        for name, images in disturbed.items()
    }
    fall = found["test_accuracy_attack_none"] - found["test_accuracy_attack_as_published"]
    if fall > 0:
        by_clamp = found["test_accuracy_attack_none"] - found["test_accuracy_attack_clamp_alone"]
        found["share_of_published_fall_by_clamp"] = by_clamp / fall
    return found | clamp_facts(x, scale)


def clamp_facts(pixels: Tensor, scale: Pixels) -> dict[str, float]:
    """How far the published clamp to [0, 1] moves normalised pixels before any attack."""
    z = scale.normalised(pixels)
    moved = (scale.normalised(clamp_only(pixels, mean=scale.mean, std=scale.std)) - z).abs()
    return {
        "clamp_moves_by_mean": float(moved.mean()),
        "clamp_moves_by_most": float(moved.max()),
        "clamp_raises_share": float((z < 0).float().mean()),
        "clamp_lowers_share": float((z > 1).float().mean()),
    }


def parameter_saving(network: str) -> float:
    """By how many per cent the published hybrid has fewer parameters than the classical network of a data set."""
    shape, n_classes = _CARDS[network]
    hybrid, classical = (
        count_parameters(build(CELLS[arm], network, shape, n_classes, seed=0)).total for arm in (HYBRID, CLASSICAL)
    )
    return 100 * (1 - hybrid / classical)


def _savings(arm: str) -> dict[str, float]:
    """Counted from the modules of all three sets, whatever this trial ran on; once, for the hybrid."""
    if arm != HYBRID:
        return {}
    return {f"percent_fewer_parameters_{network}": parameter_saving(network) for network in _CARDS}


def _selection(model: nn.Module, task: Classification, sets: Parts, measured: Measurements) -> dict[str, float]:
    """What a choice on other images than clean validation ones would have said."""
    disturbed = evaluate(model, task, sets.augmented_validation, "augmented_validation_")
    return {
        "augmented_validation_accuracy": disturbed["augmented_validation_accuracy"],
        "test_accuracy_chosen_on_test": max(row["test_accuracy"] for row in measured.curves),
        "validation_images_in_test": float(sets.shared),
    }
