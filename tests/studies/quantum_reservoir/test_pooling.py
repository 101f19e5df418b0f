"""Rules on several arms at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replank.lab.claim import table_of
from replank.studies.quantum_reservoir.claims import CLAIMS
from replank.studies.quantum_reservoir.pooling import law_for, ratio_of_means, share_of_wins

ARMS, OTHERS = ("a", "b"), ("c", "d")


def table(**values):
    return table_of(**{arm: {"loss": each} for arm, each in values.items()})


def failing(found, arm):
    lost = (found["arm"] == arm) & (found["seed"] == 0)
    return found.assign(
        status=np.where(lost, "failed", "done"),
        error=np.where(lost, "it broke", None),
        loss=found["loss"].mask(lost),
    )


def test_the_ratio_is_of_geometric_means_paired_over_seeds():
    found = table(a=[1.0, 2.0, 1.0], b=[4.0, 2.0, 9.0], c=[1.0, 1.0, 1.0], d=[1.0, 4.0, 1.0])
    verdict = ratio_of_means("loss", ARMS, over=OTHERS, below=2)(found)
    # geometric means over arms 2, 2, 3 over 1, 2, 1
    assert verdict.measured == pytest.approx((2 * 1 * 3) ** (1 / 3))
    assert verdict.status == "inconclusive"
    assert "a, b over c, d" in verdict.reason


def test_seeds_that_one_arm_lacks_do_not_count():
    found = table(a=[1.0, 1.0, 1.0], b=[1.0, 1.0], c=[2.0, 2.0, 2.0], d=[2.0, 2.0, 2.0])
    verdict = ratio_of_means("loss", ARMS, over=OTHERS, below=1)(found)
    assert "over 2 seeds" in verdict.reason
    assert verdict.status == "reproduced"


def test_numbers_that_have_no_logarithm_are_not_tested():
    found = table(a=[0.0, 1.0], b=[1.0, 1.0], c=[2.0, 2.0], d=[2.0, 2.0])
    verdict = ratio_of_means("loss", ARMS, over=OTHERS, below=1)(found)
    assert verdict.status == "not tested"
    assert "must be positive" in verdict.reason


def test_wins_are_pairs_in_which_the_value_is_smaller_and_ties_are_half():
    found = table(a=[1, 3, 2], b=[1, 1, 1], c=[2, 2, 2], d=[2, 2, 1])
    verdict = share_of_wins("loss", ARMS, against=OTHERS)(found)
    # a against c, b against d: 2 of 2, 1 of 2, and two ties
    assert verdict.measured == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert verdict.status == "inconclusive"
    always = share_of_wins("loss", ARMS, against=OTHERS)(table(a=[1, 1], b=[1, 1], c=[2, 2], d=[2, 2]))
    assert (always.status, always.measured) == ("reproduced", 1)
    ties = share_of_wins("loss", ARMS, against=OTHERS)(table(a=[1, 1], b=[1, 1], c=[1, 1], d=[1, 1]))
    assert (ties.status, ties.measured) == ("not reproduced", 0.5)


def test_a_law_for_several_is_told_of_the_nearest_to_its_bound():
    found = table(a=[0.1, 0.2], b=[0.3, 0.9])
    verdict = law_for("loss", ARMS, "the worst", at_most=1)(found)
    assert (verdict.status, verdict.measured) == ("reproduced", 0.9)
    assert law_for("loss", ARMS, "the worst", at_most=0.5)(found).status == "not reproduced"
    least = law_for("loss", ARMS, "the least", at_least=0)(found)
    assert (least.status, least.measured, least.interval) == ("reproduced", 0.1, (0.1, 0.2))


@pytest.mark.parametrize(
    "rule",
    [
        ratio_of_means("loss", ARMS, over=OTHERS, below=1),
        share_of_wins("loss", ARMS, against=OTHERS),
        law_for("loss", (*ARMS, *OTHERS), "all", at_most=1),
    ],
    ids=["ratio", "wins", "law"],
)
def test_what_is_missing_is_not_tested(rule):
    whole = table(a=[0.1, 0.1], b=[0.1, 0.1], c=[0.2, 0.2], d=[0.2, 0.2])
    assert rule(whole).status == "reproduced"
    assert rule(whole[whole["arm"] != "d"]).status == "not tested"
    failed = rule(failing(whole, "c"))
    assert failed.status == "not tested"
    assert "it broke" in failed.reason
    assert rule(whole.drop(columns="loss")).status == "not tested"


def test_claims_are_not_tested_without_their_arms():
    lonely = pd.DataFrame({"arm": ["lstm"], "seed": [0], "status": ["done"], "error": [None]})
    assert {rule(lonely).status for claim in CLAIMS for rule in claim.rules.values()} == {"not tested"}
