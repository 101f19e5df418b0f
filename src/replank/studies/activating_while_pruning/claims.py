"""The paper's statements, with the rules that judge them.

The abstract and the official script were read; accuracy tables were not obtained. Margins are ours.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from replank.lab.claim import Claim, Rule, Status, Verdict, all_of, difference, mean_within, table_of, with_note
from replank.lab.pairs import paired_difference, paired_p_value, values_by_seed
from replank.parts.papers import LIU2023ACTIVATE
from replank.sources import Source
from replank.studies.activating_while_pruning.arms import AP, CONTROLS, HOSTS
from replank.studies.activating_while_pruning.trial import SHARES

ABSTRACT = Source(LIU2023ACTIVATE, "abstract", "paper")
RECALLED = Source(LIU2023ACTIVATE, "experiments", "recalled")
EVERYWHERE = ("smoke", "small", "published", "conv4")
OTHERS = ("fashion_mnist", "mnist", "mnist10k", "mnist5k", "digits")
ACCURACY = "test_accuracy"


def _tested(metric: str, arm: str, minus: str, **bounds: float) -> Rule:
    """A paired difference whose verdict also gives the p-value of the paired t test."""
    rule = difference(metric, arm, minus=minus, **bounds)

    def tested(table: pd.DataFrame) -> Verdict:
        verdict = rule(table)
        p = paired_p_value(*(values_by_seed(table, each, metric) for each in (arm, minus)))
        if verdict.status == "not tested" or p is None:
            return verdict
        return replace(verdict, reason=f"{verdict.reason} Paired t test: p = {p:.2g}.")

    return tested


def _gains(table: pd.DataFrame) -> Verdict:
    """On how many hosts the add-on does no harm in the mean."""
    found = {}
    for host in HOSTS:
        with_it, without = (values_by_seed(table, each, ACCURACY) for each in (f"{host}-ap", host))
        interval = paired_difference(with_it, without)
        if interval is not None:
            found[host] = interval
    if len(found) < len(HOSTS):
        return Verdict("not tested", f"Needs AP and host for {', '.join(HOSTS)}, got {', '.join(found) or 'none'}.")
    helped = sum(each.mean >= 0 for each in found.values())
    shown = ", ".join(f"{name} {100 * each.mean:+.2f} points (n = {each.n})" for name, each in found.items())
    said = f"AP minus host is not negative for {helped} of {len(found)} hosts: {shown}. A count of signs."
    if min(each.n for each in found.values()) < 2:
        return Verdict("inconclusive", f"{said} With a single seed.", helped)
    status: Status = "reproduced" if 2 * helped > len(found) else "not reproduced"
    return Verdict(status, said, helped)


def _best(table: pd.DataFrame) -> Verdict:
    """AP is more accurate than each of its controls."""
    return all_of(*(_tested(ACCURACY, AP, control, above=0) for control in CONTROLS))(table)


def _direction(rule: Rule) -> Rule:
    return with_note(rule, "Direction only: another network and other images than the paper's.")


_AT = [f"{ACCURACY}_at_share_{share}" for share in SHARES]

CLAIMS = (
    Claim(
        "C1",
        "The more a network is pruned, the lower its dynamic dead neuron rate",
        "qualitative",
        RECALLED,
        dict.fromkeys(
            ("small", "smoke", "published", "conv4", "normalised"),
            mean_within("share_dnr_correlation", "magnitude", above=0),
        ),
        table_of(magnitude={"share_dnr_correlation": [-0.9, -0.8, -0.85]}),
    ),
    Claim(
        "C2",
        "AP lowers the dynamic dead neuron rate at equal sparsity",
        "qualitative",
        ABSTRACT,
        dict.fromkeys((*EVERYWHERE, "normalised"), _tested("dynamic_dnr", AP, "magnitude", below=0)),
        table_of(magnitude={"dynamic_dnr": [0.3, 0.31, 0.3]}, magnitude_ap={"dynamic_dnr": [0.4, 0.42, 0.41]}),
    ),
    Claim(
        "C3",
        "AP makes pruned networks for CIFAR more accurate, by 3 to 4 points, at 20, 10, 5 and 2 % of the weights",
        "+3 to +4 %",
        ABSTRACT,
        {
            "published": all_of(*(_tested(name, AP, "magnitude", above=0.02, below=0.05) for name in _AT)),
            **dict.fromkeys(
                ("small", "conv4"), _direction(all_of(*(_tested(name, AP, "magnitude", above=0) for name in _AT)))
            ),
            "normalised": _direction(all_of(*(_tested(name, AP, "magnitude", above=0) for name in _AT))),
            "smoke": _direction(_tested(ACCURACY, AP, "magnitude", above=0)),
        },
        table_of(
            magnitude={name: [0.8, 0.81, 0.82] for name in (ACCURACY, *_AT)},
            magnitude_ap={name: [0.7, 0.71, 0.73] for name in (ACCURACY, *_AT)},
        ),
        datasets=("cifar10",),
        stand_ins=OTHERS,
    ),
    Claim(
        "C4",
        "AP makes pruned networks for ImageNet, a vision transformer among them, more accurate, by 2 to 3 points",
        "+2 to +3 %",
        ABSTRACT,
        {},
        table_of(magnitude={ACCURACY: [0.8]}, magnitude_ap={ACCURACY: [0.7]}),
        datasets=("ImageNet",),
    ),
    Claim(
        "C5",
        "AP works with several host methods",
        "qualitative",
        ABSTRACT,
        dict.fromkeys(EVERYWHERE, _gains),
        table_of(
            **{host: {ACCURACY: [0.8, 0.81]} for host in HOSTS},
            **{f"{host}_ap": {ACCURACY: [0.7, 0.72]} for host in HOSTS},
        ),
    ),
    Claim(
        "C6",
        "Both ingredients matter, the negative sign and the small movement: AP is better than every control",
        "no numbers",
        RECALLED,
        dict.fromkeys(EVERYWHERE, _best),
        table_of(
            magnitude_ap={ACCURACY: [0.7, 0.71]},
            **{control.replace("-", "_"): {ACCURACY: [0.8, 0.82]} for control in CONTROLS},
        ),
    ),
)
