"""The paper's statements, with the rules that judge them.

The numbers in the cells of the paper's tables could not be obtained: the statements around them could ("paper").
Margins are ours, fixed before any run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from scipy.stats import spearmanr

from replank.lab.claim import (
    Claim,
    Missing,
    Rule,
    difference,
    every_seed,
    mean_of,
    ratio,
    table_of,
    values_of,
    with_note,
)
from replank.parts.papers import BERMEITINGER2024
from replank.sources import Source
from replank.studies.minimal_transformer.arms import FULL, FULL_MLP, MINIMUM, NARROW

PAPER = Source(BERMEITINGER2024, "abstract and the text around tables 1 to 3", "paper")
OURS = Source(None, "question that the paper leaves open", "ours")
PARTS = ("mnist10k", "mnist5k", "digits")
TRAINED = ("smoke", "small", "medium", "published")
REDUCED = (FULL_MLP, FULL, "wqk", "symmetric", "symmetric-tri", MINIMUM)
LOSS, ACCURACY, GAP = "test_loss", "test_accuracy", "test_minus_train_loss"


def _table(metrics: dict[str, dict[str, list[float]]]) -> pd.DataFrame:
    return table_of(**metrics)


def _pair(metric: str, arm: str, values: list[float], other: str, others: list[float]) -> pd.DataFrame:
    return _table({arm: {metric: values}, other: {metric: others}})


def _anywhere(rule: Rule, small: Rule | None = None) -> dict[str, Rule]:
    """The rule at paper scale, and the same or a wider one elsewhere, which says that it is a small run."""
    shown = with_note(small or rule, "Small run: fewer epochs than the published 500.")
    return {name: rule if name == "published" else shown for name in TRAINED}


def falls_with(metric: str, cause: str, arms: Sequence[str]) -> Rule:
    """Over arms, the metric falls as another one rises: Spearman's correlation, seed by seed, lies below 0."""

    def correlations(table: pd.DataFrame) -> pd.Series[float]:
        effects, causes = (
            pd.DataFrame({arm: values_of(table, arm, name) for arm in arms}).dropna() for name in (metric, cause)
        )
        seeds = effects.index.intersection(causes.index)
        if any((each.nunique(axis=1) < 2).any() for each in (effects, causes)):
            raise Missing(f"{metric} or {cause} is the same for all arms.")
        return pd.Series({seed: spearmanr(causes.loc[seed], effects.loc[seed]).statistic for seed in seeds})

    return mean_of(f"Spearman's correlation of {metric} with {cause} over {len(arms)} arms", correlations, below=0)


def _share(number: str, metric: str, low: float, high: float, statement: str, reported: str) -> Claim:
    return Claim(
        id=number,
        statement=statement,
        reported=reported,
        source=PAPER,
        rules=dict.fromkeys(
            TRAINED,
            with_note(
                every_seed(metric, FULL_MLP, at_least=low, at_most=high),
                f"At most {high:g}, too. Counted from the modules at N = 64, h = 4, MNIST in patches of 4, with the "
                "parameters of embedding and read-out.",
            ),
        ),
        counterexample=_table({FULL_MLP: {metric: [0.8]}}),
    )


_SAME = math.sqrt(2)
"""Two ratios are the same if they differ by less than this factor."""

