from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from replank.lab.claim import (
    Claim,
    Missing,
    Rule,
    Verdict,
    all_of,
    difference,
    every_seed,
    judge,
    mean_of,
    mean_within,
    ratio,
    table_of,
    values_of,
)
from replank.sources import Source

ABOVE = difference("score", "new", minus="old", above=0.1)
BELOW = difference("score", "new", minus="old", below=-0.1)
WITHIN = difference("score", "new", minus="old", above=-0.5, below=0.5)
MEAN = mean_within("score", "new", above=0.9)
FLOOR = every_seed("score", "new", at_least=1.0)
CEILING = every_seed("score", "new", at_most=1.0)
RULES = {"above": ABOVE, "below": BELOW, "within": WITHIN, "mean": MEAN, "floor": FLOOR, "ceiling": CEILING}


def pair(new: list[float], old: list[float]) -> pd.DataFrame:
    return table_of(old={"score": old}, new={"score": new})


@pytest.mark.parametrize(
    ("rule", "new", "old", "status"),
    [
        (ABOVE, [1.0, 1.1, 1.2], [0.0, 0.11, 0.19], "reproduced"),
        (ABOVE, [0.0, 0.1, 0.2], [0.0, 0.11, 0.19], "not reproduced"),
        (ABOVE, [0.0, 0.3, 0.2], [0.0, 0.0, 0.19], "inconclusive"),
        (ABOVE, [1.0], [0.0], "inconclusive"),
        (BELOW, [0.0, 0.11, 0.19], [1.0, 1.1, 1.2], "reproduced"),
        (BELOW, [1.0, 1.1, 1.2], [0.0, 0.11, 0.19], "not reproduced"),
        (WITHIN, [0.1, 0.2, 0.3], [0.0, 0.3, 0.3], "reproduced"),
        (WITHIN, [1.1, 1.2, 1.3], [0.0, 0.1, 0.3], "not reproduced"),
        (WITHIN, [-1.1, -1.2, -1.3], [0.0, 0.1, 0.3], "not reproduced"),
        (WITHIN, [0.5, 0.0, 0.4], [0.0, 0.1, -0.4], "inconclusive"),
        (MEAN, [1.0, 1.01, 0.99], [0.0, 0.0, 0.0], "reproduced"),
        (MEAN, [0.5, 0.51, 0.49], [0.0, 0.0, 0.0], "not reproduced"),
        (MEAN, [1.0, 0.9, 0.8], [0.0, 0.0, 0.0], "inconclusive"),
        (FLOOR, [1.0, 2.0], [0.0, 0.0], "reproduced"),
        (FLOOR, [1.0, 0.999], [0.0, 0.0], "not reproduced"),
        (CEILING, [1.0, -2.0], [0.0, 0.0], "reproduced"),
        (CEILING, [0.0, 1.001], [0.0, 0.0], "not reproduced"),
    ],
)
def test_a_rule_answers(rule: Rule, new: list[float], old: list[float], status: str) -> None:
    assert rule(pair(new, old)).status == status


def test_a_tie_passes_no_single_bound_but_lies_between_two() -> None:
    equal = [0.5, 0.25, 1.0]
    for rule in (difference("score", "new", minus="old", above=0), difference("score", "new", minus="old", below=0)):
        assert rule(pair(equal, equal)).status == "not reproduced"
    assert difference("score", "new", minus="old", above=0, below=0)(pair(equal, equal)).status == "reproduced"
    assert ratio("score", "new", over="old", below=1)(pair(equal, equal)).status == "not reproduced"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda t: t[t["arm"] != "new"], "Arm new has not been run."),
        (lambda t: t.drop(columns="score"), "has no score."),
        (lambda t: t.assign(score=t["score"].where(t["seed"] != 1)), "has no score."),
        (
            lambda t: t.assign(status=np.where((t["arm"] == "new") & (t["seed"] == 1), "failed", "done"), error="odd"),
            "1 of 3 trials of arm new failed (seed 1: odd).",
        ),
    ],
    ids=["arm missing", "metric missing", "value missing", "trial failed"],
)
def test_a_rule_that_lacks_trials_is_not_tested_and_says_why(
    rule: Rule, spoil: Callable[[pd.DataFrame], pd.DataFrame], reason: str
) -> None:
    verdict = rule(spoil(pair([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])))
    assert verdict.status == "not tested"
    assert reason in verdict.reason


