"""One trial: a forecast of a series, or learning to act in a grid world."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import numpy as np
import torch
from torch import nn

from replank.lab.actor_critic import ActorCriticBudget, train_actor_critic
from replank.lab.forecasting import Forecast, ForecastingData, forecasting_data, measured
from replank.lab.grid_worlds import N_ACTIONS, OBSERVATION_SIZE, grid_worlds
from replank.lab.training import Budget, predictions, train
from replank.lab.trial import Measurements, Trial
from replank.measure.circuit_evaluations import count_circuit_evaluations
from replank.measure.gradients import count_moved
from replank.seeding import isolated, torch_stream
from replank.studies.quantum_fast_weights.model import closed_form, forecaster, policy
from replank.studies.quantum_fast_weights.order import largest_change_by_order
from replank.studies.quantum_fast_weights.settings import (
    CHECKPOINTS,
    CLOSED_FORMS,
    ForecastSettings,
    NavigationSettings,
)

FOLLOWED = ("qfwp", "qlstm")
"""Arms whose training loss after each epoch is a metric, too: a rule compares when they get to the same one."""
N_WINDOWS = 100
"""Random windows on which it is seen whether order counts."""


def run(trial: Trial) -> Measurements:
    """Train one arm."""
    if isinstance(trial.settings, NavigationSettings):
        return _navigate(trial, trial.settings)
    return _forecast(trial, trial.settings)


def _forecast(trial: Trial, settings: ForecastSettings) -> Measurements:
    values = trial.series.values[: settings.first or None]
    data = forecasting_data(values, settings.window, official_scaling=settings.official_scaling, device=trial.device)
    with isolated(trial.seed, "part"):
        if settings.core in CLOSED_FORMS:
            fitted = closed_form(settings, data)
            return Measurements(measured(fitted, data).metrics, artefacts=_drawn(fitted, data))
        model = forecaster(settings).to(trial.device)
    budget = Budget(settings.epochs, partial(torch.optim.RMSprop, lr=settings.lr, alpha=0.99, eps=1e-8))
    training, test = data.feeds(settings.batch_size)
    found = train(model, Forecast(), training, test, budget, seed=trial.seed, progress=trial.progress)
    found.metrics |= _after_epochs(found.curves, followed=trial.arm.name in FOLLOWED)
    found.metrics |= _of_the_core(model, data, trial.seed)
    found.artefacts = _drawn(model, data)
    return found


def _after_epochs(curves: list[dict[str, float]], *, followed: bool) -> dict[str, float]:
    """Test errors where the paper tells them; training losses after each epoch of arms that are compared in speed."""
    errors = {f"epoch_{row['epoch']:.0f}_test_mse": row["test_loss"] for row in curves if row["epoch"] in CHECKPOINTS}
    losses = {f"train_loss_after_{row['epoch']:.0f}": row["train_loss"] for row in curves}
    return errors | (losses if followed else {})


def _of_the_core(model: nn.Module, data: ForecastingData, seed: int) -> dict[str, float]:
    """What follows from how the core is built."""
    counts = count_circuit_evaluations(model, data.train_x[:1])
    # steps of a smooth series are alike, and their order matters little to any model
    shape, stream = (N_WINDOWS, *data.train_x.shape[1:]), torch_stream(seed, "random windows")
    random = 2 * torch.rand(shape, dtype=data.train_x.dtype, generator=stream).to(data.train_x.device) - 1
    return {
        "largest_change_by_order": largest_change_by_order(model, random),
        "moved_parameters": float(count_moved(model, lambda: Forecast().loss(model(data.train_x), data.train_y))),
        "circuit_evaluations": float(counts.forward),
        "shifted_evaluations": float(counts.shifted),
    }


def _drawn(model: nn.Module, data: ForecastingData) -> dict[str, np.ndarray]:
    """Of each test window: what followed, and what was forecast."""
    forecast, target = predictions(model, data.feeds(len(data.test_x))[1])
    return {"forecast": torch.cat((target, forecast), 1).cpu().numpy()}


def _navigate(trial: Trial, settings: NavigationSettings) -> Measurements:
    with closing(grid_worlds(settings.world, settings.n_envs)) as worlds:
        with isolated(trial.seed, "part"):
            model = policy(settings, OBSERVATION_SIZE, N_ACTIONS).to(trial.device)
        budget = ActorCriticBudget(
            settings.env_steps, optimiser=partial(torch.optim.Adam, lr=settings.lr, betas=(0.92, 0.999))
        )
        return train_actor_critic(model, worlds, budget, seed=trial.seed, progress=trial.progress)
