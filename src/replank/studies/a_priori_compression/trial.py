"""One trial: which of the experiments it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from replank.lab.feed import TensorFeed
from replank.lab.training import predictions
from replank.lab.trial import Measurements, Trial
from replank.studies.a_priori_compression.costs import run_costs
from replank.studies.a_priori_compression.fitting import Feeds, Fitted, fit
from replank.studies.a_priori_compression.network import Shape, stack
from replank.studies.a_priori_compression.rollout import run_rollout
from replank.studies.a_priori_compression.settings import CompressionSettings
from replank.studies.a_priori_compression.task import relative_errors
from replank.studies.a_priori_compression.waves import Waves, waves


def run(trial: Trial) -> Measurements:
    """Train and measure the arm's network, or measure its layer."""
    settings: CompressionSettings = trial.settings
    match settings.problem:
        case "cost":
            return run_costs(trial)
        case "step":
            return run_rollout(trial)
        case "one-shot" | "space-time":
            return run_fields(trial)


def run_fields(trial: Trial) -> Measurements:
    """All frames at once."""
    settings: CompressionSettings = trial.settings
    split = waves(settings.world)
    train = split.train.some(0, settings.n_train or settings.world.n_train)
    scale = float(train.frames.std())
    in_time = settings.problem == "space-time"
    shape = Shape(2, 1, 3) if in_time else Shape(2, settings.world.n_frames)
    of = space_time if in_time else one_shot
    feeds = Feeds(*(_feed(*of(each, scale), settings, trial.device) for each in (train, split.validation, split.test)))
    fitted = fit(trial, shape, feeds, feeds.train.y.mean(0))
    return replace(fitted.measured, artefacts=_shown(fitted, feeds.test, settings.world.n))


def one_shot(some: Waves, scale: float) -> tuple[Tensor, Tensor]:
    """Inputs ``(N, 2, n + 1, n + 1)``, first frame and speed, and targets ``(N, F, n + 1, n + 1)``."""
    start, speed, frames = _tensors(some, scale)
    return stack(start, speed), frames


def space_time(some: Waves, scale: float) -> tuple[Tensor, Tensor]:
    """The same with a copy for each frame.

    Inputs are ``(N, 2, F, n + 1, n + 1)``: the first frame, and how far a wave has come by then, which is the speed
    times the time, in units of the last. Targets are ``(N, 1, F, n + 1, n + 1)``.
    """
    start, speed, frames = _tensors(some, scale)
    n_frames = frames.shape[1]
    times = torch.arange(1, n_frames + 1) / n_frames
    travelled = speed[:, None] * times[:, None, None]
    return stack(start[:, None].expand_as(travelled), travelled), frames[:, None]


def _tensors(some: Waves, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(some.start) / scale,
        torch.from_numpy(some.speed),
        torch.from_numpy(some.frames) / scale,
    )


def _feed(x: Tensor, y: Tensor, settings: CompressionSettings, device: torch.device) -> TensorFeed:
    return TensorFeed(x.to(device), y.to(device), batch_size=settings.batch_size, evaluation_batch_size=64)


def _shown(fitted: Fitted, test: TensorFeed, n: int) -> dict[str, np.ndarray]:
    """Errors of each frame, mean over test simulations, and four frames of the first one with what was predicted."""
    outputs, targets = (each.reshape(len(each), -1, n + 1, n + 1) for each in predictions(fitted.model, test))
    some = torch.linspace(0, targets.shape[1] - 1, 4).round().long()
    return {
        "error_by_frame": relative_errors(outputs, targets, n).mean(0).cpu().numpy(),
        "fields": torch.stack((targets[0, some], outputs[0, some])).cpu().numpy(),
    }