def test_arms_without_a_common_seed_are_not_tested() -> None:
    table = pair([1.0, 2.0], [1.0, 2.0])
    table.loc[table["arm"] == "new", "seed"] += 2
    assert ABOVE(table) == Verdict("not tested", "Arms new and old share no seed.")


def test_seeds_are_paired_by_number_and_the_rest_is_left_out() -> None:
    table = pair([1.0, 2.0, 4.0], [0.0, 1.0, 9.0])
    verdict = ABOVE(table[~((table["arm"] == "old") & (table["seed"] == 2))])
    assert verdict.measured == 1.0
    assert "over 2 seeds" in verdict.reason


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["reproduced", "reproduced"], "reproduced"),
        (["reproduced", "inconclusive"], "inconclusive"),
        (["inconclusive", "not tested"], "not tested"),
        (["reproduced", "not tested", "not reproduced"], "not reproduced"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
def test_all_of_takes_the_worst_and_keeps_every_reason(statuses: list[str], expected: str) -> None:
    rules = [lambda table, status=status: Verdict(status, f"It is {status}.") for status in statuses]
    verdict = all_of(*rules)(pd.DataFrame())
    assert verdict.status == expected
    assert verdict.reason == " ".join(f"It is {status}." for status in statuses)


# Eighths add up without rounding, and no mean of them lies on a bound of the rules: a verdict can't hang on the order
# of a sum.
values = st.lists(st.integers(-80, 80).map(lambda n: n / 8), min_size=2, max_size=6)


@given(new=values, old=values, data=st.data())
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_neither_row_order_nor_seed_labels_matter(
    rule: Rule, new: list[float], old: list[float], data: st.DataObject
) -> None:
    n = min(len(new), len(old))
    table = pair(new[:n], old[:n])
    labels = data.draw(st.permutations(range(100, 100 + n)))
    order = data.draw(st.permutations(range(2 * n)))
    other = table.assign(seed=table["seed"].map(dict(enumerate(labels)))).iloc[list(order)]
    one, two = rule(table), rule(other)
    assert two.status == one.status
    assert two.measured == pytest.approx(one.measured, abs=1e-9)
    assert two.interval == pytest.approx(one.interval, abs=1e-9)


@given(new=values, old=values, level=st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_is_that_of_a_paired_t_test(new: list[float], old: list[float], level: float) -> None:
    n = min(len(new), len(old))
    differences = np.subtract(new[:n], old[:n])
    assume(np.ptp(differences) > 1e-6)
    rule = difference("score", "new", minus="old", above=0.0, level=level)
    expected = stats.ttest_1samp(differences, 0.0).confidence_interval(level)
    verdict = rule(pair(new[:n], old[:n]))
    assert verdict.interval == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-9)
    assert verdict.measured == pytest.approx(differences.mean(), abs=1e-12)


@given(new=values, old=values, shift=st.floats(-5, 5))
def test_what_both_arms_share_drops_out_of_a_difference(new: list[float], old: list[float], shift: float) -> None:
    n = min(len(new), len(old))
    one = ABOVE(pair(new[:n], old[:n]))
    two = ABOVE(pair([x + shift for x in new[:n]], [x + shift for x in old[:n]]))
    assert two.measured == pytest.approx(one.measured, abs=1e-9)
    assert two.interval == pytest.approx(one.interval, abs=1e-9)


# -- judging -----------------------------------------------------------------------------------------------------------

CLAIM = Claim(
    id="C1",
    statement="New is better than old.",
    reported="0.9",
    source=Source(None, "here", "ours"),
    rules={"plain": ABOVE},
    counterexample=pair([0.0, 0.1], [1.0, 1.2]),
    datasets=("mnist",),
    stand_ins=("mnist5k",),
)
BETTER = pair([1.0, 1.1, 1.2], [0.0, 0.11, 0.19])


def slice_of(
    table: pd.DataFrame, dataset: str = "mnist", protocol: str = "plain", scale: str = "small"
) -> pd.DataFrame:
    return table.assign(scale=scale, protocol=protocol, dataset=dataset)


def test_each_slice_is_judged_by_itself() -> None:
    worse = pair([0.0, 0.1], [1.0, 1.2])
    found = judge([CLAIM], pd.concat([slice_of(BETTER), slice_of(worse, scale="paper")]))
    assert [(each.scale, each.verdict.status) for each in found] == [
        ("small", "reproduced"),
        ("paper", "not reproduced"),
    ]


def test_a_copy_that_is_not_the_official_one_is_said_in_the_verdict() -> None:
    copy = slice_of(BETTER).assign(data_differ="JPEG quality 75")
    ((official,), (other,)) = judge([CLAIM], slice_of(BETTER).assign(data_differ="")), judge([CLAIM], copy)
    assert "differ" not in official.verdict.reason
    assert other.verdict.reason.endswith("These data differ from the official ones: JPEG quality 75.")


def test_a_stand_in_is_said_in_the_verdict() -> None:
    (on_the_set,), (on_the_stand_in,) = judge([CLAIM], slice_of(BETTER)), judge([CLAIM], slice_of(BETTER, "mnist5k"))
    assert "mnist" not in on_the_set.verdict.reason
    assert on_the_stand_in.verdict.reason == f"{on_the_set.verdict.reason} Data: mnist5k, not mnist."
    assert on_the_stand_in.verdict.status == "reproduced"


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (BETTER.iloc[:0], "No trial has been run."),
        (slice_of(BETTER, dataset="cifar10"), "Needs mnist; these records are of cifar10."),
        (slice_of(BETTER, protocol="late"), "Needs protocol plain, which has not been run."),
    ],
    ids=["nothing", "other data", "other protocol"],
)
def test_a_claim_that_no_slice_can_test_says_why(table: pd.DataFrame, reason: str) -> None:
    (found,) = judge([CLAIM], table)
    assert found.verdict == Verdict("not tested", reason)


