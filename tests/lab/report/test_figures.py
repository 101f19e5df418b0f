from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from replank.lab.records import Records
from replank.lab.report.figures import image_grid, ladder_drawing, learning_curves, looks, metric_against
from replank.lab.report.labels import place_labels
from replank.lab.report.svg import HUES, to_svg

HOSTILE = '<script>alert("1")</script> & $x$'


def test_points_stand_at_the_means_over_seeds(records: Records) -> None:
    axes = metric_against(records.table, "parameters", "test_accuracy").axes[0]
    drawn = sorted(
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.lines if len(line.get_xdata())
    )
    done = records.table[records.table["status"] == "done"].groupby("arm")[["parameters", "test_accuracy"]].mean()
    expected = sorted((row.parameters, row.test_accuracy * 100) for row in done.itertuples())
    assert np.allclose(drawn, expected)


def test_error_bars_are_the_intervals_and_a_single_seed_has_none(make_records: Callable[..., Records]) -> None:
    assert len(metric_against(make_records().table, "parameters", "test_accuracy").axes[0].collections) > 1
    assert len(metric_against(make_records(seeds=1).table, "parameters", "test_accuracy").axes[0].collections) == 1


def test_sizes_over_decades_get_a_logarithmic_axis(records: Records) -> None:
    table = records.table.assign(parameters=[10.0 ** (row % 5) for row in range(len(records.table))])
    assert metric_against(table, "parameters", "test_accuracy").axes[0].get_xscale() == "log"
    assert metric_against(records.table, "parameters", "test_accuracy").axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("name", ["nothing", "test_accuracy"])
def test_a_figure_of_nothing_is_refused(records: Records, name: str) -> None:
    with pytest.raises(ValueError, match="some trial must have"):
        metric_against(records.table.assign(test_accuracy=np.nan), "parameters", name)


def test_each_arm_has_a_panel_with_the_baseline_and_a_band_over_seeds(records: Records) -> None:
    figure = learning_curves(records, "test_accuracy", reference={"floor": 0.5})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["oak", "reed", "frozen-reed", "oak-small"]
    curves = records.curves.query("arm == 'oak' and name == 'test_accuracy'").groupby("epoch")["value"]
    axes = figure.axes[0]
    solid = next(line for line in axes.lines if line.get_color() == HUES[0])
    assert np.allclose(solid.get_ydata(), curves.mean() * 100)
    band = axes.collections[-1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((curves.min().min() * 100, curves.max().max() * 100))
    assert any(np.allclose(line.get_ydata(), 50) for line in axes.lines)


def test_a_baseline_alone_has_a_panel(make_records: Callable[..., Records]) -> None:
    figure = learning_curves(make_records(arms=("keel",), seeds=1), "train_loss")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["keel"]


def test_arms_differ_in_colour_and_marker() -> None:
    found = looks(f"arm {number}" for number in range(7))
    assert len({look.colour for look in found.values()}) == 7
    assert len({look.marker for look in found.values()}) == 7


def test_planks_that_were_swapped_are_coloured() -> None:
    table = pd.DataFrame(
        {"body": ["Conv2d", "Conv2d"], "head": ["Linear", "New(a=1)"], "parameters": [1, 2]}, index=["a", "b"]
    )
    planks = ladder_drawing(table).axes[0].patches
    assert [to_hex(plank.get_edgecolor()) == HUES[1] for plank in planks] == [False, False, False, True]


def test_kernels_share_a_scale_that_is_symmetric_about_zero() -> None:
    figure = image_grid({"a": [np.eye(3), -2 * np.eye(3)], "b": [np.zeros((3, 3))]})
    limits = [axes.images[0].get_clim() for axes in figure.axes if axes.images]
    assert limits == [(-2, 2), (-2, 2), (-1, 1)]


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        image_grid({})


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12))
def test_labels_stay_inside_the_frame_and_sparse_ones_apart(points: list[tuple[float, float]]) -> None:
    figure = Figure(figsize=(9, 5))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.2, 1.2), ylim=(-0.2, 1.2))
    place_labels(axes, {f"arm {number}": point for number, point in enumerate(points)})
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)
    boxes = [text.get_window_extent(renderer) for text in axes.texts]
    frame = axes.get_window_extent(renderer).padded(1)
    assert all(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1) for box in boxes)
    if len(points) <= 3:
        assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)


def test_svg_follows_the_theme_and_repeats_to_the_byte() -> None:
    def draw() -> str:
        figure = Figure()
        axes = figure.add_subplot()
        axes.plot([1, 2], color="black")
        axes.plot([2, 1], color=HUES[0], marker="o")
        return to_svg(figure, prefix="p", label=HOSTILE)

    text = draw()
    assert text == draw()
    assert "currentColor" in text
    assert "var(--hue-1)" in text
    assert "var(--ground)" in text
    assert "#000000" not in text
    assert "<script" not in text


def test_names_of_arms_are_never_read_as_mathematics(make_records: Callable[..., Records]) -> None:
    table = make_records().table.replace({"arm": {"oak": HOSTILE}})
    figure = metric_against(table, "parameters", "test_accuracy")
    figure.savefig(io.BytesIO(), format="svg")
    assert HOSTILE in [text.get_text() for text in figure.axes[0].texts]
