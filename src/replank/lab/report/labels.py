"""Text beside points, without overlap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Annotation

_FONT_POINTS = 8.5
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (9, 20, 34, 50)
_FAR = 15.0
"""Points between a label and its point from which on a line joins them."""
_Box = tuple[float, float, float, float]


def place_labels(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write a label beside each point where it hides neither a point nor another label.

    Greedy: each label takes the first place of least overlap among eight directions at four distances; one that had
    to go far gets a thin leader line. The limits of the axes stay as they are.

    Args:
        axes: complete, but for the labels.
        points: data coordinates by label.
    """
    figure = axes.figure
    assert isinstance(figure, Figure)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw_without_rendering()  # lays the axes out, so that data coordinates have their places ...
    figure.set_layout_engine("none")  # ... and keep them
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    pixels = figure.dpi / 72
    font = FontProperties(size=_FONT_POINTS)
    centres = {label: axes.transData.transform(point) / pixels for label, point in points.items()}
    taken: list[_Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in centres.values()]
    frame = axes.get_window_extent(renderer)
    inside = (frame.x0 / pixels, frame.y0 / pixels, frame.x1 / pixels, frame.y1 / pixels)
    for number, (label, centre) in enumerate(centres.items()):
        width, height, _ = renderer.get_text_width_height_descent(label, font, ismath=False)
        size = np.array([width, height]) / pixels
        offset, box = min(_candidates(centre, size), key=lambda each: _cost(each[1], taken, inside))
        taken.append(box)
        far = bool((np.abs(offset) - size / 2).max() > _FAR)
        _write(axes, label, points[label], offset, leader=far).set_gid(f"label-{number}")


def _candidates(centre: np.ndarray, size: np.ndarray) -> list[tuple[np.ndarray, _Box]]:
    """Offsets of the text's centre from the point, nearest first, each with the box that the text would fill."""
    found = []
    for distance in _DISTANCES:
        for direction in _DIRECTIONS:
            offset = np.array(direction) * (distance + size / 2 * (np.abs(direction) > 0))
            low, high = centre + offset - size / 2 - 1, centre + offset + size / 2 + 1
            found.append((offset, (low[0], low[1], high[0], high[1])))
    return found


def _cost(box: _Box, taken: list[_Box], inside: _Box) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(_overlap(box, other) for other in taken) + area - _overlap(box, inside)


def _overlap(one: _Box, other: _Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _write(axes: Axes, label: str, point: tuple[float, float], offset: np.ndarray, *, leader: bool) -> Annotation:
    return axes.annotate(
        label, point, xytext=tuple(offset), textcoords="offset points", ha="center", va="center",
        fontsize=_FONT_POINTS, parse_math=False,
        arrowprops={"arrowstyle": "-", "linewidth": 0.5, "alpha": 0.6, "shrinkB": 5} if leader else None,
    )  # fmt: skip