def test_a_claim_about_any_data_covers_all() -> None:
    anywhere = replace(CLAIM, datasets=(), stand_ins=())
    (found,) = judge([anywhere], slice_of(BETTER, dataset="whatever"))
    assert found.verdict.status == "reproduced"
    assert "whatever" not in found.verdict.reason


def test_the_counterexample_fails() -> None:
    assert [rule(CLAIM.counterexample).status for rule in CLAIM.rules.values()] == ["not reproduced"]


@pytest.mark.parametrize(
    ("new", "old", "status"),
    [
        ([4.0, 40.0, 0.4], [1.0, 10.0, 0.1], "reproduced"),  # paired: the seeds differ tenfold, the factor does not
        ([2.0, 20.0, 0.2], [1.0, 10.0, 0.1], "not reproduced"),
        ([9.0, 90.0, 0.9], [1.0, 10.0, 0.1], "not reproduced"),
        ([4.0, 20.0, 0.8], [1.0, 10.0, 0.1], "inconclusive"),
        ([4.0], [1.0], "inconclusive"),
        ([4.0, 0.0], [1.0, 1.0], "not tested"),
    ],
)
def test_a_ratio_is_judged_by_its_logarithm(new: list[float], old: list[float], status: str) -> None:
    verdict = ratio("score", "new", over="old", above=3, below=6)(pair(new, old))
    assert verdict.status == status
    if len(new) == 3:
        logs = np.log(np.array(new) / np.array(old))
        assert verdict.measured == pytest.approx(np.exp(logs.mean()))
        other = ratio("score", "old", over="new")(pair(new, old))
        assert verdict.interval is not None
        assert other.interval == pytest.approx(tuple(1 / end for end in reversed(verdict.interval)))


def test_a_computed_number_is_judged_as_a_metric_is() -> None:
    """The quotient of two arms, seed by seed, is judged as a metric of that name would be."""

    def quotient(table: pd.DataFrame) -> pd.Series[float]:
        return (values_of(table, "new", "score") / values_of(table, "old", "score")).dropna()

    for new in ([2.0, 2.1, 2.2], [0.5, 0.6, 0.4], [0.5, 2.0, 1.5]):
        old = [1.0, 1.25, 0.5]
        whole = table_of(new={"quotient": [a / b for a, b in zip(new, old, strict=True)]})
        computed = mean_of("quotient of new", quotient, above=1)(pair(new, old))
        assert computed == mean_within("quotient", "new", above=1)(whole)
    failed = pair([1.0, 2.0], [1.0, 1.0]).assign(status=["done", "failed", "done", "done"], error="it broke")
    assert mean_of("quotient", quotient, above=1)(failed).status == "not tested"
    apart = pair([1.0, 2.0], [1.0, 1.0]).assign(seed=[0, 1, 2, 3])
    assert mean_of("quotient", quotient, above=1)(apart).status == "not tested"
    with pytest.raises(Missing, match="gone has not been run"):
        values_of(apart, "gone", "score")
