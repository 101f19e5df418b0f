"""Pictures of this study; the contrast, accuracy against size, and curves, every report has anyway."""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import WIDTH, dress, looks, metric_against
from replank.lab.study import Figure
from replank.studies.quantum_tensor_networks_protein.settings import NETWORKS

CURVES = (*NETWORKS, "hptn-postselect", "ptn-frozen")


def forgetting(records: Records) -> MatplotlibFigure:
    """Trace distance of final states against how far from the end the token is that differs."""
    curves = {arm: found for arm in CURVES if len(found := _curves(records, arm))}
    if not curves:
        raise UnknownName("arm with a forgetting curve", "hptn", records.table["arm"].unique())
    figure = MatplotlibFigure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.add_subplot()
    look_of = looks(curves)
    for arm, found in curves.items():
        look = look_of[arm]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a place where no sequence has a token
            middle = np.nanmean(found, axis=0)
        back = np.arange(len(middle))[::-1]
        axes.plot(
            back, middle, color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=3.5,
            linewidth=1.2, label=arm,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.invert_xaxis()
    axes.legend(fontsize=8, frameon=False, ncols=2)
    dress(axes, "tokens from the end", "mean trace distance")
    return figure


def by_acceptance(records: Records) -> MatplotlibFigure:
    """Balanced accuracy against the share of runs that are kept."""
    table = records.table
    return metric_against(
        table[table["arm"].str.endswith("-postselect")], "mean_log10_acceptance", "test_balanced_accuracy"
    )


def _curves(records: Records, arm: str) -> np.ndarray:
    """Those of all seeds, one a row."""
    of_arm = records.only(arm=arm).records
    found = [
        each.measurements.artefacts["forgetting"] for each in of_arm if "forgetting" in each.measurements.artefacts
    ]
    return np.stack(found) if found else np.empty((0, 0))


FIGURES = (
    Figure(
        "forgetting",
        "What is forgotten",
        "How far the final states of two sequences are apart that differ in a single token, averaged over test "
        "sequences and seeds; 1 means that they can be told apart for certain. A path of random unitaries forgets all "
        "but the last few tokens; a flat curve is that of a count; in a tree of unitaries near the identity it is the "
        "last tokens that get lost.",
        forgetting,
        protocol="proteins",
    ),
    Figure(
        "acceptance",
        "What post-selection costs",
        "The logarithm to base 10 of the share of runs that are kept: -6 means a million runs for one that counts.",
        by_acceptance,
        protocol="proteins",
    ),
)
