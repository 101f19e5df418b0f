"""One trial: measure circuits at all scales of the noise, extrapolate, and compare with the exact value without."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replank.lab.trial import Measurements, Trial
from replank.measure.timing import Stopwatch
from replank.parts.extrapolator import ExtrapolationWarning, Extrapolator, LearnedExtrapolator, outside_spectrum
from replank.studies.neural_zne.extrapolators import build
from replank.studies.neural_zne.population import (
    Optima,
    Population,
    random_circuits,
    trained_circuits,
    training_circuits,
)
from replank.studies.neural_zne.settings import ROUNDING, ZneSettings

N_SHOWN = 3
GRID = np.linspace(0, 3, 61)


def run(trial: Trial) -> Measurements:
    """Mitigate all circuits of the trial's world with one extrapolator."""
    settings: ZneSettings = trial.settings
    world, seed = settings.world, trial.seed
    optima = trained_circuits(world, seed) if settings.vqe_steps else None
    population = random_circuits(world, seed) if optima is None else optima.population
    extrapolator = build(settings, seed)
    costs = _learn(extrapolator, settings, seed)
    with Stopwatch(torch.device("cpu")) as watch:
        predicted = _predicted(extrapolator, population)
    judged = _judged(population, extrapolator, predicted)
    final = judged if optima is None else judged[judged["step"].eq(settings.vqe_steps) & judged["trained"].eq("noisy")]
    metrics = (
        _errors(final)
        | _spreads(final)
        | costs
        | {
            "mitigation_ms": 1e3 * watch.wall_s / len(judged),
            "noisy_values": float(len(population.scale) if settings.extrapolator != "none" else 1),
        }
    )
    curves: list[dict[str, float]] = []
    if optima is not None:
        metrics |= _ground_states(judged, optima, settings)
        curves = _along_the_way(judged)
    return Measurements(metrics, curves, _curves(extrapolator, population))


def _learn(extrapolator: Extrapolator, settings: ZneSettings, seed: int) -> dict[str, float]:
    """Train what learns from other circuits; what that costs."""
    if not isinstance(extrapolator, LearnedExtrapolator):
        return {"training_circuits": 0.0}
    known = training_circuits(settings.world, seed)
    with Stopwatch(torch.device("cpu")) as watch:
        extrapolator.learn(known.scale, known.values, known.targets, known.descriptors)
    return {"training_circuits": float(len(known.targets)), "learning_s": watch.wall_s}


def _predicted(extrapolator: Extrapolator, population: Population) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)  # how often is among the metrics
        return extrapolator.fit(population.scale, population.values, population.descriptors).predict()


def _judged(population: Population, extrapolator: Extrapolator, predicted: Tensor) -> pd.DataFrame:
    """The population's rows with what was predicted of each, and how wrong that is."""
    rows = population.rows
    lowest, highest = (torch.tensor(rows[name].to_numpy()) for name in ("lowest", "highest"))
    columns = {
        "predicted": predicted,
        "deviation": predicted - population.targets,
        "target": population.targets,
        "outside": outside_spectrum(predicted, lowest, highest),
        "fell_back": extrapolator.fell_back,
        "std": extrapolator.std,
    }
    return rows.assign(**{name: each.numpy() for name, each in columns.items() if each is not None})


def _errors(judged: pd.DataFrame) -> dict[str, float]:
    """Of all circuits, and of those of each Hamiltonian, depth and strength, where there are several."""
    errors = judged["deviation"].abs().clip(lower=ROUNDING)
    metrics: dict[str, float] = {
        "median_error": errors.median(), "mean_error": errors.mean(), "worst_error": errors.max(),
    }  # fmt: skip
    for column, name in (("hamiltonian", ""), ("depth", "depth_"), ("p", "p_")):
        for value, group in errors.groupby(judged[column]) if judged[column].nunique() > 1 else ():
            metrics[f"median_error_at_{name}{value}"] = group.median()
    shares: Mapping[str, str] = {"outside": "outside_spectrum", "fell_back": "fell_back"}
    metrics |= {name: judged[column].mean() for column, name in shares.items() if column in judged}
    if "std" in judged:
        metrics |= {"own_std": judged["std"].mean(), "within_two_std": (errors <= 2 * judged["std"]).mean()}
    return {name: float(value) for name, value in metrics.items()}


def _spreads(judged: pd.DataFrame) -> dict[str, float]:
    """Bias and standard deviation over repeated measurements of one circuit, each the mean over circuits."""
    groups = judged.groupby(["hamiltonian", "depth", "p", "circuit"])["deviation"]
    metrics = {"bias_error": float(groups.mean().abs().mean())}
    if groups.size().min() > 1:
        metrics["shot_std"] = float(np.sqrt(groups.var(ddof=1).mean()))
    return metrics


def _ground_states(judged: pd.DataFrame, optima: Optima, settings: ZneSettings) -> dict[str, float]:
    """For each Hamiltonian what the best start comes to, by the energy that it was trained for."""
    metrics: dict[str, float] = {}
    ends = judged[judged["step"].eq(settings.vqe_steps)]
    for name in settings.hamiltonians:
        noisy, pure = (
            _only(ends, hamiltonian=name, trained=trained, start=int(optima.energies[name, trained].argmin()))
            for trained in ("noisy", "noise-free")
        )
        metrics |= {
            f"ground_error_at_{name}": abs(noisy["predicted"] - noisy["lowest"]),
            f"mitigated_energy_at_{name}": noisy["predicted"] * noisy["unit"],
            f"energy_under_noise_at_{name}": float(optima.energies[name, "noisy"].min()),
            f"gap_of_noisy_optimum_at_{name}": noisy["target"] - noisy["lowest"],
            f"gap_of_noise_free_optimum_at_{name}": pure["target"] - pure["lowest"],
            f"noise_free_optimum_error_at_{name}": abs(pure["deviation"]),
        }
    return {name: float(value) for name, value in metrics.items()}


def _only(judged: pd.DataFrame, **wanted: str | int) -> dict[str, Any]:
    """The one row with these values."""
    for column, value in wanted.items():
        judged = judged[judged[column].eq(value)]
    (row,) = judged.to_dict("records")
    return {str(name): value for name, value in row.items()}


def _along_the_way(judged: pd.DataFrame) -> list[dict[str, float]]:
    """Errors of mitigated energies during training, and how far they are from the ground state."""
    noisy = judged[judged["trained"].eq("noisy")]
    return [
        {
            "epoch": float(rows["step"].iloc[0]),
            "median_error": float(rows["deviation"].abs().median()),
            "ground_error": float((rows["predicted"] - rows["lowest"]).abs().median()),
        }
        for _, rows in noisy.groupby("step")
    ]


def _curves(extrapolator: Extrapolator, population: Population) -> dict[str, np.ndarray]:
    """Of some circuits the values that were fitted, the exact one, and the fitted curve where there is one.

    They are the first circuit of each Hamiltonian under the strongest noise.
    """
    rows = population.rows
    chosen = rows[rows["p"].eq(rows["p"].max())].drop_duplicates("hamiltonian").index[:N_SHOWN]
    index = torch.tensor(chosen.to_numpy())
    learned = isinstance(extrapolator, LearnedExtrapolator)
    grid = GRID[:1] if learned else GRID
    curve = torch.stack([extrapolator.predict(float(at))[index] for at in grid], 1)
    return {
        "points": torch.cat((population.scale[None], population.values[index])).numpy(),
        "exact": population.targets[index].numpy(),
        "curve": np.concatenate((grid[None], curve.numpy())),
    }
