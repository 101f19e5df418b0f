"""Pictures of records: pure functions from tables to matplotlib figures.

They use no global state and the page's theme (see :mod:`replank.lab.report.svg`): black is ink, white is ground. Arms
differ in colour *and* in marker or line style.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from replank.lab.records import Records
from replank.lab.report.labels import place_labels
from replank.lab.report.svg import HUES
from replank.lab.report.wording import metric
from replank.measure.statistics import Interval, mean_interval

WIDTH = 9.8
"""Inches of a figure that fills the page's column."""
INK, FAINT = "#000000", "#808080"
_MARKERS = "osD^vPX<>ph"
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class Look:
    """How an arm is drawn everywhere."""

    colour: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]


def looks(arms: Iterable[str]) -> dict[str, Look]:
    """A look for each arm: the first, the baseline, in ink, the others in turn."""
    known: dict[str, Look] = {}
    for number, arm in enumerate(dict.fromkeys(arms)):
        colour = INK if number == 0 else HUES[(number - 1) % len(HUES)]
        known[arm] = Look(colour, _MARKERS[number % len(_MARKERS)], _DASHES[number % len(_DASHES)])
    return known


def metric_against(table: pd.DataFrame, x: str, y: str) -> Figure:
    """One metric against another: a point for each arm at its means, with 95 % intervals over seeds.

    The frame holds every single trial; an interval that is wider, as with few seeds, runs out of it.

    Args:
        table: one row a trial, columns ``arm``, ``x`` and ``y``; the first arm is the baseline. Rows without a finite
            value of both are left out.
        x: metric on the horizontal axis; logarithmic if it spans more than a factor of eight.
        y: metric on the vertical axis.

    Raises:
        ValueError: no row has both metrics.
    """
    looks_of = looks(table["arm"])
    rows = _finite(table, x, y)
    across, up = metric(x), metric(y)
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    axes = figure.add_subplot()
    dress(axes, across.label, up.label)
    axes.scatter(rows[x] * across.scale, rows[y] * up.scale, alpha=0)  # unseen: sets the frame
    if rows[x].min() > 0 and rows[x].max() > 8 * rows[x].min():
        axes.set_xscale("log")
    axes.margins(0.12)
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    points: dict[str, tuple[float, float]] = {}
    for arm, trials in rows.groupby("arm", sort=False):
        look = looks_of[str(arm)]
        middle = mean_interval(trials[x].to_numpy(float) * across.scale)
        level = mean_interval(trials[y].to_numpy(float) * up.scale)
        _, _, bars = axes.errorbar(
            middle.mean, level.mean, xerr=_reach(middle), yerr=_reach(level),
            fmt=look.marker, color=look.colour, markersize=6.5, elinewidth=0.9,
        )  # fmt: skip
        for bar in bars:
            bar.set_alpha(0.5)
        points[str(arm)] = (middle.mean, level.mean)
    place_labels(axes, points)
    return figure


