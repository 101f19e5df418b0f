"""What is written down of a density at one field or time, and of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from replank.lab.trial import Measurements
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch
from replank.open_systems import Descended
from replank.open_systems.pauli import AXES
from replank.parts.density import DensityPart
from replank.studies.povm_transformer.observed import Observed, exact_means, of_operator, of_state
from replank.studies.povm_transformer.problems import System

Row = dict[str, float]
COLUMNS = ("x", "y", "z", "exact_x", "exact_y", "exact_z", "x_standard_error", "y_standard_error", "z_standard_error")
_WORST = ("_error", "_distance", "_spread")


def point(
    number: int, place: Row, result: Descended, watch: Stopwatch, observed: Observed, system: System, rho: Tensor | None
) -> Row:
    """One field or time.

    Args:
        number: of it, from 1.
        place: where it is, by name.
        result: what training came to.
        watch: how long it took.
        observed: what the density says.
        system: says what outcomes mean.
        rho: the exact state, if it is known.
    """
    row = {"epoch": float(number), **place, "train_loss": result.loss, "stopped_early": float(not result.is_whole)}
    row |= {"wall_s": watch.wall_s, "cpu_s": watch.cpu_s, "site_spread": observed.site_spread, **observed.means}
    row |= {f"{axis}_standard_error": estimate.standard_error for axis, estimate in observed.sampled.items()}
    row |= of_operator(observed, system)
    if rho is not None:
        truth = exact_means(rho, system.n_sites)
        row |= {f"exact_{axis}": truth[axis] for axis in AXES}
        row |= {f"{axis}_error": abs(observed.means[axis] - truth[axis]) for axis in AXES}
        row |= {f"sampled_{axis}_error": abs(each.mean - truth[axis]) for axis, each in observed.sampled.items()}
        row |= of_state(observed, system, rho)
    return row


def measurements(rows: Sequence[Row], density: DensityPart, *, over: str, axes: str) -> Measurements:
    """What a trial leaves: the worst errors of all points, means of losses and times.

    Args:
        rows: its points.
        density: the last one.
        over: what tells points from each other, ``"field"`` or ``"time"``.
        axes: of the observables that are judged, letters among ``"xyz"``.
    """
    values = {name: np.array([row[name] for row in rows if name in row]) for name in rows[-1]}
    errors = {name: each for name, each in values.items() if name.endswith("standard_error")}
    metrics = {name: float(each.max()) for name, each in values.items() if name.endswith(_WORST) and name not in errors}
    metrics |= {name: float(each.mean()) for name, each in errors.items()}
    for prefix in ("", "sampled_"):
        judged = [metrics[f"{prefix}{axis}_error"] for axis in axes if f"{prefix}{axis}_error" in metrics]
        if judged:
            metrics[f"{prefix}observable_error"] = max(judged)
    if "min_eigenvalue" in values:
        metrics["min_eigenvalue"] = float(values["min_eigenvalue"].min())
    counts = count_parameters(density)
    metrics |= {
        "parameters": float(counts.total),
        "trainable_parameters": float(counts.trainable),
        "train_loss": float(values["train_loss"].mean()),
        "stopped_early": float(values["stopped_early"].sum()),
        "train_wall_s_per_epoch": float(values["wall_s"].mean()),
        "train_cpu_s_per_epoch": float(values["cpu_s"].mean()),
    }
    table = np.array([[row[over], *(row.get(name, np.nan) for name in COLUMNS)] for row in rows])
    return Measurements(metrics, [_curve(row, axes) for row in rows], {"observables": table})


def _curve(row: Row, axes: str) -> Row:
    judged = [row[f"{axis}_error"] for axis in axes if f"{axis}_error" in row]
    return {
        "epoch": row["epoch"],
        "train_loss": row["train_loss"],
        **({"observable_error": max(judged)} if judged else {}),
    }
