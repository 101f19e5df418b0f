"""Pictures of this study; the forest plot of its contrast and the tables of arms every report has anyway."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import Line, learning_curves, line_panels, looks, metric_table
from replank.lab.study import Figure
from replank.studies.structured_hankel_network.costs import COLUMNS

TABLE = (
    "parameters", "step_flops", "fit_s", "step_us_of_1", "step_us_of_4096", "one_step_error", "rollout_mse",
    "median_rollout_mse", "valid_time", "diverged_share",
)  # fmt: skip
COSTS = (
    "flops_slope", "time_slope_batch_1", "time_slope_batch_64", "time_slope_of_large_batch_64",
    "training_time_slope_batch_64", "flops_wins_from", "time_wins_from_batch_1", "time_wins_from_batch_64",
    "training_time_wins_from_batch_64", "network_time_over_dense_of_1", "network_time_over_dense_of_4096",
)  # fmt: skip
SHOWN = ("dense", "stnn", "dense-matched", "sindy", "hankel-dmd", "leads")


def every_trial(records: Records) -> MatplotlibFigure:
    """Sizes, times and errors of every arm with every seed."""
    return metric_table(records.table, TABLE)


def every_layer(records: Records) -> MatplotlibFigure:
    """Slopes, crossovers and times of every arm with every seed."""
    return metric_table(records.table, COSTS)


def counts(records: Records) -> MatplotlibFigure:
    """Parameters and operations of a layer against its nodes."""
    return _growth(
        records,
        {
            "parameters": ("costs_of_batch_64", "parameters", 1.0),
            "operations, one input": ("costs_of_batch_64", "flops", 1.0),
        },
        "number",
    )


def growth(records: Records) -> MatplotlibFigure:
    """Times of a layer against its nodes."""
    return _growth(
        records,
        {
            "one input": ("costs_of_batch_1", "time", 1e6),
            "64 inputs": ("costs_of_batch_64", "time", 1e6),
            "64 inputs, forward and backward": ("costs_of_batch_64", "training_time", 1e6),
        },
        "µs",
    )


def _growth(records: Records, columns: Mapping[str, tuple[str, str, float]], y_label: str) -> MatplotlibFigure:
    sizes = _artefacts(records, "sizes")
    panels: dict[str, dict[str, Line]] = {}
    for heading, (artefact, column, scale) in columns.items():
        costs = _artefacts(records, artefact)
        panels[heading] = {
            arm: (sizes[arm][0].tolist(), (scale * np.median(each, axis=0)[:, COLUMNS.index(column)]).tolist())
            for arm, each in costs.items()
        }
    styles = looks(records.table["arm"])
    return line_panels(panels, styles, x_labels=["nodes M"] * len(panels), y_label=y_label, logarithmic=True)


def forecasts(records: Records) -> MatplotlibFigure:
    """The first component of a test trajectory, and what some arms make of it."""
    predicted, true = (_artefacts(records, name) for name in ("predicted", "true"))
    panels: dict[str, dict[str, Line]] = {}
    styles = looks(["truth", *records.table["arm"]])
    for arm in SHOWN:
        if arm in predicted:
            path, truth = predicted[arm][0][0, :, 0], true[arm][0][0, :, 0]
            steps = list(range(1, len(truth) + 1))
            seen = np.isfinite(path)
            known = [step for step, is_seen in zip(steps, seen, strict=True) if is_seen]
            panels[arm] = {"truth": (steps, truth.tolist()), arm: (known, path[seen].tolist())}
    return line_panels(panels, styles, x_labels=["step"] * len(panels), y_label="first component")


def _artefacts(records: Records, name: str) -> dict[str, list[np.ndarray]]:
    """What the trials of each arm left under a name, by seed."""
    found: dict[str, list[np.ndarray]] = {}
    for record in records.records:
        if record.status == "done" and name in record.measurements.artefacts:
            found.setdefault(record.key.arm, []).append(record.measurements.artefacts[name])
    return found


FIGURES = (
    Figure(
        "forecasts",
        "One test trajectory",
        "The first component of the first test trajectory with the first seed, behind the window that was seen; a line "
        "that ends has diverged.",
        forecasts,
        protocol="l*",
    ),
    Figure(
        "trials",
        "Every method and seed",
        "Fit and step times are of this machine, one thread; a step of one roll-out, and of 4,096 side by side. "
        "One-step errors are over the spread, mean squared errors in the system's own units; 10⁶ stands for a "
        "roll-out that diverged.",
        every_trial,
        protocol="l*",
    ),
    Figure(
        "train_loss",
        "Training loss",
        "Mean squared error of standardised increments. Each panel shows one arm with its range over seeds, the dense "
        "network dashed.",
        lambda records: learning_curves(records, "train_loss"),
        protocol="l*",
    ),
    Figure(
        "counts",
        "How a layer grows",
        "Square layers of M nodes on log-log axes; four sub-matrices are added. Straight lines are powers.",
        counts,
        protocol="cost",
    ),
    Figure(
        "growth",
        "What a layer takes as it grows",
        "Medians over seeds on log-log axes, one thread.",
        growth,
        protocol="cost",
    ),
    Figure(
        "layers",
        "Every layer and seed",
        "Slopes on log-log axes, over all sizes and over the larger half; the number of nodes from which the layer "
        "needs less than a dense one; and a call of the whole network with 48 inputs over that of the dense one, timed "
        "in turn. A dash: it never does.",
        every_layer,
        protocol="cost",
    ),
)
