"""Pictures of this study; errors against size and curves, every report has anyway."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import INK, WIDTH, learning_curves, metric_heatmap
from replank.lab.study import Figure
from replank.studies.quantum_reservoir.settings import CLASSICAL, QUANTUM, WITH_SIX

ERROR = "test_log10nmse"
TRAINED = (*CLASSICAL, *WITH_SIX)
SHOWN = ("lstm-rc", "lstm", *(f"{cell}{regime}" for cell in QUANTUM for regime in ("", "-rc", "-rc-uniform")))

REGIMES = (
    ("fully trained", "", "test_nmse"),
    ("reservoir, RMSprop", "-rc", "test_nmse"),
    ("reservoir, ridge", "-rc", "ridge_test_nmse"),
    ("uniform reservoir, RMSprop", "-rc-uniform", "test_nmse"),
    ("uniform reservoir, ridge", "-rc-uniform", "ridge_test_nmse"),
)


def cells_by_regime(records: Records) -> MatplotlibFigure:
    """Mean test errors: cells in rows, ways of training in columns."""
    done = _done(records)
    rows = [
        row
        for cell in TRAINED
        for heading, suffix, name in REGIMES
        for row in _renamed(done, f"{cell}{suffix}", name, cell, heading)
    ]
    return metric_heatmap(pd.DataFrame(rows, columns=["arm", *(heading for heading, _, _ in REGIMES)]), _headings())


def epochs_to_settle(records: Records) -> MatplotlibFigure:
    """Mean epochs until training has settled: pairs of cells in rows."""
    done, name = _done(records), "epochs_to_settle"
    columns = (("classical reservoir", ""), ("quantum reservoir", "q"), ("uniform quantum reservoir", "q"))
    rows = [
        row
        for cell in CLASSICAL
        for heading, prefix in columns
        for row in _renamed(
            done, f"{prefix}{cell}-rc{'-uniform' * heading.startswith('uniform')}", name, cell.upper(), heading
        )
    ]
    headings = [heading for heading, _ in columns]
    return metric_heatmap(pd.DataFrame(rows, columns=["arm", *headings]), headings)


def curves_with_baselines(records: Records) -> MatplotlibFigure:
    """Test errors over training, with what needs no training as lines."""
    shown = Records(tuple(each for each in records.records if each.key.arm in SHOWN), records.left_out)
    done = _done(records)
    means = {arm: done.loc[done["arm"] == arm, ERROR].mean() for arm in ("persistence", "ar")}
    return learning_curves(
        shown, ERROR, reference={arm: float(each) for arm, each in means.items() if np.isfinite(each)}
    )


def memory_by_delay(records: Records) -> MatplotlibFigure:
    """What is left of earlier inputs: arms in rows, delays in columns, means over seeds."""
    done = _done(records)
    profiles = {
        str(arm): np.mean(
            [records.artefact("memory_by_delay", str(arm), seed=int(seed)) for seed in trials["seed"]], axis=0
        )
        for arm, trials in done.groupby("arm", sort=False)
    }
    if not profiles:
        raise UnknownName("arm with a memory", "any", [])
    table = np.stack(list(profiles.values()))
    figure = MatplotlibFigure(figsize=(WIDTH, 0.9 + 0.24 * len(table)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(table, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="none", alpha=0.55)
    for row, column in np.ndindex(*table.shape):
        if table[row, column] >= 0.005:
            axes.text(column, row, f"{table[row, column]:.2f}", ha="center", va="center", fontsize=7, color=INK)
    axes.set_xticks(range(table.shape[1]), [str(delay) for delay in range(1, table.shape[1] + 1)], fontsize=8)
    axes.set_yticks(range(len(profiles)), list(profiles), fontsize=8.5)
    axes.set_xlabel("steps back", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _done(records: Records) -> pd.DataFrame:
    table = records.table
    return table[table["status"] == "done"]


def _headings() -> list[str]:
    return [heading for heading, _, _ in REGIMES]


def _renamed(table: pd.DataFrame, arm: str, metric: str, row: str, heading: str) -> list[dict[str, object]]:
    """One arm's values of a metric, for another table's row and column."""
    if metric not in table:
        return []
    return [{"arm": row, heading: value} for value in table.loc[table["arm"] == arm, metric].dropna()]


FIGURES = (
    Figure(
        "cells_by_regime",
        "Test errors of each cell and way of training",
        "Mean squared error over the variance of the targets, means over seeds. Uniform: the angles of the reservoir, "
        "which are small otherwise.",
        cells_by_regime,
        protocol="gradient*",
    ),
    Figure(
        "epochs_to_settle",
        "Epochs until a reservoir's training has settled",
        "First epoch whose training loss is at most 1.1 times the last one, means over seeds.",
        epochs_to_settle,
        protocol="gradient*",
    ),
    Figure(
        ERROR,
        "Test error over training, beside what needs none",
        "Decimal logarithm of the mean squared error over the variance of the targets. One panel an arm: mean and "
        "range over seeds in colour, the classical LSTM dashed, the others faint. Dotted: persistence, and least "
        "squares on the same four values.",
        curves_with_baselines,
        protocol="gradient*",
    ),
    Figure(
        "memory_by_delay",
        "What is left of earlier inputs",
        "Squared correlation of an input and of what a linear read-out makes of it so many steps later; what is below "
        "0.005 is left out. A row's sum is its memory capacity.",
        memory_by_delay,
        protocol="memory*",
    ),
)
