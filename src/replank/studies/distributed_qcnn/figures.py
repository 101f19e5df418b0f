"""Pictures of this study; accuracy against size, and accuracy curves, every report has anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UsageError
from replank.lab.records import Records
from replank.lab.report.figures import INK, WIDTH, dress, looks
from replank.lab.study import Figure
from replank.studies.distributed_qcnn.settings import SAMPLED

_CUT_ARM = "qcnn-cut-exact"


def error_by_shots(records: Records) -> MatplotlibFigure:
    """Standard error of an estimate of one expectation value, by the shots of each execution."""
    done = records.table[records.table["status"] == "done"]
    lines = {
        arm: np.mean([records.artefact("errors", arm, seed=seed) for seed in done.loc[done["arm"] == arm, "seed"]], 0)
        for arm in SAMPLED
        if (done["arm"] == arm).any()
    }
    return _log_log(lines, "shots of each execution", "standard error of ⟨Z⟩")


def accuracy_by_shots(records: Records) -> MatplotlibFigure:
    """Test accuracy of the trained circuit by the number of shots, cut and uncut."""
    rows = records.table[(records.table["arm"] == _CUT_ARM) & (records.table["status"] == "done")]
    figure = MatplotlibFigure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.add_subplot()
    dress(axes, "shots of each of 7 executions; uncut as many in all", "test accuracy (%)")
    drawn = False
    for (name, look), shift in zip(looks(("uncut", "cut")).items(), (0.97, 1.03), strict=True):
        prefix = f"test_accuracy_at_{name}_shots_"
        shots = sorted(int(column.removeprefix(prefix)) for column in map(str, rows) if column.startswith(prefix))
        values = [100 * rows[f"{prefix}{number}"].dropna() for number in shots]
        if not shots or not all(map(len, values)):
            continue
        drawn = True
        middle = [value.mean() for value in values]
        reach = [[m - v.min() for m, v in zip(middle, values, strict=True)],
                 [v.max() - m for m, v in zip(middle, values, strict=True)]]  # fmt: skip
        axes.errorbar(
            np.array(shots) * shift, middle, yerr=reach, fmt=look.marker, color=look.colour, linestyle=look.dashes,
            markersize=6, elinewidth=0.9, label=name,
        )  # fmt: skip
    if not drawn:
        raise UsageError(f"accuracy_by_shots: {_CUT_ARM} must have been tested with shots, got no such trial.")
    axes.axhline(100 * rows["test_accuracy"].mean(), color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)), label="exact")
    axes.set_xscale("log", base=2)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _log_log(lines: Mapping[str, Sequence[np.ndarray] | np.ndarray], across: str, up: str) -> MatplotlibFigure:
    if not lines:
        raise UsageError("error_by_shots: some arm must have been run, got none.")
    figure = MatplotlibFigure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.add_subplot()
    dress(axes, across, up)
    for (arm, (shots, errors)), look in zip(lines.items(), looks(lines).values(), strict=True):
        axes.plot(
            shots, errors, color=look.colour, marker=look.marker, linestyle=look.dashes, markersize=5, label=arm
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.legend(frameon=False, fontsize=8)
    return figure


FIGURES = (
    Figure(
        "error_by_shots",
        "The error of an estimate against shots",
        "Mean over seeds, inputs and repeats. All lines fall with slope -1/2; the distance between them is the price "
        "of a cut. The sum without Y is the cheaper one, and a second cut is paid for again.",
        error_by_shots,
        protocol="overhead",
    ),
    Figure(
        "accuracy_by_shots",
        "The trained circuit with finite shots",
        "Test accuracy of the circuit that was trained exactly: mean and range over seeds. The uncut circuit gets as "
        "many shots as all seven executions together.",
        accuracy_by_shots,
        protocol="images-*",
    ),
)
