"""Pictures of this study; the forest plot of its contrast every report has anyway."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.pairs import values_by_seed
from replank.lab.records import Records
from replank.lab.report.figures import Line, image_grid, line_panels, looks, metric_heatmap
from replank.lab.study import Figure
from replank.measure import gaussian_floor

FLOOR = "the line's floor"
BANDED = ("uniform", "kink", "fourier", "normal")
SWEPT = ("uniform", "kink", "fourier")


def errors_against_lambda(records: Records) -> MatplotlibFigure:
    """Errors of both curves against the size of the box, by sampler, with the usual number of nodes."""
    panels = {
        heading: _lines(records.table, BANDED, f"{curve}_error_at_lambda_")
        for heading, curve in (("f1, simple", "f1"), ("f2, complex", "f2"))
    }
    return line_panels(panels, looks(BANDED), x_labels=("λ", "λ"), y_label="relative error", logarithmic=True)


def errors_against_cut_off(records: Records) -> MatplotlibFigure:
    """Errors of f2 against the cut-off, with the largest number of nodes."""
    return _against_cut_off(records.table, {"f2": "f2_error_at_rcond_"}, "relative error")


def norms_against_cut_off(records: Records) -> MatplotlibFigure:
    """Norms of read-outs against the cut-off, with the largest number of nodes."""
    return _against_cut_off(records.table, {curve: f"{curve}_norm_at_rcond_" for curve in ("f1", "f2")}, "norm")


def _against_cut_off(table: pd.DataFrame, prefixes: Mapping[str, str], y_label: str) -> MatplotlibFigure:
    panels = {heading: _lines(table, SWEPT, prefix) for heading, prefix in prefixes.items()}
    x_labels = ["relative cut-off of singular values"] * len(panels)
    return line_panels(panels, looks(SWEPT), x_labels=x_labels, y_label=y_label, logarithmic=True)


def table_of_errors(records: Records) -> MatplotlibFigure:
    """Mean errors of all arms by number of nodes."""
    found = (re.fullmatch(r"(f[12])_error_at_d_(\d+)", name) for name in map(str, records.table))
    names = [each[0] for each in sorted((each for each in found if each), key=lambda each: (each[1], int(each[2])))]
    return metric_heatmap(records.table, names)


def errors_on_intervals(records: Records) -> MatplotlibFigure:
    """Errors on longer and longer intervals, and the floor of the whole line."""
    lines = _lines(records.table, ("fourier",), "line_error_at_L_")
    for lengths, _ in list(lines.values()):
        lines[FLOOR] = (lengths, [gaussian_floor(1.0, 1.0)] * len(lengths))
    return line_panels(
        {"exp(−x²/2), Fourier features of the band 1": lines},
        looks((FLOOR, "fourier")),
        x_labels=("half the length of the interval",),
        y_label="relative error",
    )


def ridgelet_maps(records: Records) -> MatplotlibFigure:
    """Transforms of both curves around the boxes of some bands: weights to the right, offsets downwards."""
    done = records.table[records.table["arm"].eq("uniform") & records.table["status"].eq("done")]
    rows: dict[str, list[np.ndarray]] = {}
    for record in records.only(arm="uniform", seed=int(done["seed"].min())).records if len(done) else ():
        maps = record.measurements.artefacts
        names = sorted((name for name in maps if name.startswith("ridgelets-")), key=lambda name: float(name[10:]))
        bands = ", ".join(name.removeprefix("ridgelets-") for name in names)
        for number, curve in enumerate(("f1", "f2")):
            rows[f"{curve}\nλ = {bands}"] = [_framed(maps[name][number].T) for name in names]
    return image_grid(rows, same_scale=False, symbol="R", height=2.3)


def _framed(map_: np.ndarray) -> np.ndarray:
    """Square roots, which show what is faint, with the box drawn in: the map reaches to 1.5 times the band."""
    drawn = np.sign(map_) * np.sqrt(np.abs(map_))
    bound, n = float(np.abs(drawn).max()), len(drawn)
    low, high = round((n - 1) / 6), round(5 * (n - 1) / 6)
    for line in (low, high):
        drawn[low : high + 1, line] = drawn[line, low : high + 1] = bound
    return drawn


def _lines(table: pd.DataFrame, arms: Sequence[str], prefix: str) -> dict[str, Line]:
    """For each arm that has them, the medians over seeds of metrics whose names end in a number."""
    lines: dict[str, Line] = {}
    for arm in arms:
        found = {
            float(name.removeprefix(prefix)): values.median()
            for name in map(str, table)
            if re.fullmatch(rf"{prefix}[0-9.e+-]+", name) and len(values := values_by_seed(table, arm, name))
        }
        if found:
            places = sorted(found)
            lines[arm] = (places, [found[place] for place in places])
    return lines


FIGURES = (
    Figure(
        "lambda",
        "Errors against the size of the box",
        "Medians over seeds, with the number of nodes that tables lead with. To the left of the best λ the box leaves "
        "out what the curve is made of; to the right too few nodes meet the data.",
        errors_against_lambda,
        protocol="curves",
    ),
    Figure(
        "cut-off",
        "What is a floor, and what is conditioning",
        "For λ = 10, with the largest number of nodes; medians over seeds. On an interval there is no floor in exact "
        "arithmetic: smaller cut-offs give smaller errors, at the price of larger read-outs.",
        errors_against_cut_off,
        protocol="curves",
    ),
    Figure(
        "norms",
        "What small cut-offs cost",
        "Norms of the same read-outs, and of those for f1, which a small box can hold.",
        norms_against_cut_off,
        protocol="curves",
    ),
    Figure(
        "errors",
        "Errors of all arms",
        "Each row is an arm, each column a curve and a number of nodes d; means over seeds. Boxes are those that "
        "held-out training points choose.",
        table_of_errors,
        protocol="curves",
    ),
    Figure(
        "noisy-errors",
        "Errors of all arms with noise in training targets",
        "As before; errors are of the curve without noise.",
        table_of_errors,
        protocol="noise-*",
    ),
    Figure(
        "ridgelets",
        "Where a curve's ridgelet transform lies",
        "The transform under the Mexican hat, on a scale of square roots; weights a to the right, offsets b downwards, "
        "both to 1.5 λ. The frame is the box |a|, |b| ≤ λ: what lies outside of it leaks.",
        ridgelet_maps,
        protocol="curves",
    ),
    Figure(
        "line",
        "Longer intervals approach the floor of the line",
        "Least squares with a cut-off of 0.03, medians over seeds; the floor is sqrt(erfc(1)).",
        errors_on_intervals,
        protocol="line",
    ),
)
