from __future__ import annotations

import itertools

import pytest
import torch

from replank.measure import label_counts, majority_vote_ceiling


def test_the_ceiling_is_what_the_best_of_all_functions_reaches():
    """By trying every function of three distinct inputs."""
    inputs = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2])
    labels = torch.tensor([0, 1, 1, 0, 2, 1, 1, 0, 1])
    best = max(
        float((torch.tensor(function)[inputs] == labels).double().mean())
        for function in itertools.product(range(3), repeat=3)
    )
    assert majority_vote_ceiling(inputs[:, None], labels) == pytest.approx(best)


def test_inputs_that_never_repeat_have_no_ceiling():
    inputs = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    assert majority_vote_ceiling(inputs, torch.arange(50) % 3) == 1


def test_counts_are_of_distinct_inputs():
    inputs = torch.tensor([[1.0, 0], [0, 1], [1, 0], [1, 0]])
    distinct, counts = label_counts(inputs, torch.tensor([1, 0, 1, 0]))
    assert torch.equal(distinct, torch.tensor([[0.0, 1], [1, 0]]))
    assert counts.tolist() == [[1, 0], [1, 2]]


def test_complex_inputs_are_told_apart_by_both_parts():
    inputs = torch.tensor([[1 + 1j], [1 - 1j], [1 + 1j]])
    distinct, counts = label_counts(inputs, torch.tensor([0, 1, 0]))
    assert distinct.shape == (2, 1)
    assert sorted(counts.tolist()) == [[0, 1], [2, 0]]
    assert majority_vote_ceiling(inputs, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)


def test_wrong_labels_are_refused():
    with pytest.raises(TypeError, match=r"class numbers, got dtype=torch.float32"):
        label_counts(torch.zeros(2, 1), torch.zeros(2))
    for inputs, labels in ((3, [0, 1]), (0, []), (2, [0, -1])):
        with pytest.raises(ValueError, match="labels >= 0 of shape"):
            label_counts(torch.zeros(inputs, 1), torch.tensor(labels, dtype=torch.int64))
