from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from replank.measure import bounded_logit_floor, negative_log_likelihood

frequencies = st.lists(st.floats(0.01, 1), min_size=2, max_size=8)


def objective(b: np.ndarray, f: np.ndarray) -> float:
    """The definition, term by term."""
    return sum(
        f[y] * math.log1p(sum(math.exp(b[j] - b[y] - 1) for j in range(len(f)) if j != y)) for y in range(len(f))
    )


@pytest.mark.parametrize("n_classes", [1, 2, 10, 1000])
def test_balanced_classes_have_a_closed_form(n_classes):
    assert bounded_logit_floor([7] * n_classes) == pytest.approx(math.log1p((n_classes - 1) / math.e), abs=1e-13)


def test_ten_balanced_classes():
    assert bounded_logit_floor(torch.ones(10)) == pytest.approx(1.46115, abs=5e-6)


@given(frequencies)
def test_agrees_with_a_numerical_minimum(weights):
    f = np.array(weights) / sum(weights)
    found = optimize.minimize(objective, np.log(f), args=(f,), method="BFGS", options={"gtol": 1e-7})
    assert bounded_logit_floor(weights) == pytest.approx(found.fun, abs=1e-9)


@pytest.mark.parametrize("f", [(0.5, 0.5), (0.3, 0.7), (0.02, 0.98), (0.2, 0.3, 0.5), (0.9, 0.05, 0.05)], ids=str)
def test_agrees_with_a_grid(f):
    step = 0.05
    grids = np.meshgrid(*[np.arange(-8, 8, step)] * (len(f) - 1))
    b = [np.zeros_like(grids[0]), *grids]  # only differences matter: the first b may be 0
    losses = sum(f[y] * np.log1p(sum(np.exp(b[j] - b[y] - 1) for j in range(len(f)) if j != y)) for y in range(len(f)))
    # at most half a step off the minimum along each axis; the second derivative of log-sum-exp in a direction v is a
    # variance of its entries, which lie within a step of each other
    slack = (step / 2) ** 2 / 2
    assert losses.min() - slack <= bounded_logit_floor(f) <= losses.min() + 1e-14


@given(frequencies, st.randoms(use_true_random=False))
def test_order_and_scale_of_the_classes_do_not_matter(weights, random):
    shuffled = [1000 * weight for weight in random.sample(weights, len(weights))]
    assert bounded_logit_floor(shuffled) == pytest.approx(bounded_logit_floor(weights), abs=1e-12)


@given(frequencies, st.integers(1, 3))
def test_absent_classes_do_not_matter(weights, n_absent):
    assert bounded_logit_floor(weights + [0.0] * n_absent) == pytest.approx(bounded_logit_floor(weights), abs=1e-12)


def test_a_rare_class_is_almost_absent():
    assert bounded_logit_floor([1, 1, 1e-9]) == pytest.approx(bounded_logit_floor([1, 1]), abs=1e-7)


@pytest.mark.parametrize("f", [[5], [0, 3, 0]], ids=str)
def test_a_single_class_costs_nothing(f):
    assert bounded_logit_floor(f) == 0


@given(st.integers(0, 2**31), st.integers(2, 6), st.floats(0, 4), st.floats(0, 5))
def test_no_probabilities_and_no_bias_get_below(seed, n_classes, spread, sharpness):
    stream = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(n_classes), torch.randint(n_classes, (30,), generator=stream)])
    leaning = sharpness * torch.nn.functional.one_hot(labels, n_classes)
    # n_classes + 1 outcomes, the last one not read out: a sub-probability vector, at best all on the true class
    p = (leaning + torch.rand(len(labels), n_classes, generator=stream)) ** 4
    p = (p / (p.sum(dim=1, keepdim=True) + torch.rand(len(labels), 1, generator=stream))).double()
    b = spread * torch.randn(n_classes, generator=stream, dtype=torch.float64)
    assert negative_log_likelihood(p + b, labels) >= bounded_logit_floor(labels.bincount())


@given(frequencies)
def test_certainty_and_the_best_bias_reach_it(weights):
    counts = [max(1, round(20 * weight)) for weight in weights]
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    p = torch.nn.functional.one_hot(labels, len(counts)).double()

    def loss(b: np.ndarray) -> float:
        return negative_log_likelihood(p + torch.from_numpy(b), labels)

    reached = optimize.minimize(loss, np.log(counts), method="BFGS", options={"gtol": 1e-7}).fun
    assert bounded_logit_floor(counts) == pytest.approx(reached, abs=1e-9)


@pytest.mark.parametrize("f", [[], [[1, 2]], [1, -1], [0, 0], [1, math.nan], [1, math.inf]], ids=str)
def test_wrong_frequencies_are_refused(f):
    with pytest.raises(ValueError, match="`class_frequencies` must be a vector of finite numbers"):
        bounded_logit_floor(f)
