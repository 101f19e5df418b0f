"""Pictures of this study; accuracy against size, and accuracy curves, every report has anyway."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import FAINT, INK, WIDTH, dress, learning_curves, metric_against
from replank.lab.report.svg import HUES
from replank.lab.study import Figure

CEILING = "test_ceiling_accuracy"


def accuracy_with_ceiling(records: Records) -> MatplotlibFigure:
    """Test accuracies over training, with the best that any function of the samples could reach."""
    ceiling = float(records.table[CEILING].mean())
    label = f"ceiling of every function of the samples: {100 * ceiling:.1f} %"
    return learning_curves(records, "test_accuracy", reference={label: ceiling})


def wave(records: Records) -> MatplotlibFigure:
    """What the first closed-form circuit predicts for each training string, against the argument of its sine."""
    table = records.table
    arms = [arm for arm in ("qnn", "qnn-zx") if (table["arm"] == arm).any()]
    if not arms:
        raise UnknownName("arm with a closed form", "qnn", table["arm"].unique())
    figure = MatplotlibFigure(figsize=(WIDTH, 3.2), layout="constrained")
    panels = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
    for axes, arm in zip(panels, arms, strict=True):
        rows = records.artefact("wave", arm, seed=int(table.loc[table["arm"] == arm, "seed"].min()))
        argument, score, label, count = rows.T
        folded = (argument + np.pi) % (2 * np.pi) - np.pi
        grid = np.linspace(-np.pi, np.pi, 200)
        axes.plot(grid, np.abs(score).max() * np.sin(grid), color=FAINT, linewidth=0.8)
        axes.axhline(0, color=INK, linewidth=0.6)
        for sign, colour, marker in ((1, HUES[0], "o"), (-1, HUES[1], "^")):
            mine = np.sign(label) == sign
            axes.scatter(
                folded[mine], score[mine], s=8 + 60 * np.sqrt(count[mine] / count.max()), color=colour, marker=marker,
                alpha=0.65, linewidths=0, label=f"label {sign:+d}",
            )  # fmt: skip
        axes.set_title(arm, loc="left", fontsize=9)
        dress(axes, "Σ φᵢ zᵢ, modulo 2π", "score" if axes is panels[0] else "")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def success_by_size(records: Records) -> MatplotlibFigure:
    """How many starts of the paper's rule find a parity, by its number of bits."""
    table = records.table
    return metric_against(table[table["arm"].str.startswith("parity-")], "data_qubits", "success_rate")


def loss_by_shots(records: Records) -> MatplotlibFigure:
    """The loss that training with few shots leaves, measured exactly."""
    table = records.table
    return metric_against(table[table["arm"].str.startswith("shots-")], "shots", "train_loss")


FIGURES = (
    Figure(
        "test_accuracy",
        "Test accuracy over training, and the ceiling",
        "One panel an arm: mean and range over seeds in colour, the first arm dashed, the others faint. Curves are "
        "means over all starts; the tables give the start of least training loss. No function of the samples gets "
        "above the dotted line: samples that are equal have different labels.",
        accuracy_with_ceiling,
        protocol="[!r]*",  # representations are not trained
    ),
    Figure(
        "wave",
        "The circuit is a sine",
        "Each mark is a distinct training string, larger where it occurs more often: all lie on one sine of a "
        "linear function of the bits, with 96 weights as with 16. Marks on the wrong side of the line are errors.",
        wave,
        protocol="*-0.*",
    ),
    Figure(
        "success_by_size",
        "Starts that find the parity",
        "Twenty starts of the paper's rule for each number of bits, 500 strings each (paper scale: 5,000): gradients "
        "shrink as 2⁻ⁿ, and so does the share of starts that get anywhere.",
        success_by_size,
        protocol="parity",
    ),
    Figure(
        "loss_by_shots",
        "What shots cost",
        "Training loss, measured exactly, after training with values and gradients from so many shots each.",
        loss_by_shots,
        protocol="3x3",
    ),
)
