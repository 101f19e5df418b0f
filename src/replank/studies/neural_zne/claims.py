"""The paper's statements, and what its comparison lacks, with the rules that judge them.

Of the paper its abstract could be read, which gives no number. Margins are ours, written before the run. Errors are
absolute, of energies divided by the largest absolute eigenvalue, and compared as ratios, paired over seeds: each seed
draws circuits that all arms share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from replank.lab.claim import Claim, Rule, Verdict, mean_within, ratio, table_of, with_note
from replank.parts.papers import BHATTACHARJEE2024, TEMME2017
from replank.sources import Source
from replank.studies.neural_zne.settings import PAPER_QUBITS, ROUNDING, STANDARD

ABSTRACT = Source(BHATTACHARJEE2024, "abstract", "paper")
DERIVED = Source(TEMME2017, "derived from Richardson's weights 3, -3, 1", "derived")
OURS = Source(None, "a comparison that the paper does not have", "ours")

ERROR = "median_error"
ALIKE = ("exact", "depths", "two-qubit", "damping", "over-rotation", "readout", "device", "shots", "folding")
"""Protocols with random circuits."""
NOT_THEIR_DEVICE = "On a simulated device, not on the paper's."


def _under(protocols: Iterable[str], rule: Rule) -> dict[str, Rule]:
    """The rule for experiments, and for those of each number of qubits at paper scale."""
    return {f"{name}{suffix}": rule for name in protocols for suffix in ("", *(f"-{n}" for n in PAPER_QUBITS))}


def _smaller(arm: str, rival: str) -> Rule:
    """The arm's error is smaller than its rival's, unless both are nothing but rounding."""
    compared = ratio(ERROR, arm, over=rival, below=1)

    def rule(table: pd.DataFrame) -> Verdict:
        verdict = compared(table)
        both = table[table["arm"].isin([arm, rival])]
        if verdict.status == "not tested" or not (both[ERROR] <= ROUNDING).all():
            return verdict
        return replace(verdict, status="inconclusive", reason=f"{arm} and {rival} are both exact up to rounding.")

    return rule


def _rank(arm: str, rivals: tuple[str, ...]) -> Rule:
    """The arm has the least error of all in every seed; the verdict says the whole order, whatever it is."""

    def rule(table: pd.DataFrame) -> Verdict:
        done = table[table["status"].eq("done") & table["arm"].isin([arm, *rivals])]
        errors = done.pivot(index="seed", columns="arm", values=ERROR)
        missing = [name for name in (arm, *rivals) if name not in errors or errors[name].isna().any()]
        if missing:
            return Verdict("not tested", f"Arms {', '.join(missing)} have not been run with all seeds.")
        ranks = errors.rank(axis=1)[arm]
        order = np.log(errors.clip(lower=np.finfo(float).tiny)).mean().sort_values()
        shown = ", ".join(f"{name} {np.exp(value):.2g}" for name, value in order.items())
        place = int(order.index.get_loc(arm)) + 1
        return Verdict(
            "reproduced" if (ranks == 1).all() else "not reproduced" if (ranks > 1).all() else "inconclusive",
            f"{arm} is number {place} of {len(order)} (geometric mean of {ERROR} over {len(errors)} seeds: {shown}); "
            "the claim needs the first place with each seed.",
            float(ranks.mean()),
            (float(ranks.min()), float(ranks.max())),
        )

    return rule


def _lost(arm: str, rival: str) -> pd.DataFrame:
    """A table on which the arm's error is three times that of its rival."""
    return table_of(**{arm: {ERROR: [0.03, 0.031, 0.029]}, rival: {ERROR: [0.01, 0.0102, 0.0099]}})


def _better(number: str, arm: str, rival: str, statement: str) -> Claim:
    return Claim(
        id=number,
        statement=statement,
        reported="not compared in the abstract; ratio of median errors below 1",
        source=OURS,
        rules=_under(ALIKE, _smaller(arm, rival)),
        counterexample=_lost(arm.replace("-", "_"), rival.replace("-", "_")),
    )


AT_P = f"{ERROR}_at_p_0.01"
GROUND = "ground_error_at_z-string"

