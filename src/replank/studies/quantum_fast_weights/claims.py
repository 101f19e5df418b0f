"""The paper's statements, with the rules that judge them.

The paper's tables of losses were not at hand: what it says of them is recalled, and margins are ours. Errors are told
apart as ratios, or as differences of logarithms, so that series of other scales weigh alike.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from replank.lab.claim import Claim, Rule, Verdict, all_of, difference, every_seed, ratio, table_of, with_note
from replank.parts.papers import CHEN2024FASTWEIGHTS
from replank.sources import Source
from replank.studies.quantum_fast_weights.settings import FORMULAS, LONG, RECORDED

RECALLED = Source(CHEN2024FASTWEIGHTS, "abstract and results, from memory", "recalled")
CODE = Source(CHEN2024FASTWEIGHTS, "vqFWP_time_series.py of the official code", "official code")
DERIVED = Source(CHEN2024FASTWEIGHTS, "derived from the definition of the cell", "derived")
OURS = Source(None, "controls of the study quantum-fast-weights", "ours")

ERROR, LOSS, RETURN = "test_log10nmse", "test_loss", "mean_return"
SERIES = ("series", "official-scaling")
WORLDS = ("empty-5x5", "empty-6x6", "empty-8x8")
# what a core computes and costs does not depend on the series: one is enough, and the smoke scale's other one
ANY_ONE = {"datasets": ("damped_pendulum", "narma5")}
ON_FORMULAS, ON_RECORDED = {"datasets": FORMULAS}, {"datasets": (*RECORDED, *LONG)}

COMPARABLE, BETTER = 1.2, 1.0
SMALL_RUN = "With so few steps no arm is near the largest return, 0.955."


def _in(protocols: tuple[str, ...], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(protocols, rule)


def _over_qlstm(metric: str, below: float, above: float = 0.0) -> Rule:
    return ratio(metric, "qfwp", over="qlstm", above=above, below=below)


def sooner(table: pd.DataFrame) -> Verdict:
    """Epochs until the training loss is at most twice QLSTM's last one of the same seed: fewer than QLSTM's own."""
    return difference("epochs_to_goal", "qfwp", minus="qlstm", below=0)(_with_epochs_to_goal(table))


def _with_epochs_to_goal(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column more; who does not get there has it one epoch after the last."""
    names = sorted((name for name in table if re.fullmatch(r"train_loss_after_\d+", str(name))), key=_epoch)
    if not names or "train_loss" not in table:
        return table
    goals = 2 * table[table["arm"] == "qlstm"].set_index("seed")["train_loss"]
    goal = table["seed"].map(goals).to_numpy(float)[:, None]
    losses = table[names].to_numpy(float)
    epochs = np.array([_epoch(name) for name in names])
    first = np.where(losses <= goal, epochs, epochs[-1] + 1).min(axis=1).astype(float)
    known = np.isfinite(losses).all(axis=1) & np.isfinite(goal[:, 0])
    return table.assign(epochs_to_goal=np.where(known, first, np.nan))


def _epoch(name: object) -> int:
    return int(str(name).rpartition("_")[2])


def _both(arm: str, other: str, metric: str, values: tuple[float, float]) -> pd.DataFrame:
    """A table on which two arms have such values of a metric, with little scatter."""
    return table_of(**{
        each.replace("-", "_"): {metric: [value * factor for factor in (0.99, 1.0, 1.01)]}
        for each, value in zip((arm, other), values, strict=True)
    })  # fmt: skip


