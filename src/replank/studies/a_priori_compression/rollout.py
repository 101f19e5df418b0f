"""The next frame from the last two, again and again: one step is trained, all are evaluated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from replank.dynamics.wave_fe import WaveFE2D
from replank.lab.feed import TensorFeed
from replank.lab.trial import Measurements, Trial
from replank.measure.evaluation import evaluating
from replank.studies.a_priori_compression.fitting import Feeds, fit
from replank.studies.a_priori_compression.network import Shape, stack
from replank.studies.a_priori_compression.settings import CompressionSettings, World
from replank.studies.a_priori_compression.task import relative_errors
from replank.studies.a_priori_compression.waves import Floats, Waves, element_speed, waves

LARGEST_ERROR = 1e6
"""What a rollout that runs away counts as, so that every trial has a number."""


def run_rollout(trial: Trial) -> Measurements:
    """Train on single steps, then let the network run on its own frames."""
    settings: CompressionSettings = trial.settings
    world = settings.world
    split = waves(world)
    train = split.train.some(0, settings.n_train or world.n_train)
    scale = float(train.frames.std())
    feeds = Feeds(*(_feed(each, scale, settings, trial.device) for each in (train, split.validation, split.test)))
    mean_frames = torch.from_numpy(train.frames).mean(0).to(trial.device) / scale
    fitted = fit(trial, Shape(3, 1), feeds, mean_frames.mean(0, keepdim=True))
    frames, speed = (torch.from_numpy(each).to(trial.device) for each in (split.test.frames, split.test.speed))
    match settings.kind:
        case "zero":
            rolled = torch.zeros_like(frames)
        case "frame-mean":
            rolled = mean_frames.expand_as(frames).clone()
        case _:
            rolled = rollout(fitted.model, frames[:, :2] / scale, speed, frames.shape[1] - 2)
    errors = relative_errors(rolled[:, 2:], frames[:, 2:] / scale, world.n).clamp(max=LARGEST_ERROR)
    drifts = {
        "rollout_energy_drift": energy_drift(rolled.cpu().double().numpy(), split.test, world),
        "solver_energy_drift": energy_drift(split.test.frames, split.test, world),
    }
    return replace(
        fitted.measured,
        metrics=fitted.measured.metrics | {"rollout_l2_error": float(errors.mean())} | drifts,
        artefacts={"error_by_frame": errors.mean(0).cpu().numpy()},
    )


def steps(some: Waves, scale: float) -> tuple[Tensor, Tensor]:
    """Inputs ``(N (F - 2), 3, n + 1, n + 1)``, two frames and the speed, and the next frame."""
    frames, speed = torch.from_numpy(some.frames) / scale, torch.from_numpy(some.speed)
    n_steps = frames.shape[1] - 2
    before, last, after = (frames[:, k : k + n_steps].flatten(0, 1) for k in range(3))
    return stack(before, last, speed.repeat_interleave(n_steps, 0)), after[:, None]


def rollout(model: nn.Module, first: Tensor, speed: Tensor, n_steps: int) -> Tensor:
    """Frames ``(N, 2 + n_steps, n + 1, n + 1)`` from the first two."""
    frames = list(first.unbind(1))
    with evaluating(model):
        for _ in range(n_steps):
            frames.append(model(stack(*frames[-2:], speed))[:, 0])
    return torch.stack(frames, 1).nan_to_num(LARGEST_ERROR).clamp(-LARGEST_ERROR, LARGEST_ERROR)


def energy_drift(frames: Floats, of: Waves, world: World) -> float:
    """By what share the energy between the last two frames differs from that between the first two, mean over waves.

    Fields and their rates are those half-way, by differences: as the solver's frames are some steps apart, its own
    energy, which is constant, shows a drift, too.
    """
    shares = []
    for of_wave, drawn in zip(np.asarray(frames, np.float64), of.parameters, strict=True):
        wave = WaveFE2D(world.n, element_speed(world.n, *drawn[3:]))
        rates = np.diff(of_wave, axis=0) / (world.every * world.dt)
        energies = wave.energy((of_wave[1:] + of_wave[:-1]) / 2, rates)
        shares.append(min(abs(energies[-1] / energies[0] - 1), LARGEST_ERROR) if energies[0] > 0 else 0.0)
    return float(np.mean(shares))


def _feed(some: Waves, scale: float, settings: CompressionSettings, device: torch.device) -> TensorFeed:
    x, y = steps(some, scale)
    return TensorFeed(x.to(device), y.to(device), batch_size=settings.batch_size, evaluation_batch_size=64)
