"""Pictures of this study; accuracy against size and time, and accuracy curves, every report has anyway."""

from __future__ import annotations

from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import image_grid, metric_against
from replank.lab.study import Figure
from replank.studies.parallel_quantum_and_quanvolution.settings import ARMS


def layer_time(records: Records) -> MatplotlibFigure:
    """Accuracy against the time of the layer in the middle."""
    return metric_against(records.table, "layer_ms", "test_accuracy")


def step_sizes(records: Records) -> MatplotlibFigure:
    """Accuracy against the step size, one arm for each."""
    return metric_against(records.table, "lr", "test_accuracy")


def channels(records: Records) -> MatplotlibFigure:
    """What each trained filter makes of one test image."""
    done = records.table[records.table["status"] == "done"]
    shown = [arm for arm in ARMS["filters"] if 0 in set(done.loc[done["arm"] == arm, "seed"])]
    return image_grid({arm: list(records.artefact("channels", arm)) for arm in shown}, symbol="y")


FIGURES = (
    Figure(
        "layer_time",
        "Accuracy against the time of the layer in the middle",
        "A forward and backward pass of the middle alone, for one batch: the convolutions around it take far longer. "
        "Means over seeds with their 95 % intervals.",
        layer_time,
        protocol="P*",
    ),
    Figure(
        "grid_time",
        "Accuracy against the time of the circuits",
        "Twenty qubits in all, in circuits of different widths; a forward and backward pass of the layer alone.",
        layer_time,
        protocol="grid*",
    ),
    Figure(
        "step_sizes",
        "Accuracy against the step size",
        "The quanvolution with circuit B, the same seeds at each step size.",
        step_sizes,
        protocol="lr*",
    ),
    Figure(
        "channels",
        "What the trained filters make of one image",
        "The first test image of seed 0. Circuits and trained convolutions alike blur, sharpen or invert it.",
        channels,
        protocol="Q*",
    ),
)
