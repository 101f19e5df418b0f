from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from replank.measure import accuracy, brier_score, expected_calibration_error, reliability_table


def sample(seed: int, n: int, n_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, n_classes, dtype=torch.float64, generator=stream)
    return logits, torch.randint(n_classes, (n,), generator=stream)


samples = st.builds(sample, st.integers(0, 2**31), st.integers(1, 60), st.integers(2, 6))
bins = st.integers(1, 30)


@given(samples, bins)
def test_table_agrees_with_scikit_learn(data, n_bins):
    logits, labels = data
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    observed, stated = calibration_curve((predicted == labels).numpy(), confidence.numpy(), n_bins=n_bins)
    table = reliability_table(logits, labels, n_bins)
    np.testing.assert_allclose(table["accuracy"], observed, atol=1e-12)
    np.testing.assert_allclose(table["confidence"], stated, atol=1e-12)


@given(samples, bins)
def test_table_holds_every_sample_once_and_in_its_bin(data, n_bins):
    table = reliability_table(*data, n_bins)
    assert table["count"].sum() == len(data[0])
    assert (table["count"] > 0).all()
    assert ((table["low"] - 1e-12 <= table["confidence"]) & (table["confidence"] <= table["high"] + 1e-12)).all()
    np.testing.assert_allclose(table["high"] - table["low"], 1 / n_bins)
    assert table["low"].is_monotonic_increasing


def test_confidence_on_an_edge_belongs_to_the_lower_bin():
    table = reliability_table(torch.zeros(3, 2), torch.tensor([0, 0, 1]), n_bins=2)
    assert table.to_dict("records") == [
        {"low": 0.0, "high": 0.5, "count": 3, "confidence": 0.5, "accuracy": pytest.approx(2 / 3)}
    ]


def test_error_by_hand():
    # confidences 0.9, 0.9, 0.6, 0.6 in bins (0.8, 1] and (0.4, 0.6]; right are one of the first two, both of the others
    p = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.599, 0.401], [0.401, 0.599]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1])
    expected = (2 * abs(0.5 - 0.9) + 2 * abs(1 - 0.599)) / 4
    assert expected_calibration_error(p.log(), labels, n_bins=5) == pytest.approx(expected)


@given(samples)
def test_one_bin_compares_the_means(data):
    logits, labels = data
    gap = abs(accuracy(logits, labels) - float(logits.softmax(dim=1).max(dim=1).values.mean()))
    assert expected_calibration_error(logits, labels, n_bins=1) == pytest.approx(gap, abs=1e-12)


@given(samples, st.integers(1, 10), st.integers(2, 4))
def test_finer_bins_hide_less(data, n_bins, split):
    coarse = expected_calibration_error(*data, n_bins=n_bins)
    fine = expected_calibration_error(*data, n_bins=n_bins * split)
    assert coarse - 1e-12 <= fine <= 1


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_brier_score_of_two_classes_is_twice_scikit_learns(seed, n):
    logits, labels = sample(seed, n, 2)
    one_sided = brier_score_loss(labels.numpy(), logits.softmax(dim=1)[:, 1].numpy(), pos_label=1)
    assert brier_score(logits, labels) == pytest.approx(2 * one_sided, rel=1e-12)


@pytest.mark.parametrize(("right", "score"), [(True, 0.0), (False, 2.0)], ids=["right", "wrong"])
def test_brier_score_of_the_certain(right, score):
    labels = torch.arange(5)
    logits = 1000 * torch.eye(5)[labels if right else (labels + 1) % 5]
    assert brier_score(logits, labels) == pytest.approx(score, abs=1e-12)


def test_there_must_be_a_bin():
    with pytest.raises(ValueError, match="`n_bins` must be at least 1, got n_bins=0"):
        expected_calibration_error(torch.zeros(2, 2), torch.zeros(2, dtype=torch.long), n_bins=0)
