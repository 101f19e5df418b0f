"""The paper's statements, with the rules that judge them.

Of the paper its abstract and main numbers were at hand. Its proteins are not known to us: accuracies are compared in
their order only, on other sets of the same kind. Margins are ours and were written before the runs.
"""

from __future__ import annotations

import pandas as pd

from replank.lab.claim import Claim, Rule, Verdict, all_of, difference, every_seed, mean_within, table_of, with_note
from replank.parts.papers import HARVEY2023, KUNDU2024
from replank.sources import Source
from replank.studies.quantum_tensor_networks_protein.settings import NETWORKS

PAPER = Source(KUNDU2024, "abstract and results", "paper")
DERIVED = Source(HARVEY2023, "derived from the definition of the networks", "derived")
OURS = Source(None, "a control that the paper does not have", "ours")

BALANCED, TEST = "test_balanced_accuracy", "test_accuracy"
CLOSE = 0.02
ROUNDING = 1e-10  # in double precision
OTHER_DATA = "The paper's proteins are not known to us: only the order is tested, not its 0.94."

WITH_TREES = ("proteins", "peptides", "length-128", "words-of-three")
WITHOUT_TREES = ("deeploc", "length-92")
EVERYWHERE = (*WITH_TREES, *WITHOUT_TREES)
WHOLE = ("proteins", "deeploc", "length-92", "length-128", "words-of-three")


def _under(protocols: tuple[str, ...], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(protocols, rule)


def _beats(arm: str, *others: str, by: float = 0.0, metric: str = BALANCED) -> Rule:
    return all_of(*(difference(metric, arm, minus=other, above=by) for other in others))


def _best_of(arms: tuple[str, ...], metric: str, at_least: float) -> Rule:
    """The largest mean over seeds among arms reaches a value."""

    def rule(table: pd.DataFrame) -> Verdict:
        done = table[table["arm"].isin(arms) & (table["status"] == "done")]
        if done.empty or metric not in done or done[metric].isna().any():
            return Verdict("not tested", f"None of {', '.join(arms)} has been run, or one has no {metric}.")
        means = done.groupby("arm")[metric].mean()
        best, value = str(means.idxmax()), float(means.max())
        return Verdict(
            "reproduced" if value >= at_least else "not reproduced",
            f"Mean {metric} of the best network, {best}, is {value:.4g}; the claim needs at least {at_least:.4g}.",
            value,
        )

    return rule


# On this table quantum networks are worth nothing, sharing helps, and nothing is forgotten.
OPPOSITE = table_of(
    gru={BALANCED: [0.80, 0.81, 0.80]},
    cnn1d={BALANCED: [0.80, 0.81, 0.80]},
    aac_logistic={BALANCED: [0.78, 0.78, 0.79]},
    embedding_logistic={BALANCED: [0.90, 0.91, 0.90], TEST: [0.90, 0.91, 0.90]},
    ptn_frozen={BALANCED: [0.75, 0.75, 0.76], "recency": [-0.9, -0.8, -0.9]},
    uptn={
        BALANCED: [0.72, 0.72, 0.73],
        TEST: [0.7, 0.7, 0.7],
        "recency": [-0.9, -0.8, -0.9],
        "largest_sum_error": [0.1] * 3,
    },
    uctn={BALANCED: [0.73, 0.74, 0.73], TEST: [0.7, 0.7, 0.7], "largest_sum_error": [0.1] * 3},
    hptn={
        BALANCED: [0.60, 0.61, 0.60],
        TEST: [0.6, 0.6, 0.6],
        "recency": [-0.9, -0.8, -0.9],
        "parameters_at_92": [314.0] * 3,
        "largest_sum_error": [0.1] * 3,
    },
    hctn={BALANCED: [0.62, 0.61, 0.62], TEST: [0.6, 0.6, 0.6], "largest_sum_error": [0.1] * 3},
    hptn_postselect={"mean_log10_acceptance": [0.0, 0.0, 0.0]},
)

CLAIMS = (
    Claim(
        id="C1",
        statement="The hierarchical path network is the best of the four quantum networks",
        reported="accuracy 0.94",
        source=PAPER,
        rules=_under(WITH_TREES, with_note(_beats("hptn", "uptn", "uctn", "hctn"), OTHER_DATA)),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C2",
        statement="It is comparable to a classifier on embeddings of the protein language model ESM2",
        reported="0.94 against 0.98; judged as within five points",
        source=PAPER,
        rules={"esm2": difference(TEST, "hptn", minus="embedding-logistic", above=-0.05)},
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C3",
        statement="It has about 800 parameters, where the language model has 8 million",
        reported="about 800; our formula 66 + 8 (L - 1) gives 794 at L = 92, the paper's L is not known to us",
        source=PAPER,
        rules=_under(EVERYWHERE, every_seed("parameters_at_92", "hptn", at_least=750, at_most=850)),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C4",
        statement="It competes with classical networks of no more parameters: at most two points below",
        reported="implied",
        source=PAPER,
        rules=_under(EVERYWHERE, _beats("hptn", "gru", "cnn1d", by=-CLOSE)),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C5-path",
        statement="One unitary for each position is better than one for all, in paths",
        reported="qualitative",
        source=PAPER,
        rules=_under(EVERYWHERE, _beats("hptn", "uptn")),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C5-tree",
        statement="One pair of unitaries for each level is better than one for all, in trees",
        reported="qualitative",
        source=PAPER,
        rules=_under(WITH_TREES, _beats("hctn", "uctn")),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C6",
        statement="It is better than the composition of the very same residues, with 21 parameters",
        reported="–",
        source=OURS,
        rules=_under(EVERYWHERE, _beats("hptn", "aac-logistic")),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C6-whole",
        statement="It is better than the composition of the whole protein, with 21 parameters",
        reported="–",
        source=OURS,
        rules=_under(WHOLE, _beats("hptn", "embedding-logistic")),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C7",
        statement="Training its unitaries matters: with random ones, of which only words and head are trained, it is "
        "worse",
        reported="–",
        source=OURS,
        rules=_under(EVERYWHERE, _beats("hptn", "ptn-frozen")),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C8",
        statement="A path that discards forgets: the earlier a token, the less the final state depends on it",
        reported="rank correlation of place and trace distance above 0.5",
        source=DERIVED,
        rules=_under(("proteins",), all_of(*(mean_within("recency", arm, above=0.5) for arm in ("uptn", "hptn")))),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C8-random",
        statement="So does a path of random unitaries, before any training of them",
        reported="rank correlation of place and trace distance above 0.5",
        source=DERIVED,
        rules=_under(("proteins",), mean_within("recency", "ptn-frozen", above=0.5)),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C9",
        statement="On antimicrobial and transmembrane peptides at least one quantum network has an accuracy of 0.8",
        reported="0.80; composition alone is said to give about 0.90",
        source=OURS,
        rules={"peptides": _best_of(NETWORKS, TEST, 0.80)},
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C10",
        statement="Where qubits are discarded, probabilities sum to 1 without a division",
        reported="to rounding; of the trained networks in double precision",
        source=DERIVED,
        rules=_under(WITH_TREES, all_of(*(every_seed("largest_sum_error", arm, at_most=ROUNDING) for arm in NETWORKS))),
        counterexample=OPPOSITE,
    ),
    Claim(
        id="C11",
        statement="Post-selection is no way to long sequences: fewer than one run in a thousand is kept",
        reported="–",
        source=OURS,
        rules=_under(
            ("proteins", "length-92", "length-128"), mean_within("mean_log10_acceptance", "hptn-postselect", below=-3)
        ),
        counterexample=OPPOSITE,
    ),
)
