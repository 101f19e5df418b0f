"""Pictures of this study; accuracy against size and time, and accuracy curves, every report has anyway."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import FAINT, INK, WIDTH, dress, image_grid, metric_against
from replank.lab.report.svg import HUES
from replank.lab.study import Figure
from replank.studies.quantum_adversarial.heads import HEADS

_TRAININGS = {"": (HUES[1], "o"), "-adversarial": (HUES[0], "s"), "-augmented": (FAINT, "D")}
SHOWN = ("interleaved", "interleaved-adversarial", "logistic", "logistic-adversarial")


def robustness(records: Records) -> MatplotlibFigure:
    """Accuracy against the attack's strength: one panel a head, one line a way of training, noise dotted."""
    return _by_level(records, "interleaved", "test_accuracy_attack_pgd_", "test_accuracy_noise_", "change of a pixel")


def state_robustness(records: Records) -> MatplotlibFigure:
    """The same of states, against the angle that qubits are turned by."""
    return _by_level(records, "states", "test_accuracy_attack_local_", "test_accuracy_noise_local_", "angle")


def _by_level(records: Records, first: str, attack: str, noise: str, label: str) -> MatplotlibFigure:
    done = records.table[records.table["status"] == "done"]
    arms = list(dict.fromkeys(done["arm"]))
    heads = [arm for arm in arms if not arm.endswith(tuple(filter(None, _TRAININGS)))]
    if not heads:
        raise UnknownName("arm with standard training", first, arms)
    columns = min(4, len(heads))
    n_rows = -(-len(heads) // columns)
    figure = MatplotlibFigure(figsize=(WIDTH, 0.6 + 2.3 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, head in zip(grid.flat, heads, strict=False):
        for suffix, (colour, marker) in _TRAININGS.items():
            rows = done[done["arm"] == f"{head}{suffix}"]
            if len(rows):
                _line(axes, rows, attack, colour, marker, suffix[1:] or "standard")
                _line(axes, rows, noise, colour, "", "", dashes=":")
        axes.set_title(head, loc="left", fontsize=9, pad=4, parse_math=False)
        dress(axes)
    for axes in grid.flat[len(heads) :]:
        axes.set_axis_off()
    for axes in grid.flat[max(0, len(heads) - columns) : len(heads)]:
        axes.tick_params(labelbottom=True)
    # where all ways of training are
    grid.flat[heads.index(first) if first in heads else 0].legend(frameon=False, fontsize=7.5)
    figure.supxlabel(label, fontsize=9)
    figure.supylabel("test accuracy (%)", fontsize=9)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, prefix: str, colour: str, marker: str, label: str, dashes: str = "-") -> None:
    """Means over seeds with their range."""
    names = {name: float(name.removeprefix(prefix)) for name in map(str, rows) if _is_level(name, prefix)}
    ordered: list[str] = sorted(names, key=lambda name: names[name])
    levels, values = [names[name] for name in ordered], 100 * rows[ordered].to_numpy(float)
    axes.fill_between(levels, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(
        levels, values.mean(0), color=colour, linestyle=dashes, linewidth=1.4, marker=marker or None, markersize=4,
        label=label or None,
    )  # fmt: skip


def _is_level(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name.removeprefix(prefix).replace(".", "", 1).isdigit()


def clean_against_robust(records: Records) -> MatplotlibFigure:
    """What robustness costs in accuracy, one point an arm."""
    return metric_against(records.table, "test_accuracy", "test_accuracy_attack_pgd")


def attacks(records: Records) -> MatplotlibFigure:
    """What the attack adds to the first test images of the first seed."""
    done = records.table[records.table["status"] == "done"]
    shown = [arm for arm in SHOWN if 0 in set(done.loc[done["arm"] == arm, "seed"])]
    if not shown:
        raise UnknownName("arm with examples", SHOWN[0], done["arm"].unique())
    found = {arm: records.artefact("attack", arm, seed=0) for arm in shown}
    return image_grid({"image": list(found[shown[0]][0]), **{arm: list(found[arm][1]) for arm in shown}}, symbol="x")


def transfer(records: Records) -> MatplotlibFigure:
    """Accuracy of each head under the examples of each, means over seeds."""
    table = records.table
    seeds = table.loc[table["status"] == "done", "seed"]
    accuracy = 100 * np.mean([records.artefact("transfer", "transfer", seed=int(seed)) for seed in seeds], 0)
    figure = MatplotlibFigure(figsize=(0.62 * WIDTH, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(accuracy, cmap="PuOr", vmin=0, vmax=100)
    for row, column in np.ndindex(accuracy.shape):
        axes.text(
            column, row, f"{accuracy[row, column]:.0f}", ha="center", va="center", fontsize=9, color=INK,
            bbox={"facecolor": "#ffffff", "alpha": 0.7, "linewidth": 0, "pad": 1.5},
        )  # fmt: skip
    names = list(HEADS)
    axes.set_xticks(range(len(names)), names, fontsize=8.5, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names, fontsize=8.5)
    axes.set_xlabel("accuracy (%) of", fontsize=9)
    axes.set_ylabel("under examples made against", fontsize=9)
    axes.spines[:].set_visible(False)
    return figure


FIGURES = (
    Figure(
        "robustness",
        "Accuracy against the strength of the attack",
        "Projected gradient descent in the maximum norm (lines, with the range over seeds) and random signs of the "
        "same size (dotted). Pixels are from 0 to 1; models are trained at the largest strength.",
        robustness,
        protocol="images*",
    ),
    Figure(
        "clean_against_robust",
        "Accuracy under the attack against accuracy without",
        "Means over seeds with 95 % intervals, at the strength that adversarial training knows.",
        clean_against_robust,
        protocol="images*",
    ),
    Figure(
        "attacks",
        "What the attack adds",
        "The first test images of seed 0, and below them the change of each pixel that misleads each model most.",
        attacks,
        protocol="images*",
    ),
    Figure(
        "transfer",
        "What examples made against one model do to another",
        "Standard training; the diagonal is the attack on the model itself. Small numbers: the examples carry over.",
        transfer,
        protocol="transfer",
    ),
    Figure(
        "state_robustness",
        "Quantum states: accuracy against the angle of the attack",
        "Each qubit is turned by up to this angle about X, Z and X, on purpose (lines) or with random signs (dotted).",
        state_robustness,
        protocol="states",
    ),
)
