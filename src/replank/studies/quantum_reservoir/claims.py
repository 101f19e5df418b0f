"""The paper's statements, with the rules that judge them.

The paper's tables of losses were not at hand: what it says of them is recalled, and margins are ours. Statements on
quantum reservoirs are of all three cells together. Their angles are drawn as in the published code, and uniformly.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from replank.lab.claim import Claim, Rule, Verdict, all_of, difference, every_seed, mean_within, table_of
from replank.parts.papers import CHEN2022RESERVOIR
from replank.sources import Source
from replank.studies.quantum_reservoir.pooling import law_for, ratio_of_means, share_of_wins
from replank.studies.quantum_reservoir.settings import (
    CLASSICAL,
    FORMULAS,
    LONG,
    PUBLISHED,
    QUANTUM,
    RECORDED,
    RESERVOIRS,
    SCALES,
    UNIFORM,
    WITH_SIX,
)

RECALLED = Source(CHEN2022RESERVOIR, "abstract and results, from memory", "recalled")
DERIVED = Source(CHEN2022RESERVOIR, "derived from what a reservoir is", "derived")
OURS = Source(None, "controls of the study quantum-reservoir", "ours")

ERROR, LOSS = "test_log10nmse", "test_loss"
UNCACHED, CACHED = "uncached_cpu_s_per_epoch", "train_cpu_s_per_epoch"
ON_FORMULAS, ON_RECORDED = {"datasets": FORMULAS}, {"datasets": (*RECORDED, *LONG)}
# what a gradient costs does not depend on the series: one is enough, and the smoke scale's other one
ANY_ONE = {"datasets": ("damped_pendulum", "narma5")}

SMALL = tuple(f"{cell}-rc" for cell in QUANTUM)
WIDE = tuple(f"{cell}-rc-uniform" for cell in QUANTUM)
PUBLISHED_QUANTUM = tuple(f"{cell}-rc" for cell in WITH_SIX)
TRAINED_READOUTS = (*PUBLISHED, *UNIFORM)
OF_CLASSICAL = tuple(f"{cell}-rc" for cell in CLASSICAL)

COMPARABLE, FASTER, CLOSE = 2.0, 0.7, 0.05


def _in(kind: str, rule: Rule) -> dict[str, Rule]:
    """The rule for all protocols of a kind, whatever the size of their circuits."""
    names = {name for scale in SCALES.values() for name in scale.protocols}
    return {name: rule for name in sorted(names) if name == kind or name.startswith(f"{kind}-")}


def _values(metric: str, *groups: tuple[tuple[str, ...], float]) -> pd.DataFrame:
    """A table on which the arms of each group have such a value, with little scatter."""
    return table_of(**{
        arm.replace("-", "_"): {metric: [value * factor for factor in (0.99, 1.0, 1.01)]}
        for arms, value in groups
        for arm in arms
    })  # fmt: skip


def within_features(table: pd.DataFrame) -> Verdict:
    """Memory capacities are at most the number of features and one, of each reservoir and seed."""
    known = table if {"memory_capacity", "n_features"} <= set(table) else table.assign(memory_capacity=np.nan)
    excess = known.assign(memory_beyond_features=known["memory_capacity"] - known.get("n_features", np.nan))
    law = law_for("memory_beyond_features", RESERVOIRS, f"the worst of {len(RESERVOIRS)} reservoirs", at_most=1.0)
    return law(excess)


CLAIMS = (
    Claim(
        id="C1",
        statement="Quantum reservoirs forecast comparably to the same cells fully trained, for the same epochs",
        reported="qualitative; judged as a ratio of test errors of less than 2, a geometric mean over the cells",
        source=RECALLED,
        rules=_in("gradient", ratio_of_means(LOSS, SMALL, over=QUANTUM, below=COMPARABLE)),
        counterexample=_values(LOSS, (SMALL, 0.3), (QUANTUM, 0.1)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C1-uniform",
        statement="Quantum reservoirs with uniform angles forecast comparably to the same cells fully trained",
        reported="qualitative; judged as a ratio of test errors of less than 2, a geometric mean over the cells",
        source=RECALLED,
        rules=_in("gradient", ratio_of_means(LOSS, WIDE, over=QUANTUM, below=COMPARABLE)),
        counterexample=_values(LOSS, (WIDE, 0.3), (QUANTUM, 0.1)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C1-recorded",
        statement="Quantum reservoirs forecast comparably to the same cells fully trained where series were recorded",
        reported="not in the paper; judged as a ratio of test errors of less than 2",
        source=OURS,
        rules=_in("gradient", ratio_of_means(LOSS, SMALL, over=QUANTUM, below=COMPARABLE)),
        counterexample=_values(LOSS, (SMALL, 0.3), (QUANTUM, 0.1)),
        **ON_RECORDED,
    ),
    Claim(
        id="C2",
        statement="An epoch of quantum reservoirs takes notably less time than one of the same cells fully trained",
        reported="qualitative; judged as less than 0.7 of the CPU time, states computed anew in every epoch",
        source=RECALLED,
        rules=_in("gradient", ratio_of_means(UNCACHED, SMALL, over=QUANTUM, below=FASTER)),
        counterexample=_values(UNCACHED, (SMALL, 0.9), (QUANTUM, 1.0)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C2-cached",
        statement="With states that are computed once, an epoch of quantum reservoirs takes notably less time",
        reported="not stated; judged as less than 0.7 of the CPU time",
        source=OURS,
        rules=_in("gradient", ratio_of_means(CACHED, SMALL, over=QUANTUM, below=FASTER)),
        counterexample=_values(CACHED, (SMALL, 0.9), (QUANTUM, 1.0)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C2-shifts",
        statement="On a device a reservoir's read-out needs no circuit for its gradient",
        reported="0 circuits",
        source=DERIVED,
        rules=_in(
            "gradient",
            law_for("shifted_evaluations", (*SMALL, *WIDE), "the worst of six quantum reservoirs", at_most=0),
        ),
        counterexample=_values("shifted_evaluations", ((*SMALL, *WIDE), 100)),
        **ANY_ONE,
    ),
    Claim(
        id="C3",
        statement="Quantum reservoirs need fewer epochs than classical ones of the same state",
        reported="in most cases; judged by epochs to 1.1 times the last training loss, over cells and seeds",
        source=RECALLED,
        rules=_in("gradient", share_of_wins("epochs_to_settle", SMALL, against=OF_CLASSICAL)),
        counterexample=_values("epochs_to_settle", (SMALL, 12), (OF_CLASSICAL, 6)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C3-uniform",
        statement="Quantum reservoirs with uniform angles need fewer epochs than classical ones of the same state",
        reported="in most cases; judged by epochs to 1.1 times the last training loss, over cells and seeds",
        source=RECALLED,
        rules=_in("gradient", share_of_wins("epochs_to_settle", WIDE, against=OF_CLASSICAL)),
        counterexample=_values("epochs_to_settle", (WIDE, 12), (OF_CLASSICAL, 6)),
        **ON_FORMULAS,
    ),
    Claim(
        id="C4",
        statement="No training of the read-out gets below what a linear solver gives at once on the same states",
        reported="exact: training loss at least that of least squares, up to 10⁻⁹",
        source=OURS,
        rules=_in(
            "gradient",
            law_for(
                "train_loss_above_least_squares", TRAINED_READOUTS, "the nearest of all reservoirs", at_least=-1e-9
            ),
        ),
        counterexample=_values("train_loss_above_least_squares", (TRAINED_READOUTS, -1e-3)),
    ),
    Claim(
        id="C5",
        statement="Quantum reservoirs with uniform angles forget where they started within 40 steps",
        reported="not stated; judged as a distance below 10⁻⁶ of more than 95 % of them, each cell by itself",
        source=OURS,
        rules=_in("memory", all_of(*(mean_within("share_forgotten", arm, above=0.95) for arm in UNIFORM))),
        counterexample=_values("share_forgotten", (UNIFORM, 0.5)),
    ),
    Claim(
        id="C6-bound",
        statement="No reservoir has a memory capacity above its number of features and one",
        reported="theory for linear read-outs",
        source=DERIVED,
        rules=_in("memory", within_features),
        counterexample=table_of(
            **{arm.replace("-", "_"): {"memory_capacity": [5.0] * 3, "n_features": [3.0] * 3} for arm in RESERVOIRS}
        ),
    ),
    Claim(
        id="C6",
        statement="Quantum reservoirs remember more than classical ones with the same state: RNN, GRU and LSTM, each",
        reported="not stated; judged by memory capacity, uniform angles",
        source=OURS,
        rules=_in(
            "memory",
            all_of(
                *(
                    difference("memory_capacity", quantum, minus=classical, above=0)
                    for quantum, classical in zip(WIDE, OF_CLASSICAL, strict=True)
                )
            ),
        ),
        counterexample=_values("memory_capacity", (WIDE, 1.0), (OF_CLASSICAL, 2.0)),
    ),
    Claim(
        id="C7",
        statement="Reservoirs with the published angles hardly differ from circuits without weights",
        reported="mean distance of states below 0.05",
        source=OURS,
        rules=_in(
            "memory",
            law_for("distance_to_zero_weights", PUBLISHED_QUANTUM, "the farthest of four reservoirs", at_most=CLOSE),
        ),
        counterexample=_values("distance_to_zero_weights", (PUBLISHED_QUANTUM, 0.2)),
    ),
    Claim(
        id="C8",
        statement="Quantum cells, trained or as reservoirs, forecast better than that tomorrow is like today",
        reported="not stated",
        source=OURS,
        rules=_in(
            "gradient",
            all_of(*(difference(ERROR, arm, minus="persistence", below=0) for arm in (*QUANTUM, *SMALL))),
        ),
        counterexample=_values(ERROR, ((*QUANTUM, *SMALL), -1.0), (("persistence",), -2.0)),
    ),
    Claim(
        id="C8-linear",
        statement="Quantum reservoirs read by ridge regression forecast better than it does from the four values alone",
        reported="not stated: no paper of this line shows that row",
        source=OURS,
        rules=_in("ridge", all_of(*(difference(ERROR, arm, minus="ridge", below=0) for arm in (*SMALL, *WIDE)))),
        counterexample=_values(ERROR, ((*SMALL, *WIDE), -1.0), (("ridge",), -2.0)),
    ),
    Claim(
        id="C9",
        statement="On the damped pendulum least squares on four values, five parameters, has an error of about 10⁻⁷",
        reported="test error below 10⁻⁶",
        source=OURS,
        rules=_in("gradient", every_seed(LOSS, "ar", at_most=1e-6)),
        counterexample=_values(LOSS, (("ar",), 1e-3)),
        datasets=("damped_pendulum",),
    ),
)
