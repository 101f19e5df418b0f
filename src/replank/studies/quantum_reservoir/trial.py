"""One trial: a forecast of a series, a NARMA system followed from its input, or what a reservoir remembers."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from replank.datasets.narma import narma
from replank.features.ridge_readout import RidgeReadout
from replank.lab.forecasting import PENALTIES, Forecast, Forecaster, ForecastingData, forecasting_data, measured, solved
from replank.lab.training import Budget, at_initialisation, evaluate, train
from replank.lab.trial import Measurements, Trial
from replank.measure.circuit_evaluations import count_circuit_evaluations
from replank.measure.fading_memory import echo_state_distance
from replank.measure.memory_capacity import memory_capacity
from replank.measure.timing import Stopwatch
from replank.parts.recurrent import Reservoir
from replank.parts.recurrent._interface import State
from replank.seeding import isolated, numpy_stream, torch_stream
from replank.studies.quantum_reservoir.model import LINEAR, closed_form, core, delayed, forecaster, streamed
from replank.studies.quantum_reservoir.settings import (
    CHECKPOINTS,
    DrivenSettings,
    MemorySettings,
    SeriesSettings,
    StreamSettings,
)

SETTLED = 1.1
"""Training has settled where its loss is at most so many times the last one."""
FORGOTTEN = 1e-6
"""Distance of two states below which the start counts as forgotten."""
TINY = 1e-10
"""The penalty of what the card calls least squares."""
N_DELAYED = 4
"""Inputs that an autoregression sees."""


def run(trial: Trial) -> Measurements:
    """Measure one arm."""
    match trial.settings:
        case MemorySettings():
            return _remember(trial, trial.settings)
        case DrivenSettings():
            return _follow(trial, trial.settings)
    return _forecast(trial, trial.settings)


# -- forecasts from windows --------------------------------------------------------------------------------------------


def _forecast(trial: Trial, settings: SeriesSettings) -> Measurements:
    values = trial.series.values[: settings.first or None]
    data = forecasting_data(values, settings.window, device=trial.device)
    if settings.cell == "persistence" or settings.readout in LINEAR:
        with isolated(trial.seed, "part"):
            fitted = closed_form(settings, data)
        return measured(fitted, data)
    with isolated(trial.seed, "part"):
        model = forecaster(settings, partial(_drawn_readout, trial), device=trial.device)
    found = _read(trial, settings, model, data) if settings.frozen else _train(trial, settings, model, data)
    found.metrics |= after_epochs(found.curves)
    counts = count_circuit_evaluations(model, data.train_x[:1])
    found.metrics |= {"circuit_evaluations": float(counts.forward), "shifted_evaluations": float(counts.shifted)}
    return found


def _drawn_readout(trial: Trial, n: int) -> nn.Linear:
    """Of a stream of its own: the same for all cores with so many units."""
    with isolated(trial.seed, "host"):
        return nn.Linear(n, 1, device=trial.device, dtype=torch.float64)


def _train(trial: Trial, settings: SeriesSettings, model: Forecaster, data: ForecastingData) -> Measurements:
    """All weights, as published."""
    feeds = data.feeds(settings.batch_size)
    found = train(model, Forecast(), *feeds, _budget(settings), seed=trial.seed, progress=trial.progress)
    found.metrics["uncached_cpu_s_per_epoch"] = found.metrics["train_cpu_s_per_epoch"]
    return found


def _read(trial: Trial, settings: SeriesSettings, model: Forecaster, data: ForecastingData) -> Measurements:
    """A reservoir's read-out alone, from states that are computed once; beside it what a solver makes of the same.

    ``train_*_s_per_epoch`` is of an epoch on these states; ``states_cpu_s`` comes once before, and without keeping
    them, an epoch takes ``uncached_cpu_s_per_epoch``.
    """
    assert model.readout is not None
    whole = at_initialisation(model, Forecast(), data.feeds(settings.batch_size)[0])
    with Stopwatch(trial.device) as watch:
        kept = states_of(model.core, data)
    feeds, again = kept.feeds(settings.batch_size), copy.deepcopy(model)
    found = train(model.readout, Forecast(), *feeds, _budget(settings), seed=trial.seed, progress=trial.progress)
    once = train(
        again,
        Forecast(),
        *data.feeds(settings.batch_size),
        _budget(replace(settings, epochs=1)),
        seed=trial.seed,
        progress=lambda *_: None,
    )
    least = RidgeReadout(TINY).fit(kept.train_x, kept.train_y)
    floor = evaluate(least, Forecast(), feeds[0])["loss"]
    best = solved(nn.Identity(), kept, PENALTIES)
    found.metrics |= whole | {
        "states_cpu_s": watch.cpu_s,
        "uncached_cpu_s_per_epoch": once.metrics["train_cpu_s_per_epoch"],
        "least_squares_train_loss": floor,
        "train_loss_above_least_squares": found.metrics["train_loss"] - floor,
        **evaluate(best, Forecast(), feeds[1], "ridge_test_"),
    }
    return found


def states_of(layer: nn.Module, data: ForecastingData) -> ForecastingData:
    """The same windows as what a reservoir's last step says of them, which never changes."""
    last = Forecaster(layer)
    with torch.no_grad():
        return replace(data, train_x=last(data.train_x), test_x=last(data.test_x))


