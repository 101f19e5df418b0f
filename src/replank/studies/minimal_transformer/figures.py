"""Pictures of this study; the forest plot, accuracy against size and time, and accuracy curves every report has."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import Line, learning_curves, line_panels, looks, metric_against, metric_table
from replank.lab.study import Figure
from replank.studies.minimal_transformer.costs import AXES, COLUMNS

TABLE = (
    "parameters", "overdetermination", "test_accuracy", "test_loss", "train_loss", "test_minus_train_loss", "test_ece",
    "train_cpu_s_per_epoch", "cpu_us_per_epoch_and_parameter", "peak_memory_mib",
)  # fmt: skip
COSTS = (
    "parameters_at_widest", "macs_at_widest", "training_ms_over_full_at_largest_width",
    "training_ms_over_full_at_largest_tokens", "slope_of_macs_in_width", "slope_of_training_ms_in_width",
    "slope_of_macs_in_tokens", "slope_of_training_ms_in_tokens", "training_ms_wins_from_width",
    "training_ms_wins_from_tokens",
)  # fmt: skip
LABELS = {"width": "features of a token", "tokens": "tokens"}


def every_trial(records: Records) -> MatplotlibFigure:
    """Sizes, losses and times of every arm with every seed."""
    return metric_table(records.table, TABLE)


def every_encoder(records: Records) -> MatplotlibFigure:
    """Ratios to full attention, slopes and crossovers of every arm with every seed."""
    return metric_table(records.table, COSTS)


def gap_against_ratio(records: Records) -> MatplotlibFigure:
    """What the paper explains generalisation by."""
    return metric_against(records.table, "overdetermination", "test_minus_train_loss")


def losses(records: Records) -> MatplotlibFigure:
    """Validation loss over training."""
    return learning_curves(records, "test_loss")


def growth_of_time(records: Records) -> MatplotlibFigure:
    """Milliseconds of a training step."""
    return _growth(records, "training_ms", "ms, forward and backward")


def growth_of_memory(records: Records) -> MatplotlibFigure:
    """Memory of a training step at its peak."""
    return _growth(records, "training_peak_mib", "MiB at the peak, forward and backward")


def growth_of_work(records: Records) -> MatplotlibFigure:
    """Multiply-adds of a sample."""
    return _growth(records, "macs", "multiply-adds of a sample")


def _growth(records: Records, name: str, label: str) -> MatplotlibFigure:
    column = COLUMNS.index(name)
    done: pd.DataFrame = records.table[records.table["status"].eq("done")]
    panels: dict[str, dict[str, Line]] = {}
    for axis in AXES:
        lines: dict[str, Line] = {}
        for arm in dict.fromkeys(done["arm"]):
            trials = [trial.measurements.artefacts for trial in records.only(arm=str(arm)).records]
            kept = [each for each in trials if f"{axis}_costs" in each]
            if kept:
                heights = np.median([each[f"{axis}_costs"][:, column] for each in kept], axis=0)
                seen = heights > 0  # a pass that moves no page of memory has no place on a logarithmic axis
                lines[str(arm)] = (kept[0][f"{axis}_sizes"][seen].tolist(), heights[seen].tolist())
        panels[f"against {LABELS[axis]}"] = lines
    return line_panels(
        panels, looks(records.table["arm"]), x_labels=list(LABELS.values()), y_label=label, logarithmic=True
    )


FIGURES = (
    Figure(
        "every_trial", "Every trial", "Sizes, losses, gaps and times. Q is training samples times classes over trained "
        "parameters.", every_trial, protocol="[!c]*",
    ),
    Figure(
        "gap", "The gap against the overdetermination ratio", "Test minus training loss. The paper expects it to fall "
        "to the right.", gap_against_ratio, protocol="[!c]*",
    ),
    Figure("losses", "Validation loss over training", "The paper ranks by loss.", losses, protocol="[!c]*"),
    Figure(
        "encoders", "What one encoder costs", "Ratios to full attention alone at the largest size, slopes on log-log "
        "axes, and the size from which the arm is faster, if there is one. Median times on this machine, 16 sequences.",
        every_encoder, protocol="cost",
    ),
    Figure(
        "time", "Time of a training step", "Powers are straight lines.", growth_of_time, protocol="cost",
    ),
    Figure(
        "work", "Multiply-adds", "Removing W_V and W_O takes two of four products of N x N away; products of tokens "
        "with tokens stay.", growth_of_work, protocol="cost",
    ),
    Figure(
        "memory", "Memory of a training step", "Resident memory comes in pages; passes that move none are left out.",
        growth_of_memory, protocol="cost",
    ),
)  # fmt: skip
