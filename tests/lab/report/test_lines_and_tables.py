from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from replank.lab.records import Records
from replank.lab.report.figures import INK, line_panels, looks, metric_table

LINES = {"oak": ([1, 2, 4], [1.0, 4.0, 16.0]), "reed": ([1, 2, 4], [2.0, 4.0, 8.0])}


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_every_arm_has_its_line_in_every_panel():
    figure = line_panels(
        {"one": LINES, "two": {"reed": LINES["reed"]}}, looks(LINES), x_labels=["size", "side"], y_label="ms"
    )
    one, two = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["one", "two"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["size", "side"]
    assert (one.get_ylabel(), two.get_ylabel()) == ("ms", "")
    assert [line.get_ydata().tolist() for line in one.lines] == [y for _, y in LINES.values()]
    assert [line.get_ydata().tolist() for line in two.lines] == [LINES["reed"][1]]
    assert to_hex(one.lines[0].get_color()) == INK
    assert one.lines[1].get_color() == two.lines[0].get_color()
    assert [text.get_text() for text in figure.legends[0].texts] == ["oak", "reed"]
    assert one.get_xscale() == "linear"


def test_powers_are_straight_on_logarithmic_axes():
    (axes,) = line_panels({"": LINES}, looks(LINES), x_labels=["size"], y_label="ms", logarithmic=True).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_no_line_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one line, got none"):
        line_panels({"one": {}}, {}, x_labels=["size"], y_label="ms")


def test_every_trial_has_a_row(records: Records):
    table = records.table
    figure = metric_table(table, ["parameters", "test_accuracy", "nothing"])
    shown = texts(figure)
    arms = list(dict.fromkeys(table["arm"]))
    assert [text for text in shown if text in arms] == arms  # each once, in their order
    assert shown.count("seed 0") == len(arms)
    assert "parameters" in shown
    assert any(text.startswith("test") and "accuracy" in text for text in shown)
    row = table.iloc[0]
    assert f"{row['test_accuracy'] * 100:.2f}" in shown
    assert shown.count("–") == 2 * int(table["test_accuracy"].isna().sum())


def test_the_table_fits_into_its_figure(records: Records):
    figure = metric_table(records.table, ["parameters", "test_accuracy", "train_wall_s_per_epoch"])
    canvas = FigureCanvasAgg(figure)
    canvas.print_png(io.BytesIO())
    frame = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent(canvas.get_renderer())
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1


def test_a_table_of_nothing_is_refused():
    table = pd.DataFrame({"arm": ["oak"], "seed": [0], "test_accuracy": [np.nan]})
    with pytest.raises(ValueError, match="some trial must have one of test_accuracy, other"):
        metric_table(table, ["test_accuracy", "other"])
