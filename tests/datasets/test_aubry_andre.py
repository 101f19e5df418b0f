from __future__ import annotations

import pytest
import torch

from replank.circuits.many_body import imbalance, z_means
from replank.datasets.aubry_andre import aubry_andre_states


@pytest.mark.parametrize("n_qubits", [5, 8])
def test_states_have_norm_one_and_as_many_ones_as_they_began_with(n_qubits):
    data = aubry_andre_states(30, n_qubits, seed=0)
    torch.testing.assert_close(data.states.norm(dim=1), torch.ones(30, dtype=torch.float64), atol=1e-12, rtol=0)
    expected = float(n_qubits % 2)  # |0101...> has one 0 more if n is odd
    assert (z_means(data.states).sum(1) - expected).abs().max() < 1e-10


def test_a_weak_field_forgets_and_a_strong_one_keeps_the_beginning():
    data = aubry_andre_states(200, 8, seed=1)
    order = imbalance(data.states)
    assert order[data.labels == 0].mean() < 0.3
    assert order[data.labels == 1].mean() > 0.6


def test_the_transition_is_near_twice_the_coupling():
    below, above = (
        imbalance(aubry_andre_states(120, 8, strengths=(each, each), seed=2).states).mean()
        for each in ((0.5, 1.0), (3.0, 3.5))
    )
    middle = imbalance(aubry_andre_states(120, 8, strengths=((1.9, 2.1), (1.9, 2.1)), seed=2).states).mean()
    assert below < middle < above


def test_classes_are_balanced_and_have_the_strengths_asked_for():
    data = aubry_andre_states(101, 4, strengths=((0.0, 1.0), (4.0, 8.0)), seed=0)
    assert data.labels.bincount().tolist() == [51, 50]
    weak, strong = (data.strengths[data.labels == label] for label in (0, 1))
    assert 0 <= weak.min() <= weak.max() <= 1
    assert 4 <= strong.min() <= strong.max() <= 8


def test_seed_and_part_have_streams_of_their_own():
    first = aubry_andre_states(6, 4, seed=0).states
    assert torch.equal(first, aubry_andre_states(6, 4, seed=0).states)
    for other in (aubry_andre_states(6, 4, seed=1), aubry_andre_states(6, 4, seed=0, part="test")):
        assert not torch.allclose(first, other.states)


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"n_samples": 1}, "a sample of each class, got n_samples=1"),
        ({"times": (2.0, 1.0)}, r"0 <= low <= high, got times=\(2.0, 1.0\)"),
        ({"strengths": ((0.0, 1.0), (-4.0, 8.0))}, r"got strengths\[1\]=\(-4.0, 8.0\)"),
    ],
)
def test_what_can_not_be_drawn_is_refused(change, law):
    with pytest.raises(ValueError, match=law):
        aubry_andre_states(**({"n_samples": 4, "n_qubits": 3, "seed": 0} | change))
