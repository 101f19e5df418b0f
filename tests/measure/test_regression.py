from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from replank.measure import mean_absolute_error, mean_squared_error, normalised_mean_squared_error, r2, relative_error

MEASURES = [mean_squared_error, mean_absolute_error, normalised_mean_squared_error, r2]
by_name = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)


def sample(seed: int, n: int, n_outputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(seed)
    predictions, targets = torch.randn(2, n, n_outputs, dtype=torch.float64, generator=stream)
    return predictions, targets


samples = st.builds(sample, st.integers(0, 2**31), st.integers(2, 40), st.integers(1, 4))


@given(samples)
def test_agree_with_scikit_learn(data):
    predictions, targets = data
    pair = targets.numpy(), predictions.numpy()
    assert mean_squared_error(*data) == pytest.approx(metrics.mean_squared_error(*pair), rel=1e-12)
    assert mean_absolute_error(*data) == pytest.approx(metrics.mean_absolute_error(*pair), rel=1e-12)
    assert r2(*data) == pytest.approx(metrics.r2_score(*pair), rel=1e-12)


@given(samples, st.floats(0.1, 10), st.floats(-5, 5))
def test_units(data, scale, offset):
    predictions, targets = data
    changed = scale * predictions + offset, scale * targets + offset
    assert mean_squared_error(*changed) == pytest.approx(scale**2 * mean_squared_error(*data), rel=1e-9)
    assert mean_absolute_error(*changed) == pytest.approx(scale * mean_absolute_error(*data), rel=1e-9)
    assert r2(*changed) == pytest.approx(r2(*data), rel=1e-9, abs=1e-9)


@by_name
@given(data=samples)
def test_order_does_not_matter(measure, data):
    predictions, targets = data
    assert measure(predictions.flip(0), targets.flip(0)) == pytest.approx(measure(*data), rel=1e-12)


@given(samples)
def test_the_mean_explains_nothing(data):
    _, targets = data
    assert r2(targets.mean(dim=0).expand_as(targets), targets) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("prediction", "score"), [(0.1, 1.0), (0.2, 0.0)], ids=["exact", "off"])
def test_a_constant_target_counts_all_or_nothing(prediction, score):
    # the mean of seven 0.1 is not 0.1 in floating point: a spread of rounding errors must not be taken for a real one
    targets = torch.full((7,), 0.1, dtype=torch.float64)
    assert r2(torch.full_like(targets, prediction), targets) == score


X = torch.zeros(4, 2)
WRONG = {
    "broadcastable": (X[:, :1], X[:, 0], ValueError, r"must have one shape, got \(4, 1\) and \(4,\)"),
    "no samples": (X[:0], X[:0], ValueError, r"at least one sample, got shape=\(0, 2\)"),
    "a number": (X[0, 0], X[0, 0], ValueError, r"at least one sample, got shape=\(\)"),
    "nan": (X / 0, X, ValueError, r"`predictions` must be finite, got 8 values of 8"),
    "infinite target": (X, X + torch.inf, ValueError, r"`targets` must be finite, got 8 values of 8"),
    "complex": (X.cfloat(), X, TypeError, r"`predictions` must be real"),
}


@by_name
@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_input_is_refused(measure, case):
    predictions, targets, error, law = WRONG[case]
    with pytest.raises(error, match=law):
        measure(predictions, targets)


def test_one_sample_has_no_spread():
    with pytest.raises(ValueError, match="at least two samples, got n=1"):
        r2(X[:1], X[:1])


@given(samples)
def test_the_normalised_error_is_what_r2_leaves(data):
    assert normalised_mean_squared_error(*data) == pytest.approx(1 - r2(*data), rel=1e-9, abs=1e-12)


def test_a_constant_target_has_nothing_to_normalise_by():
    targets = torch.full((7, 2), 0.1, dtype=torch.float64)
    with pytest.raises(ValueError, match="targets of each output must vary, got 7 targets of which an output is"):
        normalised_mean_squared_error(targets + 1, targets)


def test_relative_error_is_a_ratio_of_norms():
    target = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert relative_error(target + torch.tensor([0.0, 0.5]), target) == pytest.approx(0.1)
    assert relative_error(0 * target, target) == 1.0
    assert relative_error(7 * target + 7, 7 * target) == pytest.approx(relative_error(target + 1, target))
    with pytest.raises(ValueError, match="some target must not be 0"):
        relative_error(target, 0 * target)
