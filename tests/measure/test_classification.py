from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from replank.measure import (
    accuracy,
    balanced_accuracy,
    brier_score,
    expected_calibration_error,
    matthews_correlation,
    negative_log_likelihood,
)

MEASURES = [
    accuracy,
    balanced_accuracy,
    matthews_correlation,
    negative_log_likelihood,
    expected_calibration_error,
    brier_score,
]


def sample(seed: int, n: int, n_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, n_classes, dtype=torch.float64, generator=stream)
    return logits, torch.randint(n_classes, (n,), generator=stream)


samples = st.builds(sample, st.integers(0, 2**31), st.integers(1, 40), st.integers(2, 6))


@given(samples)
def test_agree_with_scikit_learn(data):
    logits, labels = data
    p, n_classes = logits.softmax(dim=1).numpy(), logits.shape[1]
    assert accuracy(logits, labels) == pytest.approx(metrics.accuracy_score(labels, p.argmax(axis=1)), abs=1e-15)
    balanced = metrics.recall_score(labels, p.argmax(axis=1), labels=labels.unique().numpy(), average="macro")
    assert balanced_accuracy(logits, labels) == pytest.approx(balanced, abs=1e-12)
    if len(set(labels.tolist()) | set(p.argmax(axis=1).tolist())) > 1:  # of a single class scikit-learn warns
        correlation = metrics.matthews_corrcoef(labels, p.argmax(axis=1))
        assert matthews_correlation(logits, labels) == pytest.approx(correlation, abs=1e-12)
    expected = metrics.log_loss(labels.numpy(), p, labels=np.arange(n_classes))
    assert negative_log_likelihood(logits, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@given(data=samples, seed=st.integers(0, 2**31))
def test_neither_order_nor_class_names_nor_offset_matter(measure, data, seed):
    logits, labels = data
    stream = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(logits), generator=stream)
    classes = torch.randperm(logits.shape[1], generator=stream)
    offset = torch.randn(len(logits), 1, dtype=torch.float64, generator=stream)
    renamed = classes.argsort()[labels]  # column j of logits[:, classes] is class classes[j]
    expected = pytest.approx(measure(logits, labels), abs=1e-12)
    assert measure(logits[rows], labels[rows]) == expected
    assert measure(logits[:, classes], renamed) == expected
    assert measure(logits + offset, labels) == expected


@pytest.mark.parametrize("n_classes", [2, 10])
def test_without_knowledge(n_classes):
    labels = torch.arange(3 * n_classes) % n_classes
    logits = torch.zeros(len(labels), n_classes)
    assert negative_log_likelihood(logits, labels) == pytest.approx(math.log(n_classes))
    assert accuracy(logits, labels) == pytest.approx(1 / n_classes)  # of equal logits the first counts


def test_guessing_the_larger_class_is_worth_nothing():
    labels = torch.tensor([1] * 90 + [0] * 10)
    logits = torch.tensor([0.0, 1.0]).expand(100, 2)
    assert accuracy(logits, labels) == 0.9
    assert balanced_accuracy(logits, labels) == 0.5
    assert matthews_correlation(logits, labels) == 0


@given(samples)
def test_classes_count_alike(data):
    logits, labels = data
    each = [accuracy(logits[labels == label], labels[labels == label]) for label in labels.unique()]
    assert balanced_accuracy(logits, labels) == pytest.approx(sum(each) / len(each), abs=1e-12)


def test_matthews_correlation_of_two_classes_is_that_of_two_bits():
    logits, labels = sample(0, 200, 2)
    expected = np.corrcoef(logits.argmax(1).numpy(), labels.numpy())[0, 1]
    assert matthews_correlation(logits, labels) == pytest.approx(expected, abs=1e-12)


def test_half_precision_is_judged_in_double():
    logits, labels = sample(0, 1000, 10)
    half = logits.half()
    assert negative_log_likelihood(half, labels) == negative_log_likelihood(half.double(), labels)


LOGITS, LABELS = torch.zeros(4, 3), torch.zeros(4, dtype=torch.long)
WRONG = {
    "one dimension": (torch.zeros(4), LABELS, ValueError, r"`logits` must have shape .* got shape=\(4,\)"),
    "no samples": (LOGITS[:0], LABELS[:0], ValueError, r"n_samples >= 1"),
    "a single class": (LOGITS[:, :1], LABELS, ValueError, r"n_classes >= 2"),
    "too few labels": (LOGITS, LABELS[:3], ValueError, r"`labels` must have shape \(4,\).* got shape=\(3,\)"),
    "labels as a column": (LOGITS, LABELS[:, None], ValueError, r"got shape=\(4, 1\)"),
    "label too large": (LOGITS, LABELS + 3, ValueError, r"`labels` must lie in 0..2.* got 3..3"),
    "label negative": (LOGITS, LABELS - 1, ValueError, r"got -1..-1"),
    "labels as floats": (LOGITS, LABELS.float(), TypeError, r"`labels` must be class numbers, got dtype=torch.float32"),
    "integer logits": (LOGITS.long(), LABELS, TypeError, r"`logits` must be real floating point"),
    "complex logits": (LOGITS.cfloat(), LABELS, TypeError, r"`logits` must be real floating point"),
    "nan": (LOGITS / 0, LABELS, ValueError, r"`logits` must be finite, got 12 values of 12"),
}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_input_is_refused(measure, case):
    logits, labels, error, law = WRONG[case]
    with pytest.raises(error, match=law):
        measure(logits, labels)