CLAIMS = (
    Claim(
        id="C1",
        statement="QFWP's test error is comparable to QLSTM's, or lower, after the same number of epochs",
        reported="qualitative; judged as a ratio of at most 1.2",
        source=RECALLED,
        rules=_in(SERIES, _over_qlstm(LOSS, COMPARABLE)),
        counterexample=_both("qfwp", "qlstm", LOSS, (2e-3, 1e-3)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C1-better",
        statement="QFWP's test error is lower than QLSTM's",
        reported="qualitative, of some series; judged as a ratio below 1",
        source=RECALLED,
        rules=_in(SERIES, _over_qlstm(LOSS, BETTER)),
        counterexample=_both("qfwp", "qlstm", LOSS, (2e-3, 1e-3)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C1-first",
        statement="QFWP's test error is comparable to QLSTM's, or lower, after a single epoch",
        reported="qualitative; judged as a ratio of at most 1.2",
        source=RECALLED,
        rules={"series": _over_qlstm("epoch_1_test_mse", COMPARABLE)},
        counterexample=_both("qfwp", "qlstm", "epoch_1_test_mse", (2e-1, 1e-1)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C1-recorded",
        statement="QFWP's test error is comparable to QLSTM's, or lower, on series that were recorded and not computed",
        reported="not in the paper; judged as a ratio of at most 1.2",
        source=OURS,
        rules={"series": _over_qlstm(LOSS, COMPARABLE)},
        counterexample=_both("qfwp", "qlstm", LOSS, (2e-3, 1e-3)),
        **ON_RECORDED,
    ),
    Claim(
        id="C2",
        statement="QFWP converges faster: it gets to twice QLSTM's last training loss in fewer epochs than QLSTM",
        reported="qualitative",
        source=RECALLED,
        rules={"series": with_note(sooner, "Who does not get there counts one epoch more than all.")},
        counterexample=table_of(
            qfwp={"train_loss": [0.05] * 3, "train_loss_after_1": [0.2] * 3, "train_loss_after_2": [0.05] * 3},
            qlstm={"train_loss": [0.01] * 3, "train_loss_after_1": [0.02] * 3, "train_loss_after_2": [0.01] * 3},
        ),
        **ON_FORMULAS,
    ),
    Claim(
        id="C3-circuits",
        statement="A window takes one circuit a step with QFWP and six with QLSTM",
        reported="1 : 6",
        source=CODE,
        rules={"series": _over_qlstm("circuit_evaluations", 1 / 6 + 1e-9, 1 / 6 - 1e-9)},
        counterexample=_both("qfwp", "qlstm", "circuit_evaluations", (24, 24)),
        **ANY_ONE,
    ),
    Claim(
        id="C3-shifts",
        statement="A gradient on a device takes fewer circuits with QFWP: only the last step's circuit is shifted",
        reported="qualitative: no gradients through a chain of circuits",
        source=DERIVED,
        rules={"series": _over_qlstm("shifted_evaluations", 1.0)},
        counterexample=_both("qfwp", "qlstm", "shifted_evaluations", (1300, 1200)),
        **ANY_ONE,
    ),
    Claim(
        id="C3-time",
        statement="An epoch of QFWP takes less time than one of QLSTM",
        reported="qualitative; judged by CPU time on this simulator, where QFWP has twice the qubits",
        source=RECALLED,
        rules={"series": _over_qlstm("train_cpu_s_per_epoch", 1.0)},
        counterexample=_both("qfwp", "qlstm", "train_cpu_s_per_epoch", (0.2, 0.1)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C4",
        statement="In grid worlds QFWP gets returns comparable to QLSTM's, or higher",
        reported="figures; judged as at most 0.05 less, over the last 100 episodes",
        source=RECALLED,
        rules=_in(WORLDS, with_note(difference(RETURN, "qfwp", minus="qlstm", above=-0.05), SMALL_RUN)),
        counterexample=_both("qfwp", "qlstm", RETURN, (0.3, 0.8)),
    ),
    Claim(
        id="C4-stable",
        statement="In grid worlds QFWP's returns scatter less than QLSTM's",
        reported="figures; judged by the standard deviation of the last 100 returns",
        source=RECALLED,
        rules=_in(WORLDS, difference("return_deviation", "qfwp", minus="qlstm", below=0)),
        counterexample=_both("qfwp", "qlstm", "return_deviation", (0.4, 0.1)),
    ),
    Claim(
        id="C4-random",
        statement="In grid worlds QFWP learns something: its returns are higher than those of random actions",
        reported="not stated",
        source=OURS,
        rules=_in(WORLDS, difference(RETURN, "qfwp", minus="random", above=0)),
        counterexample=_both("qfwp", "random", RETURN, (0.1, 0.2)),
    ),
    Claim(
        id="C5",
        statement="QFWP and QLSTM forecast better than that tomorrow is like today",
        reported="not stated",
        source=OURS,
        rules=_in(
            SERIES,
            all_of(*(difference(ERROR, arm, minus="persistence", below=0) for arm in ("qfwp", "qlstm"))),
        ),
        counterexample=table_of(
            qfwp={ERROR: [-1.0, -1.1, -1.0]},
            qlstm={ERROR: [-1.0, -1.1, -1.0]},
            persistence={ERROR: [-2.0, -2.0, -2.0]},
        ),
    ),
    Claim(
        id="C5-linear",
        statement="QFWP forecasts better than least squares on the same four values, which has five parameters",
        reported="not stated: no paper of this line shows that row",
        source=OURS,
        rules={"series": difference(ERROR, "qfwp", minus="ar", below=0)},
        counterexample=_both("qfwp", "ar", ERROR, (-2, -7)),
    ),
    Claim(
        id="C6",
        statement="QFWP's output does not change when the steps before the last one change places",
        reported="exact: difference ≤ 10⁻¹²",
        source=DERIVED,
        rules={"series": every_seed("largest_change_by_order", "qfwp", at_most=1e-12)},
        counterexample=table_of(qfwp={"largest_change_by_order": [1e-16, 1e-3, 1e-16]}),
        **ANY_ONE,
    ),
    Claim(
        id="C6-decay",
        statement="With a decay of 0.9 it does: order counts",
        reported="difference > 10⁻³ on random windows",
        source=OURS,
        rules={"series": every_seed("largest_change_by_order", "qfwp-decay", at_least=1e-3)},
        counterexample=table_of(qfwp_decay={"largest_change_by_order": [1e-2, 1e-13, 1e-2]}),
        **ANY_ONE,
    ),
    Claim(
        id="C7",
        statement="18 of QFWP's 111 parameters move nothing: the angles of the last two qubits reach no read-out",
        reported="93 parameters with a gradient",
        source=DERIVED,
        rules={
            "series": all_of(
                every_seed("moved_parameters", "qfwp", at_least=93), every_seed("moved_parameters", "qfwp", at_most=93)
            )
        },
        counterexample=table_of(qfwp={"moved_parameters": [111, 111, 111]}),
        **ANY_ONE,
    ),
    Claim(
        id="C8",
        statement="QFWP needs its entanglement: without CNOTs it is a sum of sines, and its test error is higher",
        reported="not stated",
        source=OURS,
        rules={"series": difference(ERROR, "qfwp", minus="qfwp-unentangled", below=0)},
        counterexample=_both("qfwp", "qfwp-unentangled", ERROR, (-1, -2)),
    ),
)