def learning_curves(
    records: Records,
    name: str,
    *,
    reference: Mapping[str, float] | None = None,
    columns: int = 4,
    x_label: str = "epoch",
) -> Figure:
    """A curve against epochs: one panel an arm, with its band over seeds, the baseline dashed and the others faint.

    The band spans the smallest to the largest value over seeds.

    Args:
        records: of one slice; the first arm is the baseline.
        name: which curve, e.g. ``"train_loss"``.
        reference: horizontal lines by label, e.g. a bound that theory gives.
        columns: panels side by side.
        x_label: what the study counts as epochs.

    Raises:
        ValueError: no arm has such a curve.
    """
    shown = metric(name)
    curves = records.curves
    rows = _finite(curves[curves["name"] == name], "epoch", "value")
    looks_of = looks(records.table["arm"])
    spans = {
        arm: (rows[rows["arm"] == arm].groupby("epoch")["value"].agg(["mean", "min", "max"]) * shown.scale)
        for arm in looks_of
        if (rows["arm"] == arm).any()
    }
    baseline = next(iter(spans))
    panels = [arm for arm in spans if arm != baseline] or [baseline]
    columns = min(columns, len(panels))
    n_rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, 0.7 + 2.1 * n_rows if columns > 1 else 3.6), layout="constrained")
    grid = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, arm in zip(grid.flat, panels, strict=False):
        _panel(axes, spans, arm, baseline, looks_of, {k: v * shown.scale for k, v in (reference or {}).items()})
    for number, (label, height) in enumerate((reference or {}).items()):
        grid.flat[0].annotate(
            label, (0, height * shown.scale), xycoords=("axes fraction", "data"), xytext=(3, 2),
            textcoords="offset points", va="bottom", fontsize=7.5, color=INK, gid=f"reference-label-{number}",
        )  # fmt: skip
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in grid.flat[max(0, len(panels) - columns) : len(panels)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel(x_label, fontsize=9)
    figure.supylabel(shown.label, fontsize=9)
    return figure


def _panel(
    axes: Axes,
    spans: Mapping[str, pd.DataFrame],
    arm: str,
    baseline: str,
    looks_of: Mapping[str, Look],
    reference: Mapping[str, float],
) -> None:
    for other in spans:
        if other not in (arm, baseline):
            axes.plot(spans[other].index, spans[other]["mean"], color=FAINT, alpha=0.45, linewidth=0.7)
    marker = "o" if len(spans[arm]) == 1 else None  # a line needs two epochs to be seen
    for each, dashes in ((baseline, (0, (3, 2))), (arm, "-")):
        span, colour = spans[each], looks_of[each].colour
        axes.fill_between(span.index, span["min"], span["max"], color=colour, alpha=0.18, linewidth=0)
        axes.plot(span.index, span["mean"], color=colour, linestyle=dashes, linewidth=1.6, marker=marker, markersize=4)
    for height in reference.values():
        axes.axhline(height, color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)))
    dress(axes)
    axes.set_title(arm, loc="left", fontsize=9, color=looks_of[arm].colour, pad=4, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def ladder_drawing(table: pd.DataFrame) -> Figure:
    """The ladder: rungs as rows, slots as columns, planks that differ from the first rung's in colour.

    Args:
        table: as :meth:`replank.slots.Ladder.table` gives it: one row a rung, a text column for each slot, and numeric
            columns, which are printed on the right.
    """
    numeric = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    slots = [name for name in table.columns if name not in numeric]
    left = 0.4 + 0.09 * max(len(str(rung)) for rung in table.index)  # inches for the rungs' names
    right = 1.15  # and for each number
    plank = (WIDTH - left - right * len(numeric)) / max(1, len(slots))
    figure = Figure(figsize=(WIDTH, 0.4 + 0.62 * len(table)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(len(table) + 0.1, -0.7))
    axes.set_axis_off()
    for column, slot in enumerate(slots):
        axes.text(left + (column + 0.5) * plank, -0.3, slot, ha="center", va="center", fontsize=9, color=INK)
    for column, name in enumerate(numeric):
        at = left + plank * len(slots) + right * (column + 1) - 0.1
        axes.text(at, -0.3, metric(name).label, ha="right", va="center", fontsize=9, color=INK)
        for row, value in enumerate(table[name]):
            axes.text(at, row + 0.5, metric(name).show(value), ha="right", va="center", fontsize=9, color=INK)
    for row, rung in enumerate(table.index):
        axes.text(0.05, row + 0.5, str(rung), ha="left", va="center", fontsize=9.5, color=INK, weight="bold")
        for column, slot in enumerate(slots):
            swapped = table[slot].iloc[row] != table[slot].iloc[0]
            _plank(axes, left + column * plank, row, plank, str(table[slot].iloc[row]), swapped)
    return figure


def _plank(axes: Axes, x: float, row: int, width: float, text: str, swapped: bool) -> None:
    colour = HUES[1] if swapped else FAINT
    axes.add_patch(
        FancyBboxPatch(
            (x + 0.07, row + 0.12), width - 0.14, 0.76, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=(colour, 0.2 if swapped else 0.08), edgecolor=colour, linewidth=1.5 if swapped else 0.7,
        )
    )  # fmt: skip
    name, _, options = text.removesuffix(")").partition("(")
    room = int((width - 0.2) / 0.085)  # inches a character: wide for every usual sans-serif font in bold 8.5 points
    lines = [line for words in (name, options) for line in textwrap.wrap(words, max(8, room), break_long_words=False)]
    size = 8.5 * min(1.0, room / max(map(len, lines)), 2.9 / len(lines))
    axes.text(
        x + width / 2, row + 0.5, "\n".join(lines), ha="center", va="center", fontsize=size, color=INK,
        weight="bold" if swapped else "normal", linespacing=1.3, parse_math=False,
    )  # fmt: skip


def image_grid(
    rows: Mapping[str, Sequence[np.ndarray]], *, same_scale: bool = True, symbol: str = "w", height: float = 0.85
) -> Figure:
    """Small images in rows, such as learned kernels: zero is neutral, the sign is the colour.

    Args:
        rows: for each label, matrices of shape ``(height, width)``.
        same_scale: whether a row's images share one colour scale; its bound is printed beside the row.
        symbol: what the numbers are called there.
        height: of a row, in inches.

    Raises:
        ValueError: there is no image.
    """
    n_columns = max((len(images) for images in rows.values()), default=0)
    if not n_columns:
        raise ValueError("image_grid: `rows` must hold at least one image, got none.")
    figure = Figure(figsize=(WIDTH, 0.3 + height * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), n_columns, squeeze=False)
    for line, (label, images) in zip(grid, rows.items(), strict=True):
        bound = max((float(np.abs(image).max()) for image in images), default=0.0)
        for axes, image in zip(line, images, strict=False):
            limit = (bound if same_scale else float(np.abs(image).max())) or 1.0
            axes.imshow(image, cmap="PuOr_r", vmin=-limit, vmax=limit, interpolation="none")
        for axes in line:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        text = f"{label}\n|{symbol}| ≤ {bound:.2g}" if same_scale else label
        line[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8.5, color=INK)
    return figure


def _finite(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows in which all these numbers are there."""
    rows = table
    for name in columns:
        values = rows[name].astype(float) if name in rows else pd.Series(np.nan, index=rows.index)
        rows = rows.loc[np.isfinite(values)]
    if rows.empty:
        raise ValueError(f"figure: some trial must have {' and '.join(columns)}, got none. Run more trials.")
    return rows


def _reach(interval: Interval) -> np.ndarray | None:
    """How far an error bar goes down and up; nothing for a single seed."""
    if interval.n < 2:
        return None
    return np.array([[interval.mean - interval.low], [interval.high - interval.mean]])


def dress(axes: Axes, x_label: str = "", y_label: str = "") -> None:
    """Quiet axes: thin lines on two sides, a faint grid behind what is drawn."""
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)
    axes.tick_params(labelsize=8.5, length=3, width=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.grid(color=FAINT, alpha=0.2, linewidth=0.5)
    axes.set_axisbelow(True)


def metric_heatmap(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Arms in rows, metrics in columns: means over seeds as numbers, on colours of a common logarithmic scale.

    Args:
        table: one row a trial, with a column ``arm``.
        names: positive metrics of one kind; those that no trial has are left out.

    Raises:
        ValueError: no trial has one of them.
    """
    known = [name for name in names if name in table and table[name].notna().any()]
    if not known:
        raise ValueError(f"metric_heatmap: some trial must have one of {', '.join(names)}, got none. Run more trials.")
    means = table.groupby("arm", sort=False)[known].mean()
    tiny = float(means[means > 0].min().min())
    logs = np.log10(means.clip(lower=tiny).to_numpy(float))
    figure = Figure(figsize=(WIDTH, 0.9 + 0.27 * len(means)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(logs, cmap="viridis", aspect="auto", interpolation="none", alpha=0.55)
    for row, column in np.ndindex(*logs.shape):
        axes.text(
            column, row, metric(known[column]).show(means.iloc[row, column]), ha="center", va="center", fontsize=7.5,
            color=INK,
        )  # fmt: skip
    labels = [textwrap.fill(metric(name).words, 13) for name in known]
    axes.set_xticks(range(len(known)), labels, fontsize=7.5)
    axes.set_yticks(range(len(means)), list(map(str, means.index)), fontsize=8.5)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure


Line = tuple[Sequence[float], Sequence[float]]
"""Places and heights of a line's points."""
MARKED = 100
"""Points of a line that may have a marker each."""


def line_panels(
    panels: Mapping[str, Mapping[str, Line]],
    looks_of: Mapping[str, Look],
    *,
    x_labels: Sequence[str],
    y_label: str,
    logarithmic: bool = False,
) -> Figure:
    """Lines of arms, in panels side by side that share their vertical axis.

    Args:
        panels: for each heading the lines by arm.
        looks_of: how each arm is drawn.
        x_labels: of the horizontal axes, one for each panel.
        y_label: of the vertical axis.
        logarithmic: whether both axes are; powers are then straight lines.

    Raises:
        ValueError: there is no line.
    """
    drawn = {heading: lines for heading, lines in panels.items() if lines}
    if not drawn:
        raise ValueError("line_panels: `panels` must hold at least one line, got none. Run more trials.")
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    handles = {}
    for number, (axes, (heading, lines), x_label) in enumerate(zip(grid, panels.items(), x_labels, strict=True)):
        for arm, (x, y) in lines.items():
            look = looks_of[arm]
            marker = look.marker if len(x) <= MARKED else None  # more of them would hide the line
            (handles[arm],) = axes.plot(
                x, y, color=look.colour, linestyle=look.dashes, marker=marker, markersize=4, linewidth=1.3
            )
        if logarithmic:
            axes.set(xscale="log", yscale="log")
            places = sorted({place for x, _ in lines.values() for place in x})
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.xaxis.minorticks_off()
        dress(axes, x_label, y_label if number == 0 else "")
        axes.set_title(heading, loc="left", fontsize=9, color=INK, pad=4, parse_math=False)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    return figure


def metric_table(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Every trial in a row with its arm and seed, and some of its metrics in columns.

    Args:
        table: one row a trial, columns ``arm`` and ``seed``.
        names: metrics; those that no trial has are left out.

    Raises:
        ValueError: no trial has one of them.
    """
    known = [name for name in names if name in table and table[name].notna().any()]
    if not known:
        raise ValueError(f"metric_table: some trial must have one of {', '.join(names)}, got none. Run more trials.")
    arms = list(dict.fromkeys(table["arm"]))
    rows = sorted(table.to_dict("records"), key=lambda row: (arms.index(row["arm"]), row["seed"]))
    left = 0.75 + 0.085 * max(len(str(arm)) for arm in arms)
    wide = (WIDTH - left - 0.05) / len(known)
    headings = [textwrap.fill(metric(name).label, max(6, int(wide / 0.075)), break_long_words=False) for name in known]
    top = 0.6 + 0.65 * max(1 + heading.count("\n") for heading in headings)  # in rows
    figure = Figure(figsize=(WIDTH, 0.19 * (len(rows) + top + 0.3)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(len(rows) + 0.3, -top))
    axes.set_axis_off()
    for column, heading in enumerate(headings):
        axes.text(left + (column + 1) * wide, -0.4, heading, ha="right", va="bottom", fontsize=7, color=INK)
    for number, row in enumerate(rows):
        first = number == 0 or rows[number - 1]["arm"] != row["arm"]
        if first:
            axes.axhline(number, color=FAINT, linewidth=0.4)
            axes.text(0.05, number + 0.5, str(row["arm"]), va="center", fontsize=8, color=INK, weight="bold")
        axes.text(left - 0.1, number + 0.5, f"seed {row['seed']}", ha="right", va="center", fontsize=7, color=INK)
        for column, name in enumerate(known):
            shown = metric(name).show(row[name])
            axes.text(left + (column + 1) * wide, number + 0.5, shown, ha="right", va="center", fontsize=7.5, color=INK)
    return figure
