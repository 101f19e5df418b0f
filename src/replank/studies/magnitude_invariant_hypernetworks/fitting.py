"""One training in the shared loop, with what is recorded on the way: gradients, magnitudes, losses by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from replank.lab.task import Task
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Progress
from replank.measure.magnitude import Magnitudes, magnitude_diagnostics
from replank.seeding import isolated, torch_stream
from replank.studies.magnitude_invariant_hypernetworks.data import Feeds
from replank.studies.magnitude_invariant_hypernetworks.model import Conditioned, build
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings
from replank.studies.magnitude_invariant_hypernetworks.tasks import ConditionedClassification, Registration

SETTLED, LOOKED_AT = 20, 200
"""Gradient norms are compared over so many steps after the first ones."""
N_GRID = 101

# fused: one pass over the last layer, which has nearly all parameters
OPTIMISERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
}


@dataclass
class Fitted:
    """A trained model and what was measured."""

    model: Conditioned
    measured: Measurements


@dataclass
class _GradientNorms:
    """Keeps the norm of each step's gradient; called between backward pass and step."""

    norms: list[float] = field(default_factory=list)

    def __call__(self, parameters: Sequence[nn.Parameter]) -> None:
        gradients = [each.grad for each in parameters if each.grad is not None]
        self.norms.append(float(nn.utils.get_total_norm(gradients)))

    def cv(self) -> float:
        """Standard deviation over mean, after the first steps."""
        steady = np.array(self.norms[min(SETTLED, len(self.norms) // 2) :][:LOOKED_AT])
        return float(steady.std() / steady.mean())


@dataclass
class _Looks:
    """Magnitudes at each evaluation, told by the loop's progress."""

    model: Conditioned
    progress: Progress
    points: list[dict[str, float]] = field(default_factory=list)

    def look(self) -> None:
        """Note the magnitudes of now."""
        if self.model.hyper is not None:
            found = magnitudes(self.model)
            self.points.append({"correlation": abs(found.correlation), "cv": found.cv})

    def __call__(self, epoch: int, n_epochs: int, row: Mapping[str, float]) -> None:
        self.look()
        self.progress(epoch, n_epochs, row)


def task_of(settings: HyperSettings) -> Task:
    """Loss and metrics of an experiment."""
    return Registration() if settings.problem in ("registration", "start") else ConditionedClassification()


def gammas_in_training(settings: HyperSettings) -> Tensor:
    """Three hyper-inputs at which a model is evaluated while it is trained, ``(3, d)``."""
    if settings.d == 1:
        return torch.tensor([[0.1], [0.5], [0.9]])
    return torch.rand(3, settings.d, generator=torch_stream(0, "validation gammas"))


def grid_of(d: int) -> Tensor:
    """Where magnitudes are looked at: 101 values from 0 to 1, or as many random points, ``(101, d)``."""
    if d == 1:
        return torch.linspace(0, 1, N_GRID)[:, None]
    return torch.rand(N_GRID, d, generator=torch_stream(0, "magnitudes"))


def magnitudes(model: Conditioned) -> Magnitudes:
    """Of what a model's hypernetwork predicts for what it sees."""
    assert model.hyper is not None
    gammas = grid_of(model.gammas.shape[1]).to(model.hyper.head.weight)
    found = magnitude_diagnostics(model.hyper, gammas)
    if model.sees is None:
        return found
    seen = magnitude_diagnostics(model.hyper, torch.full_like(gammas, model.sees))
    return Magnitudes(seen.by_tensor, seen.norms, slope=0.0, r2=seen.r2, cv=seen.cv, correlation=0.0)


def fit(
    settings: HyperSettings,
    sets: Feeds,
    *,
    seed: int,
    device: torch.device,
    progress: Progress,
    trained_at: float | None = None,
) -> Fitted:
    """Train with each step size; the one with the least validation loss at the end counts."""
    runs = [_with_step_size(lr, settings, sets, seed, device, progress, trained_at) for lr in settings.lrs]
    return min(runs, key=lambda run: run.measured.metrics["validation_loss"])


def _with_step_size(
    lr: float,
    settings: HyperSettings,
    sets: Feeds,
    seed: int,
    device: torch.device,
    progress: Progress,
    trained_at: float | None,
) -> Fitted:
    model = build(settings, gammas_in_training(settings), seed, trained_at).to(device)
    norms, looks = _GradientNorms(), _Looks(model, progress)
    looks.look()
    budget = Budget(
        settings.steps // settings.every, partial(OPTIMISERS[settings.optimiser], lr=lr), limit_gradients=norms
    )
    with isolated(seed, "gammas"):  # what is measured before training draws hyper-inputs, too
        measured = train(
            model,
            task_of(settings),
            sets.training,
            sets.test,
            budget,
            seed=seed,
            progress=looks,
            validation=sets.validation,
        )
    for row, point in zip(measured.curves, looks.points[1:], strict=False):
        row |= point
    measured.metrics |= {"lr": lr, "gradient_norm_cv": norms.cv()} | _by_step(measured, settings) | _magnitude(looks)
    return Fitted(model, measured)


def _by_step(measured: Measurements, settings: HyperSettings) -> dict[str, float]:
    """Validation losses by step, and the mean of their logarithms: the area under that curve."""
    losses = {int(row["epoch"]) * settings.every: row["validation_loss"] for row in measured.curves}
    area = sum(map(math.log, losses.values())) / len(losses)
    return {f"validation_loss_at_{step}": loss for step, loss in losses.items()} | {"mean_log_validation_loss": area}


def _magnitude(looks: _Looks) -> dict[str, float]:
    if not looks.points:
        return {}
    return {
        f"{when}_{name}": value
        for when, point in (("initial", looks.points[0]), ("early", looks.points[1]), ("final", looks.points[-1]))
        for name, value in point.items()
    }


@torch.no_grad()
def sensitivity(model: Conditioned) -> float:
    """How much predictions vary with the hyper-input: standard deviation over gammas, relative to the mean's norm."""
    if model.hyper is None or model.sees is not None:
        return 0.0
    hyper = model.hyper.eval()
    theta = hyper.flatten(hyper(gamma=grid_of(model.gammas.shape[1]).to(hyper.head.weight)))
    mean = theta.mean(0)
    return float((theta - mean).square().sum(1).mean().sqrt() / mean.norm())
