"""Forest plots: differences with their intervals, one a row, about a line at zero."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from replank.lab.report.figures import FAINT, INK, WIDTH, dress
from replank.lab.report.svg import HUES
from replank.lab.report.wording import MISSING, Metric
from replank.measure.statistics import Interval

_LINE, _GAP = 0.17, 0.15
"""Inches of a line of text, and between two rows."""
_CHARACTER = 0.078
"""Inches of a character of a label: wide for every usual sans-serif font in 9 points."""
_LONGEST = 38
"""Characters of a label's line."""


@dataclass(frozen=True)
class Row:
    """One difference.

    Args:
        label: what is compared.
        difference: in the recorded unit.
        note: a quieter second line.
        filled: whether its marker is filled.
        strong: whether its label is bold.
    """

    label: str
    difference: Interval
    note: str = ""
    filled: bool = True
    strong: bool = False

    @property
    def lines(self) -> list[str]:
        """Label and note as lines that fit."""
        return [line for text in (self.label, self.note) for line in textwrap.wrap(text, _LONGEST)]


@dataclass(frozen=True)
class Panel:
    """Differences that share an axis.

    Args:
        title: above it.
        metric: how its numbers are shown, and which sign is the better one.
        rows: from top to bottom.
        label: of the axis, without a unit.
        ends: what it means to lie far on the worse and on the better side.
    """

    title: str
    metric: Metric
    rows: tuple[Row, ...]
    label: str
    ends: tuple[str, str]

    @property
    def height(self) -> float:
        """Inches of its rows."""
        return sum(len(row.lines) * _LINE + _GAP for row in self.rows)


def forest_plot(panels: Sequence[Panel]) -> Figure:
    """Points with their intervals about a line at zero; panels of one metric share their frame.

    The frame holds zero and every point. An interval much wider than the others, as with few seeds, runs out of it and
    ends in an arrow; its numbers stand on the right anyway.

    Args:
        panels: from top to bottom, each with at least one row.
    """
    rows = [row for panel in panels for row in panel.rows]
    left = 0.15 + _CHARACTER * max(len(line) for row in rows for line in row.lines)
    right = 0.3 + _CHARACTER * max(len(_numbers(panel.metric, row)) for panel in panels for row in panel.rows)
    above = [0.6 if panel.title else 0.34 for panel in panels]  # room for the title and what the sides mean
    below = 0.56
    height = sum(above) + sum(panel.height + below for panel in panels)
    figure = Figure(figsize=(WIDTH, height))
    top = height
    for panel, space in zip(panels, above, strict=True):
        top -= space + panel.height
        axes = figure.add_axes((left / WIDTH, top / height, (WIDTH - left - right) / WIDTH, panel.height / height))
        top -= below
        _draw(axes, panel, _frame([each for each in panels if each.metric.name == panel.metric.name]))
    return figure


def _frame(panels: Sequence[Panel]) -> tuple[float, float]:
    """Ends of the axis in the shown unit."""
    scale = panels[0].metric.scale
    differences = [row.difference for panel in panels for row in panel.rows]
    means = np.array([each.mean for each in differences]) * scale
    ends = np.array([[each.low, each.high] for each in differences]) * scale
    bounded = ends[np.isfinite(ends).all(axis=1)]
    reach = max(1.3 * np.abs(means).max(), 3 * float(np.median(np.abs(bounded))) if len(bounded) else 0.0) or 1.0
    low = max(-reach, min(0.0, means.min(), *bounded[:, :1].flat))
    high = min(reach, max(0.0, means.max(), *bounded[:, 1:].flat))
    margin = 0.06 * (high - low or 2 * reach)
    return float(low - margin), float(high + margin)


def _draw(axes: Axes, panel: Panel, frame: tuple[float, float]) -> None:
    dress(axes)
    axes.set(xlim=frame, ylim=(panel.height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.axvline(0, color=INK, linewidth=0.9)
    if panel.title:
        axes.set_title(panel.title, loc="left", fontsize=9.5, color=INK, pad=24, parse_math=False)
    left, right = panel.ends[::-1] if panel.metric.less_is_better else panel.ends
    _side(axes, f"← {left}", 0, "left")
    _side(axes, f"{right} →", 1, "right")
    unit = panel.metric.difference_unit
    axes.set_xlabel(f"{panel.label} ({unit})" if unit else panel.label, fontsize=9, parse_math=False)
    at = 0.0
    for row in panel.rows:
        height = len(row.lines) * _LINE + _GAP
        _draw_row(axes, panel.metric, row, at + height / 2)
        at += height


def _side(axes: Axes, text: str, at: float, align: Literal["left", "right"]) -> None:
    """What it means to lie on one side of zero, above the rows."""
    axes.annotate(
        text, (at, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", ha=align, va="bottom",
        fontsize=8, color=INK, alpha=0.75, parse_math=False,
    )  # fmt: skip


def _draw_row(axes: Axes, shown: Metric, row: Row, y: float) -> None:
    difference, colour = row.difference, _colour(shown, row.difference)
    low, high = axes.get_xlim()
    if difference.n > 1:
        start, end = difference.low * shown.scale, difference.high * shown.scale
        axes.plot([max(start, low), min(end, high)], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt")
        for out, edge, marker in ((start < low, low, "<"), (end > high, high, ">")):
            if out:
                axes.plot([edge], [y], marker=marker, color=colour, markersize=6, clip_on=False)
    axes.plot(
        [difference.mean * shown.scale], [y], marker="o", markersize=7.5, color=colour, markeredgewidth=1.6,
        markerfacecolor=colour if row.filled else "#ffffff",
    )  # fmt: skip
    _label(axes, row, y)
    axes.annotate(
        _numbers(shown, row), (1, y), xycoords=("axes fraction", "data"), xytext=(12, 0), textcoords="offset points",
        ha="left", va="center", fontsize=9, color=INK, parse_math=False,
    )  # fmt: skip


def _label(axes: Axes, row: Row, y: float) -> None:
    n_own = len(textwrap.wrap(row.label, _LONGEST))
    for number, line in enumerate(row.lines):
        own = number < n_own
        axes.annotate(
            line, (0, y + (number - (len(row.lines) - 1) / 2) * _LINE), xycoords=("axes fraction", "data"),
            xytext=(-8, 0), textcoords="offset points", ha="right", va="center", fontsize=9 if own else 8,
            color=INK, alpha=1 if own else 0.7, weight="bold" if own and row.strong else "normal", parse_math=False,
        )  # fmt: skip


def _colour(shown: Metric, difference: Interval) -> str:
    if difference.spans_zero:
        return FAINT
    return HUES[0] if shown.is_better(difference.mean) else HUES[1]


def _numbers(shown: Metric, row: Row) -> str:
    """What stands on the right of a row."""
    difference = row.difference
    interval = shown.show_interval(difference.low, difference.high, signed=True)
    interval = "" if interval == MISSING else f" {interval}"
    return f"{shown.show_signed(difference.mean)}{interval}, {difference.n} seed{'s' if difference.n > 1 else ''}"
