"""Pictures of this study; the forest plot of its contrast and the tables of arms every report has anyway."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import Line, image_grid, learning_curves, line_panels, looks, metric_table
from replank.lab.study import Figure
from replank.studies.a_priori_compression.costs import AXES, COLUMNS

TABLE = (
    "parameters", "macs", "parameter_kib", "kept_mib", "peak_train_mib", "peak_predict_mib",
    "train_cpu_s_per_epoch", "prediction_ms", "test_l2_error", "test_minus_train_l2_error",
)  # fmt: skip
COSTS = (
    "time_over_dense_at_64_channels", "training_time_over_dense_at_64_channels", "macs_over_dense_at_64_channels",
    "peak_over_dense_at_64_channels", "training_peak_over_dense_at_64_channels", "slope_of_time_in_channels",
    "slope_of_macs_in_channels", "time_wins_from_channels", "training_time_wins_from_channels",
)  # fmt: skip
SHOWN = ("dense", "rank1", "cp", "posthoc-cp", "frame-mean")
LABELS = {"channels": "channels in and out", "kernel": "side of the window", "image": "side of the image"}


def every_trial(records: Records) -> MatplotlibFigure:
    """Sizes, costs, errors and gaps of every arm with every seed."""
    return metric_table(records.table, TABLE)


def every_layer(records: Records) -> MatplotlibFigure:
    """Ratios to the dense layer, slopes and crossovers of every arm with every seed."""
    return metric_table(records.table, COSTS)


def errors_by_frame(records: Records) -> MatplotlibFigure:
    """The error of each frame, mean over seeds and test simulations."""
    lines: dict[str, Line] = {}
    for arm, kept in _artefacts(records, "error_by_frame").items():
        mean = np.mean(kept, axis=0)
        lines[arm] = (list(range(1, len(mean) + 1)), mean.tolist())
    return line_panels({"": lines}, looks(records.table["arm"]), x_labels=["frame"], y_label="relative error in L2")


def predicted_fields(records: Records) -> MatplotlibFigure:
    """Four frames of a test simulation and what some arms make of them."""
    fields = {arm: kept[0] for arm, kept in _artefacts(records, "fields").items() if arm in SHOWN}
    if not fields:
        raise ValueError(f"predicted_fields: one of {', '.join(SHOWN)} must have been run, got none.")
    solved = next(iter(fields.values()))[0]
    return image_grid({"solver": list(solved), **{arm: list(kept[1]) for arm, kept in fields.items()}}, symbol="u")


def growth(records: Records) -> MatplotlibFigure:
    """Seconds of a forward and backward pass against channels, window and image."""
    column = COLUMNS.index("training_time")
    panels: dict[str, dict[str, Line]] = {}
    for axis in AXES:
        sizes, costs = (_artefacts(records, f"{axis}_{what}") for what in ("sizes", "costs"))
        panels[f"against {LABELS[axis]}"] = {
            arm: (sizes[arm][0].tolist(), (1e3 * np.median(costs[arm], axis=0)[:, column]).tolist()) for arm in costs
        }
    return line_panels(
        panels,
        looks(records.table["arm"]),
        x_labels=list(LABELS.values()),
        y_label="ms, forward and backward",
        logarithmic=True,
    )


def _artefacts(records: Records, name: str) -> dict[str, list[np.ndarray]]:
    """What the trials of each arm left under a name, by seed."""
    done = records.table[records.table["status"].eq("done")]
    found: dict[str, list[np.ndarray]] = {}
    for arm, seed in zip(done["arm"], done["seed"], strict=True):
        trials = records.only(arm=arm, seed=int(seed)).records
        found.setdefault(str(arm), []).extend(
            trial.measurements.artefacts[name] for trial in trials if name in trial.measurements.artefacts
        )
    return {arm: kept for arm, kept in found.items() if kept}


FIGURES = (
    Figure(
        "trials",
        "Every variant and seed",
        "Parameters and multiply-adds of the whole network, memory of its parameters, of what a forward pass keeps and "
        "at the peak (a batch of 32), times on one thread, errors relative in L2, and the gap. Sizes are ours.",
        every_trial,
        protocol="one-shot*",
    ),
    Figure(
        "frames",
        "Errors by frame",
        "Mean over test simulations and seeds. Waves have been reflected several times in the late frames.",
        errors_by_frame,
        protocol="[ofs]*",
    ),
    Figure(
        "fields",
        "One test simulation",
        "Four frames from early to late: the solver's, and what comes of them.",
        predicted_fields,
        protocol="one-shot*",
    ),
    Figure(
        "train_loss",
        "Training loss",
        "Each panel shows one arm with its range over seeds, dense kernels dashed. The loss of a decomposed network "
        "jumps where its kernels are taken apart.",
        lambda records: learning_curves(records, "train_loss"),
        protocol="one-shot*",
    ),
    Figure(
        "growth",
        "Time of one layer as it grows",
        "Median over seeds, on one thread of the machine that ran this. Straight lines are powers.",
        growth,
        protocol="cost",
    ),
    Figure(
        "layers",
        "One layer beside a dense one",
        "Ratios at 64 channels: above 1 the smaller layer is the slower or the hungrier one. Slopes are powers of "
        "growth in channels; it wins from so many channels on, and a dash says that it does not as far as measured.",
        every_layer,
        protocol="cost",
    ),
)
