"""One trial: fit the arm's forecaster and see how far its forecasts go, or measure what its layer costs."""

from __future__ import annotations

import math
import statistics

import numpy as np

from replank.dynamics.delay import delay_embed
from replank.dynamics.lyapunov import valid_prediction_time
from replank.lab.trial import Measurements, Trial
from replank.measure.timing import Stopwatch
from replank.parts.forecaster import Forecaster
from replank.parts.forecaster._interface import States
from replank.parts.forecaster.network import NetworkForecaster
from replank.studies.structured_hankel_network.arms import TRAINED, ByTheLab, forecaster_of, told
from replank.studies.structured_hankel_network.costs import run_costs
from replank.studies.structured_hankel_network.data import Forecast, Split, Trajectories, forecast, trajectories
from replank.studies.structured_hankel_network.networks import dense_network, hidden_parameters
from replank.studies.structured_hankel_network.settings import HankelSettings

LOST = 1e6
"""What stands in records for an infinite error: they hold finite numbers only."""
WINDOWS_EVERY = 10
MANY = 4096
FEW = 60
"""States that are enough for any forecaster without a network."""
KEPT = 4
"""Test trajectories whose forecasts are kept for pictures."""
OF_TRAINING = {
    "train_loss", "validation_loss", "train_wall_s_per_epoch", "train_cpu_s_per_epoch", "train_samples_per_s",
    "least_train_loss",
}  # fmt: skip


def run(trial: Trial) -> Measurements:
    """Fit and forecast, or measure costs."""
    settings: HankelSettings = trial.settings
    return run_costs(trial) if settings.problem == "cost" else run_forecast(trial)


def run_forecast(trial: Trial) -> Measurements:
    """Fit the arm's forecaster to training trajectories, and roll out test ones from their first windows."""
    settings: HankelSettings = trial.settings
    split = trajectories(settings, trial.seed)
    trainer = ByTheLab(trial, split)
    forecaster = forecaster_of(trial, trainer)
    states, given = list(split.train.states), told(settings, split.train.contexts)
    if settings.kind not in TRAINED:  # a first fit pays for what is imported
        forecaster.fit([each[:FEW] for each in states], settings.dt, given)
    with Stopwatch() as watch:
        forecaster.fit(states, settings.dt, given)
    contexts = told(settings, split.test.contexts)
    found = forecast(forecaster, settings, split.test, contexts)
    metrics = {
        **{name: value for name, value in trainer.measured.metrics.items() if name in OF_TRAINING},
        **forecast_metrics(found, split, settings),
        **(_one_step(forecaster, split, contexts) if settings.kind != "leads" else {}),  # its steps are longer
        **_sizes(forecaster, settings),
        "fit_s": watch.wall_s,
        "fit_cpu_s": watch.cpu_s,
        **_step_times(forecaster, settings, split.test, contexts),
    }
    kept = {"predicted": found.predicted[:KEPT], "true": found.true[:KEPT]}
    # pictures need no infinity
    kept["predicted"] = np.where(np.isfinite(kept["predicted"]), kept["predicted"], np.nan)
    trial.progress(1, 1, {"valid_time": metrics.get("valid_time", 0.0)})
    return Measurements(metrics, trainer.measured.curves, kept)


def mean_squared_errors(found: Forecast) -> States:
    """Of each roll-out, over time and components; infinite if a state was lost."""
    with np.errstate(invalid="ignore", over="ignore"):
        errors: States = np.square(found.predicted - found.true).mean((1, 2))
    return errors


def recorded(error: float) -> float:
    """An error as records hold it: what is infinite counts as the largest there is."""
    return min(error, LOST)


def forecast_metrics(found: Forecast, split: Split, settings: HankelSettings) -> dict[str, float]:
    """How good roll-outs are. One that diverges makes the mean error infinite, which is recorded as a million."""
    errors = mean_squared_errors(found)
    mean, median = recorded(float(errors.mean())), recorded(float(np.median(errors)))
    metrics = {
        "rollout_mse": mean,
        "median_rollout_mse": median,
        "log10_rollout_error": math.log10(max(mean, 1e-30)),
        "diverged_share": float(np.isinf(errors).mean()),
    }
    if settings.problem == "lorenz":
        valid = valid_prediction_time(found.predicted, found.true, settings.dt, scale=split.scale)
        metrics |= {"valid_time": float(valid.mean()), "least_valid_time": float(valid.min())}
    return metrics


def _one_step(forecaster: Forecaster, split: Split, contexts: States) -> dict[str, float]:
    """Root mean square error of the next state over the training spread, from windows all along test trajectories."""
    q = forecaster.history
    windows = [delay_embed(each, q + 1, WINDOWS_EVERY if len(each) > 100 else 1) for each in split.test.states]
    given = np.repeat(contexts, [len(each) for each in windows], axis=0)
    whole = np.concatenate(windows)
    next_states = forecaster.rollout(whole[:, :-1], 1, context=given)[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):
        error = float(np.sqrt(np.square((next_states - whole[:, -1]) / split.scale).mean()))
    return {"one_step_error": recorded(error)}


def _sizes(forecaster: Forecaster, settings: HankelSettings) -> dict[str, float]:
    sizes = {"parameters": float(forecaster.n_parameters), "step_flops": float(forecaster.step_flops)}
    if isinstance(forecaster, NetworkForecaster) and (own := hidden_parameters(forecaster.network)):
        n_in = forecaster.history * forecaster.n_states + forecaster.n_contexts
        full = hidden_parameters(dense_network(n_in, forecaster.n_states, settings.p * n_in, n_in))
        sizes |= {"hidden_parameters": float(own), "hidden_parameters_over_dense": own / full}
    return sizes


def _step_times(
    forecaster: Forecaster, settings: HankelSettings, test: Trajectories, contexts: States
) -> dict[str, float]:
    """Median microseconds of a step of one roll-out, and of thousands side by side, for one of them."""
    n = len(test.states)
    chosen = np.arange(MANY) % n
    history, many = test.states[:, : forecaster.history], test.states[chosen, : forecaster.history]
    cases = {1: (history[:1], contexts[:1], 10), MANY: (many, contexts[chosen], 1)}
    found: dict[str, float] = {}
    for batch, (states, given, steps) in cases.items():
        seconds = []
        for _ in range(settings.timings + 1):
            with Stopwatch() as watch:
                forecaster.rollout(states, steps, context=given)
            seconds.append(watch.wall_s)
        found[f"step_us_of_{batch}"] = 1e6 * statistics.median(seconds[1:]) / steps
    return found
