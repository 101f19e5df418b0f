from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from replank.lab.report.figures import FAINT
from replank.lab.report.forest import Panel, Row, forest_plot
from replank.lab.report.svg import HUES
from replank.lab.report.wording import metric
from replank.measure.statistics import Interval

HOSTILE = '<script>alert("1")</script> & $x$'


def drawn(*rows: Row, name: str = "test_accuracy") -> Axes:
    return forest_plot([Panel("", metric(name), rows, "difference", ("worse", "better"))]).axes[0]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def points(axes: Axes) -> list[tuple[float, str, str]]:
    """Place, colour and face of each row's point."""
    found = [line for line in axes.lines if line.get_marker() == "o"]
    return [
        (float(line.get_xdata()[0]), to_hex(line.get_color()), to_hex(line.get_markerfacecolor())) for line in found
    ]


def test_points_and_intervals_stand_where_they_belong() -> None:
    axes = drawn(Row("a", Interval(0.02, -0.01, 0.05, 3)), Row("b", Interval(-0.02, -0.03, -0.01, 3)))
    assert [place for place, _, _ in points(axes)] == [2.0, -2.0]
    spans = [tuple(line.get_xdata()) for line in axes.lines if line.get_marker() == "None"]
    assert [0.0, 0.0] in [list(span) for span in spans]
    assert [span for span in spans if span[0] != span[1]] == [(-1.0, 5.0), (-3.0, -1.0)]


def test_colour_and_face_tell_the_side_and_the_kind() -> None:
    rows = (
        Row("better", Interval(0.02, 0.01, 0.03, 3)),
        Row("worse", Interval(-0.02, -0.03, -0.01, 3), filled=False),
        Row("open", Interval(0.02, -0.01, 0.05, 3)),
        Row("single", Interval(0.02, -np.inf, np.inf, 1)),
    )
    found = points(drawn(*rows))
    assert [colour for _, colour, _ in found] == [HUES[0], HUES[1], FAINT, FAINT]
    assert [face for _, _, face in found] == [HUES[0], "#ffffff", FAINT, FAINT]
    assert [colour for _, colour, _ in points(drawn(*rows, name="test_loss"))][:2] == [HUES[1], HUES[0]]


def test_the_better_side_of_a_loss_is_the_left() -> None:
    row = Row("a", Interval(0.02, 0.01, 0.03, 3))
    assert {"← worse", "better →"} <= set(texts(drawn(row)))
    assert {"← better", "worse →"} <= set(texts(drawn(row, name="test_loss")))
    assert drawn(row).get_xlabel() == "difference (points)"


def test_numbers_stand_beside_each_row() -> None:
    rows = (Row("a", Interval(0.02, -0.01, 0.05, 3)), Row("b", Interval(0.02, -np.inf, np.inf, 1)))
    assert {"+2.00 [−1.00, +5.00], 3 seeds", "+2.00, 1 seed"} <= set(texts(drawn(*rows)))


def test_an_interval_far_wider_than_the_others_runs_out_of_the_frame() -> None:
    narrow = [Row(str(number), Interval(0.01, -0.01, 0.03, 3)) for number in range(4)]
    axes = drawn(*narrow, Row("wide", Interval(0.01, -9.0, 9.02, 3)))
    low, high = axes.get_xlim()
    assert -20 < low < -1
    assert 3 < high < 20
    arrows = [(line.get_marker(), float(line.get_xdata()[0])) for line in axes.lines if line.get_marker() in "<>"]
    assert arrows == [("<", low), (">", high)]


FINITE = st.floats(-1, 1, allow_subnormal=False)


@given(st.lists(st.tuples(FINITE, st.floats(0, 1)), min_size=1, max_size=6))
def test_the_frame_holds_zero_and_every_point(rows: list[tuple[float, float]]) -> None:
    axes = drawn(*(Row("a", Interval(mean, mean - half, mean + half, 3)) for mean, half in rows))
    low, high = axes.get_xlim()
    assert low < 0 < high
    assert all(low < 100 * mean < high for mean, _ in rows)


def test_differences_of_nothing_can_be_drawn() -> None:
    drawn(Row("a", Interval(0.0, 0.0, 0.0, 3)), Row("b", Interval(0.0, -np.inf, np.inf, 1)))


def test_panels_of_one_metric_share_their_frame() -> None:
    rows = [Row("a", Interval(mean, mean - 0.01, mean + 0.01, 3)) for mean in (0.1, 0.01, 0.5)]
    names = ("test_accuracy", "test_accuracy", "test_loss")
    panels = [
        Panel(str(n), metric(name), (row,), "", ("", "")) for n, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
    frames = [axes.get_xlim() for axes in forest_plot(panels).axes]
    assert frames[0] == frames[1] != frames[2]


@pytest.mark.parametrize("strong", [False, True])
def test_the_best_has_a_bold_label(strong: bool) -> None:
    axes = drawn(Row("rival", Interval(0.01, 0.0, 0.02, 3), note="a note", strong=strong))
    weights = {text.get_text(): text.get_fontweight() for text in axes.texts}
    assert (weights["rival"], weights["a note"]) == ("bold" if strong else "normal", "normal")


def test_rows_do_not_touch_and_long_labels_are_wrapped() -> None:
    rows = [Row("a name of an arm that is longer than a line has room for", Interval(0.1, 0, 0.2, 3), "and a note")] * 3
    axes = drawn(*rows)
    heights = [float(text.xy[1]) for text in axes.texts if text.get_ha() == "right" and text.xy[0] == 0]
    assert len(heights) == 9
    assert np.diff(heights).min() > 0.15
    assert max(len(text) for text in texts(axes)) < 50


def test_names_are_never_read_as_mathematics() -> None:
    row = Row(HOSTILE, Interval(0.1, 0, 0.2, 3), note=HOSTILE)
    figure = forest_plot([Panel(HOSTILE, metric("test_accuracy"), (row,), HOSTILE, (HOSTILE, HOSTILE))])
    figure.savefig(io.BytesIO(), format="svg")
