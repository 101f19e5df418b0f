"""Hypernetworks before training: does what they predict grow with the hyper-input, and what does a step cost?"""

from __future__ import annotations

import statistics
from dataclasses import replace

import torch

from replank.lab.trial import Measurements
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch
from replank.studies.magnitude_invariant_hypernetworks.data import Feeds
from replank.studies.magnitude_invariant_hypernetworks.fitting import (
    OPTIMISERS,
    gammas_in_training,
    grid_of,
    magnitudes,
    task_of,
)
from replank.studies.magnitude_invariant_hypernetworks.model import Conditioned, build
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings


def run_start(settings: HyperSettings, sets: Feeds, seed: int, device: torch.device) -> Measurements:
    """Magnitudes over 101 hyper-inputs, the number of parameters, and the time of a step beside the raw one's."""
    model = _model(settings, seed, device)
    found = magnitudes(model)
    gammas = grid_of(settings.d)[:, 0].numpy()
    slopes = found.norms.cpu().numpy()[1:] / gammas[1:]
    raw = replace(settings, encoding="none", residual=True, norm=None, last_layer="fan-out")
    other = _model(raw, seed, device)
    extra = count_parameters(model).total - count_parameters(other).total
    metrics = {
        "parameters": float(count_parameters(model).total),
        "initial_cv": found.cv,
        "initial_correlation": abs(found.correlation),
        "proportional_r2": max(found.r2, -1.0),
        "slope_spread": float(slopes.std() / slopes.mean()),
        "parameters_more_than_raw_additive": float(extra),
        "parameters_more_than_stated": float(extra - settings.d * settings.hidden[0]),
        "step_time_over_raw_additive": _step_time(settings, model, other, sets, device),
    }
    return Measurements(metrics, artefacts={"norms": found.norms.cpu().numpy()})


def _model(settings: HyperSettings, seed: int, device: torch.device) -> Conditioned:
    return build(settings, gammas_in_training(settings), seed).to(device)


def _step_time(
    settings: HyperSettings, one: Conditioned, other: Conditioned, sets: Feeds, device: torch.device
) -> float:
    """Median CPU time of a training step over the median of the other model's, taken in turns."""
    task = task_of(settings)
    x, y = next(sets.training.shuffled(0, 1))
    optimisers = [OPTIMISERS[settings.optimiser](each.parameters(), lr=settings.lrs[0]) for each in (one, other)]
    seconds: tuple[list[float], list[float]] = ([], [])
    with torch.random.fork_rng():
        for number in range(2 * (settings.repeats + 2)):
            which = number % 2
            with Stopwatch(device) as watch:
                optimisers[which].zero_grad()
                torch.autograd.backward(task.loss((one, other)[which].train()(x), y))
                optimisers[which].step()
            seconds[which].append(watch.cpu_s)
    medians = [statistics.median(each[2:]) for each in seconds]
    return medians[0] / max(medians[1], 1e-9)