CLAIMS = (
    _share("C1", "parameters_without_mlp_over_full", 0.30, 0.37,
           "Without the networks about a third of the parameters are left", "33 %"),
    _share("C2", "parameters_symmetric_over_full", 0.22, 0.28,
           "With symmetric similarity and without the networks about a quarter is left", "25 %"),
    _share("C3", "parameters_minimum_over_full", 0.09, 0.11, "The minimum has about a tenth of the parameters", "10 %"),
    _share("C3-deep", "parameters_minimum_over_12_full", 0.045, 0.055,
           "The minimum has about 5 % of the parameters of 12 full encoders", "5 %"),
    Claim(
        id="C4",
        statement="MNIST: without the networks accuracy is not significantly inferior",
        reported="qualitative",
        source=PAPER,
        rules=_anywhere(
            difference(ACCURACY, FULL, minus=FULL_MLP, above=-0.01),
            difference(ACCURACY, FULL, minus=FULL_MLP, above=-0.03),
        ),
        counterexample=_pair(ACCURACY, FULL, [0.80, 0.81, 0.82], FULL_MLP, [0.95, 0.96, 0.95]),
        datasets=("mnist",),
        stand_ins=PARTS,
    ),
    Claim(
        id="C5",
        statement="Without the networks, symmetric similarity is no worse than asymmetric (validation loss)",
        reported="tends to perform better",
        source=PAPER,
        rules=_anywhere(difference(LOSS, "symmetric", minus=FULL, below=0)),
        counterexample=_pair(LOSS, "symmetric", [0.5, 0.52, 0.51], FULL, [0.3, 0.31, 0.33]),
        datasets=("mnist", "cifar10"),
        stand_ins=PARTS,
    ),
    Claim(
        id="C6",
        statement="The gap between validation and training loss shrinks as the overdetermination ratio Q grows",
        reported="qualitative",
        source=PAPER,
        rules=_anywhere(falls_with(GAP, "overdetermination", REDUCED)),
        counterexample=_table(
            {
                arm: {GAP: [0.1 * n, 0.11 * n, 0.1 * n + 0.01], "overdetermination": [n, n, n]}
                for n, arm in enumerate(REDUCED, 1)
            }
        ),
    ),
    Claim(
        id="C7",
        statement="MNIST: the minimum is slightly worse than the full model (validation loss)",
        reported="qualitative",
        source=PAPER,
        rules=_anywhere(difference(LOSS, MINIMUM, minus=FULL_MLP, above=0)),
        counterexample=_pair(LOSS, MINIMUM, [0.1, 0.11, 0.12], FULL_MLP, [0.3, 0.31, 0.33]),
        datasets=("mnist",),
        stand_ins=PARTS,
    ),
    Claim(
        id="C8",
        statement="CIFAR-10: the minimum has a better validation loss than the full model",
        reported="qualitative",
        source=PAPER,
        rules={
            "published": difference(LOSS, MINIMUM, minus=FULL_MLP, below=0),
            "pictures": with_note(
                difference(LOSS, MINIMUM, minus=FULL_MLP, below=0),
                "Small run: a tenth of the images, 6 epochs; the published 500 let the full model overfit.",
            ),
        },
        counterexample=_pair(LOSS, MINIMUM, [2.0, 2.1, 2.05], FULL_MLP, [1.5, 1.52, 1.51]),
        datasets=("cifar10",),
    ),
    Claim(
        id="C9",
        statement="Twice as many encoders are not better (validation loss)",
        reported="12 against 6 encoders",
        source=PAPER,
        rules=_anywhere(difference(LOSS, "full-mlp-deep", minus=FULL_MLP, above=0)),
        counterexample=_pair(LOSS, "full-mlp-deep", [0.1, 0.11, 0.12], FULL_MLP, [0.3, 0.31, 0.33]),
    ),
    Claim(
        id="C10",
        statement="Training time falls in proportion to parameters: seconds of an epoch for each parameter are the "
        "same for the minimum and the full model, within a factor of 1.41",
        reported="stated",
        source=PAPER,
        rules=_anywhere(
            ratio("cpu_us_per_epoch_and_parameter", MINIMUM, over=FULL_MLP, above=1 / _SAME, below=_SAME)
        ),
        counterexample=_pair("cpu_us_per_epoch_and_parameter", MINIMUM, [5.0, 5.1, 5.2], FULL_MLP, [1.0, 1.1, 1.2]),
    ),
    Claim(
        id="C10-wide",
        statement="One encoder at the largest width: a training step of the minimum is faster than one of full "
        "attention by the same factor as it is smaller, within a factor of 1.41",
        reported="stated",
        source=PAPER,
        rules={
            "cost": ratio("training_ms_per_parameter_at_widest", MINIMUM, over=FULL, above=1 / _SAME, below=_SAME)
        },
        counterexample=_pair(
            "training_ms_per_parameter_at_widest", MINIMUM, [5.0, 5.1, 5.2], FULL, [1.0, 1.1, 1.2]
        ),
    ),
    Claim(
        id="C11",
        statement="ImageNet: the full model could not be trained with Adam, the one without networks converged",
        reported="stated, without numbers",
        source=PAPER,
        rules={"published": difference("train_loss", FULL, minus=FULL_MLP, below=0)},
        counterexample=_pair("train_loss", FULL, [6.0, 6.1, 6.2], FULL_MLP, [3.0, 3.1, 3.2]),
        datasets=("imagenet",),
    ),
    Claim(
        id="O1",
        statement="The minimum is more accurate than full attention with heads as narrow as its parameters pay for",
        reported="–",
        source=OURS,
        rules={
            **_anywhere(difference(ACCURACY, MINIMUM, minus=NARROW, above=0)),
            "pictures": difference(ACCURACY, MINIMUM, minus=NARROW, above=0),
        },
        counterexample=_pair(ACCURACY, MINIMUM, [0.80, 0.81, 0.82], NARROW, [0.95, 0.96, 0.95]),
    ),
    Claim(
        id="O2",
        statement="Training the minimum's matrices of similarity makes it more accurate than leaving them at random",
        reported="–",
        source=OURS,
        rules=_anywhere(difference(ACCURACY, MINIMUM, minus="wqk-novo-frozen", above=0)),
        counterexample=_pair(ACCURACY, MINIMUM, [0.80, 0.81, 0.82], "wqk-novo-frozen", [0.95, 0.96, 0.95]),
    ),
    Claim(
        id="O3",
        statement="A triangular factor drawn with variance 1, which a peer's bad result comes from, costs accuracy",
        reported="82 against 98 % in a replication by others",
        source=OURS,
        rules=_anywhere(difference(ACCURACY, "symmetric-tri-unit", minus="symmetric-tri", below=0)),
        counterexample=_pair(ACCURACY, "symmetric-tri-unit", [0.96, 0.95, 0.97], "symmetric-tri", [0.80, 0.81, 0.82]),
    ),
)  # fmt: skip