CLAIMS = (
    Claim(
        id="C1",
        statement="A feed-forward network, fitted to noisy values alone, predicts the noise-free value: at p = 0.01 "
        "its median error is below half of the unmitigated one",
        reported="no number known; the factor is ours",
        source=ABSTRACT,
        rules=_under(("exact",), ratio(AT_P, "ffnn", over="none", below=0.5)),
        counterexample=table_of(ffnn={AT_P: [0.02, 0.021, 0.02]}, none={AT_P: [0.022, 0.021, 0.022]}),
    ),
    Claim(
        id="C1-vqe",
        statement="So it does for circuits at the optimum of a variational eigensolver",
        reported="no number known; the factor is ours",
        source=ABSTRACT,
        rules=_under(("vqe",), ratio(ERROR, "ffnn", over="none", below=0.5)),
        counterexample=table_of(ffnn={ERROR: [0.1, 0.11, 0.1]}, none={ERROR: [0.1, 0.1, 0.11]}),
    ),
    Claim(
        id="C2",
        statement="The ground-state energy -1 of Z x ... x Z is recovered at the noisy optimum, to 0.02",
        reported="-1; the margin is ours",
        source=ABSTRACT,
        rules=_under(("vqe",), mean_within(GROUND, "ffnn", below=0.02)),
        counterexample=table_of(ffnn={GROUND: [0.1, 0.11, 0.12]}),
    ),
    Claim(
        id="C2-exponential",
        statement="An exponential recovers it to 0.02, too",
        reported="not in the abstract; the margin is ours",
        source=OURS,
        rules=_under(("vqe",), mean_within(GROUND, "exponential", below=0.02)),
        counterexample=table_of(exponential={GROUND: [0.1, 0.11, 0.12]}),
    ),
    Claim(
        id="C3",
        statement="What a device gets wrong is rectified: the median error falls below half",
        reported="figures of a device; not known to us",
        source=ABSTRACT,
        rules=_under(("device",), with_note(ratio(ERROR, "ffnn", over="none", below=0.5), NOT_THEIR_DEVICE)),
        counterexample=table_of(ffnn={ERROR: [0.1, 0.11, 0.1]}, none={ERROR: [0.1, 0.1, 0.11]}),
    ),
    *(
        _better(f"C4-{rival}", "ffnn", rival, f"The network is more accurate than {words}")
        for rival, words in (
            ("linear", "a straight line"),
            ("richardson-3", "Richardson extrapolation from three scales"),
            ("exponential", "an exponential that decays to 0"),
        )
    ),
    Claim(
        id="C4-rank",
        statement="The network is the most accurate of all extrapolators that see the circuit's own values alone",
        reported="not compared in the abstract",
        source=OURS,
        rules=_under(ALIKE, _rank("ffnn", STANDARD)),
        counterexample=table_of(
            ffnn={ERROR: [0.02, 0.021]}, **{name.replace("-", "_"): {ERROR: [0.01, 0.011]} for name in STANDARD}
        ),
    ),
    Claim(
        id="C5",
        statement="Values of less noise than the device has make it an interpolation, and easy: the median error falls "
        "below a fifth",
        reported="the abstract does not say which error probabilities are trained on",
        source=OURS,
        rules=_under(("exact", "vqe"), ratio(ERROR, "ffnn-full", over="ffnn", below=0.2)),
        counterexample=_lost("ffnn_full", "ffnn"),
    ),
    _better(
        "C6-exponential",
        "conditioned",
        "exponential",
        "A network that was trained on other circuits is more accurate than an exponential",
    ),
    _better(
        "C6-linear",
        "conditioned",
        "learned-linear",
        "It is more accurate than one weight for each scale, learned from the same circuits",
    ),
    Claim(
        id="C7",
        statement="Three-point Richardson extrapolation multiplies the standard deviation of shots by √19 = 4.36",
        reported="4.36, to a tenth",
        source=DERIVED,
        rules=_under(("shots",), ratio("shot_std", "richardson-3", over="none", above=3.92, below=4.79)),
        counterexample=table_of(richardson_3={"shot_std": [0.02, 0.021, 0.02]}, none={"shot_std": [0.01, 0.01, 0.01]}),
    ),
)
