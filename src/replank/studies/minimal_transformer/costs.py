"""What one encoder costs as tokens get wider and more, beside the full attention that it reduces."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from replank.lab.trial import Measurements, Trial
from replank.measure.scaling import cost, crossover, log_log_slope
from replank.parts.patch_classifier import Encoder
from replank.seeding import isolated
from replank.slots import swap
from replank.studies.minimal_transformer.arms import FULL, swaps
from replank.studies.minimal_transformer.settings import MinimalSettings

AXES = ("width", "tokens")
COLUMNS = ("parameters", "macs", "prediction_ms", "training_ms", "training_peak_mib")
_BATCH = 16


def run_costs(trial: Trial) -> Measurements:
    """Time the arm's encoder and the full one in turn, so that both meet the same machine."""
    settings: MinimalSettings = trial.settings
    metrics: dict[str, float] = {}
    artefacts: dict[str, np.ndarray] = {}
    places = {
        "width": [(width, settings.tokens[0]) for width in settings.widths],
        "tokens": [(settings.widths[0], tokens) for tokens in settings.tokens],
    }
    for axis, pairs in places.items():
        sizes = [pair[axis == "tokens"] for pair in pairs]
        with _quick_to_collect():
            measured = [[_costs(arm, *pair, settings, trial) for arm in (trial.arm.name, FULL)] for pair in pairs]
        rows, full = np.array(measured).swapaxes(0, 1)
        artefacts |= {f"{axis}_sizes": np.array(sizes), f"{axis}_costs": rows}
        metrics |= _growth(axis, sizes, rows, full)
    widest = artefacts["width_costs"][-1]
    metrics |= {f"{name}_at_widest": float(widest[number]) for number, name in enumerate(COLUMNS)}
    metrics["training_ms_per_parameter_at_widest"] = metrics["training_ms_at_widest"] / metrics["parameters_at_widest"]
    trial.progress(1, 1, metrics)
    return Measurements(metrics, [{"epoch": 1.0}], artefacts)


@contextmanager
def _quick_to_collect() -> Iterator[None]:
    """Garbage is collected before memory is measured: without what is loaded by now, that is quick."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def encoder(arm: str, width: int, settings: MinimalSettings, seed: int) -> nn.Module:
    """One encoder of an arm."""
    with isolated(seed, "host"):
        whole: nn.Module = nn.ModuleDict({"encoders": nn.Sequential(Encoder(width, mlp_ratio=settings.mlp_ratio))})
    for each in swaps(arm):
        whole = swap(whole, each.slots, each.replacement, seed=seed)
    return whole.get_submodule("encoders.0")


def _costs(arm: str, width: int, tokens: int, settings: MinimalSettings, trial: Trial) -> list[float]:
    module = encoder(arm, width, settings, trial.seed).to(trial.device)
    batch = torch.randn(_BATCH, tokens, width, device=trial.device)
    forward = cost(module, batch, repeats=settings.repeats)
    training = cost(module, batch, backward=True, repeats=settings.repeats, flops=forward.flops)
    return [
        float(forward.parameters), forward.flops / 2 / _BATCH, 1e3 * forward.seconds, 1e3 * training.seconds,
        training.peak_bytes / 2**20,
    ]  # fmt: skip


def _growth(axis: str, sizes: Sequence[int], rows: np.ndarray, full: np.ndarray) -> dict[str, float]:
    """Slopes on log-log axes, ratios to the full encoder at the largest size, and where this one becomes faster."""
    found: dict[str, float] = {}
    for number, name in enumerate(COLUMNS):
        own, its = rows[:, number], full[:, number]
        if (own > 0).all():  # resident memory of a small pass may not move
            found[f"slope_of_{name}_in_{axis}"] = log_log_slope(sizes, own.tolist())
        if its[-1] > 0:
            found[f"{name}_over_full_at_largest_{axis}"] = float(own[-1] / its[-1])
    for name in ("prediction_ms", "training_ms"):
        number = COLUMNS.index(name)
        at = crossover(sizes, rows[:, number].tolist(), full[:, number].tolist())
        if at is not None:
            found[f"{name}_wins_from_{axis}"] = at
    return found
