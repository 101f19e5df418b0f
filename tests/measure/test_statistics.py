from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from replank.measure import mean_interval
from replank.seeding import numpy_stream

values = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(values, st.floats(0.5, 0.999))
def test_agrees_with_scipys_t_test(sample, level):
    interval = mean_interval(np.array(sample), level)
    if np.ptp(sample) > 1e-6:  # SciPy warns of a sample without spread
        expected = stats.ttest_1samp(sample, 0).confidence_interval(level)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-9)
    assert interval.mean == pytest.approx(np.mean(sample))
    assert interval.n == len(sample)


def test_by_hand():
    # mean 2, standard deviation 1, t quantile of 2 degrees of freedom 4.302653 (any t table)
    interval = mean_interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 / np.sqrt(3)
    assert (interval.low, interval.high) == pytest.approx((2 - half, 2 + half), abs=1e-6)


@given(values, st.floats(0.1, 10), st.floats(-10, 10))
def test_moves_and_stretches_with_the_values(sample, scale, offset):
    before, after = mean_interval(np.array(sample)), mean_interval(scale * np.array(sample) + offset)
    expected = scale * before.low + offset, scale * before.high + offset
    assert (after.low, after.high) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_holds_the_mean_as_often_as_it_says():
    n_samples, level = 2000, 0.9
    samples = numpy_stream(0, "coverage").normal(3, 2, size=(n_samples, 4))
    covered = sum(interval.low <= 3 <= interval.high for interval in (mean_interval(row, level) for row in samples))
    assert covered / n_samples == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / n_samples))


def test_one_value_has_no_interval():
    interval = mean_interval(np.array([5.0]))
    assert (interval.mean, interval.low, interval.high, interval.n) == (5, -np.inf, np.inf, 1)


@pytest.mark.parametrize("bad", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf]], ids=str)
def test_wrong_values_are_refused(bad):
    with pytest.raises(ValueError, match="`values` must be a non-empty vector of finite numbers"):
        mean_interval(np.array(bad))


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_wrong_level_is_refused(level):
    with pytest.raises(ValueError, match=r"`level` must lie in \(0, 1\)"):
        mean_interval(np.array([1.0, 2.0]), level)
