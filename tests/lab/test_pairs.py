from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from replank.lab.claim import difference, table_of
from replank.lab.pairs import paired_difference, values_by_seed

VALUES = st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=2, max_size=8)


@given(VALUES)
def test_the_interval_is_that_of_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    one, other = (pd.Series(column) for column in zip(*pairs, strict=True))
    found = paired_difference(one, other)
    assert found is not None
    assert found.n == len(pairs)
    assert found.mean == pytest.approx(float(one.mean() - other.mean()), abs=1e-12)
    if (one - other).std() > 1e-9:
        expected = stats.ttest_rel(one, other).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


@given(VALUES)
def test_turning_the_sides_turns_the_sign(pairs: list[tuple[float, float]]) -> None:
    one, other = (pd.Series(column) for column in zip(*pairs, strict=True))
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert there is not None
    assert back is not None
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))


def test_only_seeds_that_both_have_count_whatever_their_order() -> None:
    one, other = pd.Series([5.0, 1.0, 2.0], index=[7, 1, 2]), pd.Series([1.5, 0.25, 9.0], index=[2, 1, 3])
    found = paired_difference(one, other)
    assert found is not None
    assert (found.n, found.mean) == (2, pytest.approx((0.75 + 0.5) / 2))


def test_without_a_common_seed_there_is_nothing() -> None:
    assert paired_difference(pd.Series([1.0], index=[0]), pd.Series([1.0], index=[1])) is None
    assert paired_difference(pd.Series(dtype=float), pd.Series([1.0])) is None


def test_trials_that_failed_or_have_no_number_are_left_out() -> None:
    table = table_of(a={"loss": [1.0, 2.0, np.nan, 4.0]}).assign(status=["done", "failed", "done", "done"])
    assert values_by_seed(table.iloc[::-1], "a", "loss").to_dict() == {0: 1.0, 3: 4.0}
    assert values_by_seed(table, "a", "accuracy").empty
    assert values_by_seed(table, "b", "loss").empty


def test_claims_pair_in_the_same_way() -> None:
    table = table_of(a={"loss": [1.0, 2.5, 2.0]}, b={"loss": [0.5, 1.0, 1.75]})
    verdict = difference("loss", "a", minus="b", above=0)(table)
    found = paired_difference(values_by_seed(table, "a", "loss"), values_by_seed(table, "b", "loss"))
    assert found is not None
    assert (verdict.measured, verdict.interval) == (found.mean, (found.low, found.high))
