"""Pictures of this study; errors against size and curves, every report has anyway."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as MatplotlibFigure

from replank.errors import UnknownName
from replank.lab.records import Records
from replank.lab.report.figures import FAINT, INK, WIDTH, dress, learning_curves, looks
from replank.lab.study import Figure

ERROR, RETURN = "test_log10nmse", "mean_return"
SHOWN = ("qfwp", "qlstm", "lstm", "ar")


def errors_with_baselines(records: Records) -> MatplotlibFigure:
    """Test errors over training, with what needs no training as lines."""
    return learning_curves(records, ERROR, reference=_means(records, ERROR, ("persistence", "ar")))


def returns_with_random(records: Records) -> MatplotlibFigure:
    """Returns over training, with random actions as a line."""
    trained = Records(tuple(each for each in records.records if each.key.arm != "random"), records.left_out)
    return learning_curves(trained, RETURN, reference=_means(records, RETURN, ("random",)))


def forecasts(records: Records) -> MatplotlibFigure:
    """What followed each test window, and what some arms made of it, with the first seed."""
    table = records.table[records.table["status"] == "done"]
    arms = [arm for arm in SHOWN if (table["arm"] == arm).any()]
    if not arms:
        raise UnknownName("arm with a forecast", SHOWN[0], table["arm"].unique())
    figure = MatplotlibFigure(figsize=(WIDTH, 1.5 * len(arms) + 0.6), layout="constrained")
    known = looks(table["arm"])
    for axes, arm in zip(
        figure.subplots(len(arms), 1, sharex=True, sharey=True, squeeze=False)[:, 0], arms, strict=True
    ):
        seed = int(table.loc[table["arm"] == arm, "seed"].min())
        target, forecast = records.artefact("forecast", arm, seed=seed).T
        steps = np.arange(len(target))
        axes.plot(steps, target, color=INK, linewidth=0.9)
        axes.plot(
            steps, forecast, color=known[arm].colour if arm != records.table["arm"].iloc[0] else FAINT, linewidth=1.4
        )
        axes.set_title(arm, loc="left", fontsize=9)
        dress(axes, "test window" if arm == arms[-1] else "", "scaled")
    return figure


def _means(records: Records, metric: str, arms: tuple[str, ...]) -> dict[str, float]:
    table = records.table
    means = {arm: table.loc[(table["arm"] == arm) & (table["status"] == "done"), metric].mean() for arm in arms}
    return {arm: float(mean) for arm, mean in means.items() if np.isfinite(mean)}


FIGURES = (
    Figure(
        ERROR,
        "Test error over training, beside what needs none",
        "Decimal logarithm of the mean squared error over the variance of the targets. One panel an arm: mean and "
        "range over seeds in colour, the first arm dashed, the others faint. Dotted: persistence, and least squares on "
        "the same four values.",
        errors_with_baselines,
        protocol="[so]*",
    ),
    Figure(
        "forecasts",
        "Forecasts of the test part",
        "Thin and dark: what followed each test window. In colour: the forecast, of the first seed.",
        forecasts,
        protocol="[so]*",
    ),
    Figure(
        RETURN,
        "Returns over training",
        "Mean return of the last 100 episodes after each twentieth of all steps. Dotted: random actions, over their "
        "last 100 episodes. The largest return is 0.955.",
        returns_with_random,
        protocol="empty-*",
    ),
)
