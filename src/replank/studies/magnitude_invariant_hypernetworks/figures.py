"""Pictures of this study; the forest plot of its contrast and the tables of arms every report has anyway."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import Line, learning_curves, line_panels, looks, metric_heatmap, metric_table
from replank.lab.study import Figure
from replank.studies.magnitude_invariant_hypernetworks.claims import CELL

SUMMARY = (
    "validation_loss", "test_loss", "mean_log_validation_loss", "gradient_norm_cv", "initial_cv", "final_cv",
    "early_correlation", "final_correlation", "sensitivity",
)  # fmt: skip
START = (
    "proportional_r2", "slope_spread", "initial_cv", "initial_correlation", "parameters_more_than_raw_additive",
    "step_time_over_raw_additive",
)  # fmt: skip
PER_GAMMA = tuple(f"loss_at_gamma_{number / 10:.1f}" for number in range(11))


def every_trial(records: Records) -> MatplotlibFigure:
    """Losses, gradients and magnitudes of every arm with every seed."""
    return metric_table(records.table, SUMMARY)


def every_start(records: Records) -> MatplotlibFigure:
    """Magnitudes before training and costs of every arm with every seed."""
    return metric_table(records.table, START)


def losses_by_gamma(records: Records) -> MatplotlibFigure:
    """The test loss at eleven hyper-inputs, mean over seeds."""
    table = records.table
    known = [name for name in PER_GAMMA if name in table]
    if not known:
        raise ValueError("losses_by_gamma: some trial must have losses by gamma, got none.")
    means = table.groupby("arm", sort=False)[known].mean()
    lines: dict[str, Line] = {}
    for arm, row in means.iterrows():
        there = row[np.isfinite(row)]
        if len(there):
            lines[str(arm)] = ([float(name.rsplit("_", 1)[1]) for name in there.index], there.to_list())
    return line_panels({"": lines}, looks(table["arm"]), x_labels=["gamma"], y_label="test loss")


def norms_by_gamma(records: Records) -> MatplotlibFigure:
    """The norm of all predicted parameters against the hyper-input, mean over seeds, relative to the largest."""
    done = records.table[records.table["status"] == "done"]
    lines: dict[str, Line] = {}
    for arm, trials in done.groupby("arm", sort=False):
        norms = [each for each in (_norms(records, str(arm), int(seed)) for seed in trials["seed"]) if each is not None]
        if norms:
            mean = np.mean([each / each.max() for each in norms], axis=0)
            lines[str(arm)] = (np.linspace(0, 1, len(mean))[::5].tolist(), mean[::5].tolist())
    return line_panels({"": lines}, looks(records.table["arm"]), x_labels=["gamma"], y_label="norm over largest norm")


def _norms(records: Records, arm: str, seed: int) -> np.ndarray | None:
    try:
        return records.artefact("norms", arm, seed=seed)
    except UnknownName:  # a network without a hypernetwork
        return None


def every_cell(records: Records) -> MatplotlibFigure:
    """The area of each activation and depth, mean over sizes of the hyper-input, as a loss: its exponential."""
    table = records.table
    names = [str(name) for name in table.columns if str(name).startswith(CELL)]
    pairs = {name: name.removeprefix(CELL).rpartition("_")[0].replace("leaky_relu", "leaky") for name in names}
    means = table[names].astype(float).T.groupby(lambda name: pairs[str(name)], sort=False).mean().T
    losses = pd.DataFrame({str(pair): np.exp(means[pair].to_numpy(float)) for pair in means}, index=table.index)
    return metric_heatmap(losses.assign(arm=table["arm"]), [str(pair) for pair in means])


FIGURES = (
    Figure(
        "validation_loss",
        "Validation loss",
        "Each panel shows one arm with its range over seeds, the default hypernetwork dashed. An epoch is the time "
        "between two evaluations; the loss is a mean over three hyper-inputs.",
        lambda records: learning_curves(records, "validation_loss"),
        protocol="[rcg][ela][gau]*",
    ),
    Figure(
        "magnitude",
        "How much predicted parameters vary in size",
        "Standard deviation of the norm over hyper-inputs, relative to its mean: sqrt(1/3) if proportional to U(0, 1).",
        lambda records: learning_curves(records, "cv"),
        protocol="[rcg][ela][gau]*",
    ),
    Figure(
        "gammas",
        "Test loss by hyper-input",
        "Mean over seeds. In registration 0 asks for matching images alone and 1 for smooth fields alone; separately "
        "trained networks stand at three values.",
        losses_by_gamma,
        protocol="[rc]*",
    ),
    Figure(
        "norms",
        "Norm of the predicted parameters before training",
        "Relative to the largest, mean over seeds: a line through the origin without encoding and theta_0.",
        norms_by_gamma,
        protocol="start",
    ),
    Figure(
        "starts",
        "Before training, every variant and seed",
        "Proportionality, spread, and costs.",
        every_start,
        protocol="start",
    ),
    Figure(
        "trials",
        "Every variant and seed",
        "Losses, the mean logarithm of the validation loss, the variation of gradient norms, that of predicted norms "
        "before and after training, their correlation with the norm of gamma, and how much predictions depend on it.",
        every_trial,
        protocol="[rcg][ela][gau]*",
    ),
    Figure(
        "cells",
        "Activations and depths",
        "Geometric mean of the validation loss over training and over sizes of gamma; named activation, layers.",
        every_cell,
        protocol="grid",
    ),
)
