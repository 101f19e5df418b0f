"""Pictures of this study; accuracy against size and time, and accuracy curves, every report has anyway."""

from __future__ import annotations

import json

import pandas as pd
from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.forest import Panel, Row, forest_plot
from replank.lab.report.wording import metric
from replank.lab.study import Figure
from replank.measure.effects import factor_effects
from replank.measure.statistics import Interval, mean_interval
from replank.studies.hybrid_image_classification.factors import CLASSICAL, HYBRID, PUBLISHED_GRID

ATTACKS = {
    "test_accuracy_attack_none": "clean",
    "test_accuracy_attack_clamp_alone": "clamped as published, no attack",
    "test_accuracy_attack_as_published": "attacked and clamped as published",
    "test_accuracy_attack_pgd": "attacked within 0.1 of the pixels",
}


def with_factors(table: pd.DataFrame) -> pd.DataFrame:
    """The finished trials, with a column for each factor, read from their settings."""
    done = table[table["status"] == "done"].reset_index(drop=True)
    settings = pd.DataFrame([json.loads(text) for text in done["settings"]])
    return done.assign(**{name: settings[name] for name in PUBLISHED_GRID}) if len(done) else done


def effects(records: Records) -> MatplotlibFigure:
    """What each factor does between the published networks, the other two at either of their levels."""
    table = with_factors(records.table)
    found = factor_effects(table, PUBLISHED_GRID, "test_accuracy")
    n_seeds = table["seed"].nunique()
    rows = tuple(
        Row(
            f"{row['factor']}: {row['level']} instead of {row['reference']}",
            Interval(row["effect"], row["low"], row["high"], n_seeds),
            note=f"{row['pairs']} pairs",
        )
        for row in found[found["pairs"] > 0].to_dict("records")
    )
    if not rows:
        raise ValueError("effects: two arms that differ in one factor must have been run, got none.")
    shown = metric("test_accuracy")
    return forest_plot([Panel("", shown, rows, "change of test accuracy", ("lowers it", "raises it"))])


def attacks(records: Records) -> MatplotlibFigure:
    """The hybrid minus the classical network, clean and disturbed in three ways."""
    table = records.table[records.table["status"] == "done"]
    rows = []
    for name, words in ATTACKS.items():
        pair = table.pivot_table(index="seed", columns="arm", values=name)
        differences = (pair[HYBRID] - pair[CLASSICAL]).dropna().to_numpy(float)
        levels = " and ".join(f"{100 * pair[arm].mean():.0f} %" for arm in (HYBRID, CLASSICAL))
        rows.append(Row(words, mean_interval(differences), note=f"{levels}"))
    label = f"accuracy of {HYBRID} minus {CLASSICAL}"
    return forest_plot(
        [Panel("", metric("test_accuracy"), tuple(rows), label, ("hybrid is worse", "hybrid is better"))]
    )


FIGURES = (
    Figure(
        "effects",
        "Which factor makes the difference?",
        "Changes of test accuracy when one factor goes from the hybrid's level to the classical network's and the two "
        "others stay where they are, over all pairs of runs of one seed, with bootstrap intervals of 95 %.",
        effects,
    ),
    Figure(
        "attacks",
        "Robustness, as published and as meant",
        "The hybrid minus the classical network as published, on the same test images, with 95 % intervals over seeds; "
        "below each the accuracies of the two. The published attack clamps normalised images to [0, 1], which moves "
        "pixels far more than the attack may.",
        attacks,
    ),
)
