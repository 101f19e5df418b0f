"""What a layer costs as it grows, and what a step of the whole network takes, each beside a dense one."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from replank.lab.trial import Measurements, Trial
from replank.measure.evaluation import evaluating
from replank.measure.scaling import cost, crossover, log_log_slope
from replank.measure.timing import Stopwatch
from replank.parts.linear._structured import GeneratedLinear
from replank.seeding import isolated, torch_stream
from replank.studies.structured_hankel_network.networks import network, replacement
from replank.studies.structured_hankel_network.settings import HankelSettings

COLUMNS = ("parameters", "flops", "time", "training_time", "training_peak")
"""Numbers; operations of one input; seconds of a batch, with a backward pass where it says so; bytes."""
PAGE = 4096
"""Bytes in which memory is handed out: what is less can't be seen."""
N_STATES = 3
STEP_BATCHES = (1, 4096)


def run_costs(trial: Trial) -> Measurements:
    """Measure the arm's layer and its network, each in turn with a dense one."""
    settings: HankelSettings = trial.settings
    metrics: dict[str, float] = {}
    artefacts: dict[str, np.ndarray] = {"sizes": np.array(settings.sizes, float)}
    for number, batch in enumerate(settings.batches):
        own, dense = (
            np.array(rows)
            for rows in zip(*(_both(settings, size, batch, trial) for size in settings.sizes), strict=True)
        )
        artefacts |= {f"costs_of_batch_{batch}": own, f"dense_of_batch_{batch}": dense}
        metrics |= _growth(settings.sizes, own, dense, batch)
        trial.progress(number + 1, len(settings.batches) + 1, {})
    return Measurements(metrics | _network_times(settings, trial), artefacts=artefacts)


def layer(settings: HankelSettings, size: int) -> nn.Module:
    """A square layer of the arm's kind, its sub-matrices added."""
    dense = nn.Linear(size, size)
    return dense if settings.kind == "dense" else replacement(settings, "sum")(dense)


def _both(settings: HankelSettings, size: int, batch: int, trial: Trial) -> tuple[list[float], list[float]]:
    own = _cost(settings, size, batch, trial)
    return own, own if settings.kind == "dense" else _cost(replace(settings, kind="dense"), size, batch, trial)


def _cost(settings: HankelSettings, size: int, batch: int, trial: Trial) -> list[float]:
    with isolated(trial.seed, "part"):
        module = layer(settings, size).to(trial.device)
    inputs = torch.randn(batch, size, generator=torch_stream(trial.seed, "cost", size)).to(trial.device)
    counted = module.flops(1, cached=True) if isinstance(module, GeneratedLinear) else None
    predicting = cost(module, inputs, repeats=settings.repeats, flops=counted)
    inputs.requires_grad_()  # as within a network
    training = cost(module, inputs, backward=True, repeats=settings.repeats, flops=predicting.flops)
    each = predicting.flops if counted is not None else predicting.flops / batch
    peak = max(training.peak_bytes, PAGE)
    return [predicting.parameters, each, predicting.seconds, training.seconds, peak]


def _growth(sizes: Sequence[int], own: np.ndarray, dense: np.ndarray, batch: int) -> dict[str, float]:
    """Slopes on log-log axes, ratios to the dense layer at the largest size, and from where it wins."""
    found: dict[str, float] = {}
    for column, name in enumerate(COLUMNS):
        values = own[:, column].tolist()
        where = "" if name in ("parameters", "flops") else f"_batch_{batch}"
        found[f"{name}_slope{where}"] = log_log_slope(sizes, values)
        half = len(sizes) // 2
        if name.endswith("time") and len(sizes) - half > 1:  # where it no longer matters what a call costs
            found[f"{name}_slope_of_large{where}"] = log_log_slope(sizes[half:], values[half:])
        found[f"{name}_over_dense_at_largest{where}"] = float(own[-1, column] / dense[-1, column])
        if name.endswith("time") or name == "flops":
            wins = crossover(sizes, values, dense[:, column].tolist())
            if wins is not None:
                found[f"{name}_wins_from{where}"] = wins
    return found


def _network_times(settings: HankelSettings, trial: Trial) -> dict[str, float]:
    """Median microseconds of a call of the whole network, and over the dense one, timed turn by turn."""
    n_in = N_STATES * settings.q
    with isolated(trial.seed, "host"):
        own = network(settings, n_in, N_STATES, trial.seed).to(trial.device)
    with isolated(trial.seed, "host"):
        dense = network(replace(settings, kind="dense"), n_in, N_STATES, trial.seed).to(trial.device)
    found: dict[str, float] = {}
    for batch in STEP_BATCHES:
        inputs = torch.randn(batch, n_in, generator=torch_stream(trial.seed, "step", batch)).to(trial.device)
        seconds: dict[int, list[float]] = {0: [], 1: []}
        with evaluating(own), evaluating(dense):
            for _, (number, model) in itertools.product(range(settings.timings + 2), enumerate((own, dense))):
                with Stopwatch(trial.device) as watch:
                    model(inputs)
                seconds[number].append(watch.wall_s)
        mine, its = (statistics.median(seconds[number][2:]) for number in (0, 1))
        found |= {f"network_us_of_{batch}": 1e6 * mine, f"network_time_over_dense_of_{batch}": mine / its}
    return found