def _budget(settings: SeriesSettings) -> Budget:
    return Budget(settings.epochs, partial(torch.optim.RMSprop, lr=settings.lr, alpha=0.99, eps=1e-8))


def after_epochs(curves: list[dict[str, float]]) -> dict[str, float]:
    """Test errors where the paper tells them, and the first epoch whose training loss is nearly the last one."""
    errors = {f"epoch_{row['epoch']:.0f}_test_mse": row["test_loss"] for row in curves if row["epoch"] in CHECKPOINTS}
    goal = SETTLED * curves[-1]["train_loss"]
    return errors | {"epochs_to_settle": next(row["epoch"] for row in curves if row["train_loss"] <= goal)}


# -- one long sequence -------------------------------------------------------------------------------------------------


def _follow(trial: Trial, settings: DrivenSettings) -> Measurements:
    """Tell the next value of a system from the inputs up to now."""
    drive = numpy_stream(trial.seed, "drive").uniform(0, 0.5, settings.n_steps)
    system = torch.as_tensor(narma(settings.order, drive), device=trial.device)
    targets = system[settings.washout + 1 :].unsqueeze(1)
    if settings.cell == "persistence":
        known = system[settings.washout : -1].unsqueeze(1)
        return measured(nn.Identity(), _halves(known, targets))
    states, layer = _states(trial, settings, torch.as_tensor(4 * drive - 1, device=trial.device))
    data = _halves(states[settings.washout : -1], targets)
    found = measured(solved(nn.Identity(), data, LINEAR[settings.readout]), data)
    found.metrics["parameters"] += _size(layer)
    return found


def _remember(trial: Trial, settings: MemorySettings) -> Measurements:
    """What is left of earlier inputs, and whether the start is."""
    inputs = _random_inputs(settings.n_steps, trial.seed, trial.device)
    states, layer = _states(trial, settings, inputs)
    capacity = memory_capacity(states, inputs, settings.max_delay, washout=settings.washout)
    metrics = {"memory_capacity": capacity.total, "n_features": float(states.shape[1]), "parameters": _size(layer)}
    if layer is not None:
        metrics |= _forgetting(trial, settings)
    if settings.is_quantum and settings.inside == "circuits":
        with isolated(trial.seed, "part"):
            nothing = core(replace(settings, init_scale=0.0), device=trial.device)
        distance = (states - streamed(nothing, inputs)).abs().mean()
        metrics["distance_to_zero_weights"] = float(distance)
    return Measurements(metrics, artefacts={"memory_by_delay": np.array(capacity.by_delay)})


def _states(trial: Trial, settings: StreamSettings, inputs: Tensor) -> tuple[Tensor, nn.Module | None]:
    """What there is to read at each step, and where it comes from; the last inputs themselves come from nothing."""
    if not settings.is_recurrent:
        return delayed(inputs, N_DELAYED), None
    with isolated(trial.seed, "part"):
        layer = core(settings, device=trial.device)
    return streamed(layer, inputs), layer


def _halves(known: Tensor, targets: Tensor) -> ForecastingData:
    half = len(known) // 2
    return ForecastingData(known[:half], targets[:half], known[half:], targets[half:])


def _forgetting(trial: Trial, settings: MemorySettings) -> dict[str, float]:
    """How many of the reservoirs that are drawn come to the same state from zeros and from random numbers."""
    distances = []
    for draw in range(settings.n_draws):
        with isolated(trial.seed, "part", draw):
            layer = core(settings, device=trial.device)
        assert isinstance(layer, Reservoir)
        inputs = _random_inputs(settings.forgetting_steps, trial.seed, trial.device, draw).reshape(1, -1, 1)
        ends = echo_state_distance(layer, inputs, *_two_states(layer, trial, draw))
        distances.append(float(ends[-1]))
    return {
        "share_forgotten": float(np.mean([distance < FORGOTTEN for distance in distances])),
        "largest_left_distance": max(distances),
    }


def _two_states(layer: Reservoir, trial: Trial, draw: int) -> tuple[State, State]:
    """Zeros, and uniform numbers in [-1, 1]."""
    stream = torch_stream(trial.seed, "states", draw)
    random = [
        (2 * torch.rand(1, 1, *shape, dtype=torch.float64, generator=stream) - 1).to(trial.device)
        for shape in layer.state_shapes()
    ]
    zeros = [torch.zeros_like(each) for each in random]
    return (zeros[0], random[0]) if len(random) == 1 else (tuple(zeros), tuple(random))


def _random_inputs(n: int, seed: int, device: torch.device, *purpose: int) -> Tensor:
    """Independent and uniform in [-1, 1]."""
    stream = torch_stream(seed, "inputs", *purpose)
    return (2 * torch.rand(n, dtype=torch.float64, generator=stream) - 1).to(device)


def _size(layer: nn.Module | None) -> float:
    return float(sum(each.numel() for each in layer.parameters())) if layer is not None else 0.0
