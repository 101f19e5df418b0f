from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from replank.measure import effective_rank, knn_accuracy, linear_probe, probe_features

F64 = torch.float64


def blobs(seed: int, n: int = 60, width: int = 4, n_classes: int = 3, spread: float = 1.0):
    """Gaussian clouds around a centre for each class; every class occurs."""
    stream = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(n_classes, width, generator=stream, dtype=F64)
    y = torch.arange(n) % n_classes
    return centres[y] + spread * torch.randn(n, width, generator=stream, dtype=F64), y


def split(seed: int, **options):
    x, y = blobs(seed, **options)
    half = len(x) // 2
    return (x[:half], y[:half]), (x[half:], y[half:])


# -- linear probe ------------------------------------------------------------------------------------------------------


def test_linear_probe_is_at_the_minimum_of_its_stated_loss():
    (train_x, train_y), (test_x, test_y) = split(0)
    x, y = train_x.numpy(), train_y.numpy()

    def loss(flat: np.ndarray) -> float:
        weight, bias = flat[:12].reshape(3, 4), flat[12:]
        log_p = special.log_softmax(x @ weight.T + bias, axis=1)
        return -log_p[np.arange(len(y)), y].sum() + 0.7 * (weight**2).sum() / 2

    best = optimize.minimize(loss, np.zeros(15), method="BFGS", options={"gtol": 1e-5}).x
    logits = test_x.numpy() @ best[:12].reshape(3, 4).T + best[12:]
    expected = -special.log_softmax(logits, axis=1)[np.arange(len(test_y)), test_y].mean()
    found = linear_probe((train_x, train_y), (test_x, test_y), strength=0.7)
    assert found.loss == pytest.approx(expected, rel=1e-4)
    assert found.accuracy == (logits.argmax(axis=1) == test_y.numpy()).mean()


def test_information_is_that_of_the_labels_if_they_can_be_read_off_and_none_if_not():
    y = torch.arange(400) % 4
    clear = torch.nn.functional.one_hot(y).to(F64)
    samples = (100 * clear, y)
    assert linear_probe(samples, samples).information == pytest.approx(math.log(4), abs=1e-3)
    noise = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0), dtype=F64)
    labels = torch.arange(4000) % 4
    nothing = linear_probe((noise[:2000], labels[:2000]), (noise[2000:], labels[2000:]))
    assert abs(nothing.information) < 0.01


def test_information_stays_below_the_mutual_information_of_two_gaussians():
    """Labels of either sign, features around them: the optimal reader is linear, and attains the bound."""
    stream = torch.Generator().manual_seed(0)
    y = torch.arange(40_000) % 2
    x = (2.0 * y - 1)[:, None].to(F64) + torch.randn(40_000, 1, generator=stream, dtype=F64)
    half = len(x) // 2
    t = np.linspace(-12, 12, 20_001)
    density = np.exp(-((t - 1) ** 2) / 2) / math.sqrt(2 * math.pi)
    mutual = math.log(2) - np.trapezoid(density * np.logaddexp(0, -2 * t), t)
    found = linear_probe((x[:half], y[:half]), (x[half:], y[half:])).information
    assert found == pytest.approx(mutual, abs=0.01)


# -- nearest neighbours ------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**31), k=st.integers(1, 7))
def test_nearest_neighbours_by_brute_force(seed, k):
    (train_x, train_y), (test_x, test_y) = split(seed)
    right = 0
    for x, y in zip(test_x, test_y, strict=True):
        nearest = (train_x - x).square().sum(dim=1).argsort()[:k]
        right += int(torch.bincount(train_y[nearest], minlength=3).argmax() == y)
    assert knn_accuracy((train_x, train_y), (test_x, test_y), n_neighbours=k) == pytest.approx(right / len(test_y))


def test_every_sample_is_its_own_nearest_neighbour():
    samples = blobs(0)
    assert knn_accuracy(samples, samples, n_neighbours=1) == 1


# -- effective rank ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("r", [1, 2, 5])
def test_equally_strong_directions_are_counted(r):
    directions, _ = torch.linalg.qr(torch.randn(8, r, generator=torch.Generator().manual_seed(0), dtype=F64))
    stars = torch.cat((directions.mT, -directions.mT)) + 3  # centred anywhere
    assert effective_rank(stars) == pytest.approx(r, abs=1e-9)


def test_weak_directions_count_little_and_none_gives_zero():
    strong = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1e-6], [0.0, -1e-6]], dtype=F64)
    assert 1 < effective_rank(strong) < 1.001
    assert effective_rank(torch.full((5, 3), 0.1, dtype=F64)) == 0


@given(seed=st.integers(0, 2**31), scale=st.floats(0.1, 100))
def test_rank_knows_neither_rotation_nor_scale_nor_origin(seed, scale):
    x, _ = blobs(seed)
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(seed), dtype=F64))
    assert effective_rank(scale * x @ turn + 5) == pytest.approx(effective_rank(x), rel=1e-9)
    assert 1 <= effective_rank(x) <= 4


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_features_does_not_matter(seed):
    (train_x, train_y), (test_x, test_y) = split(seed)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    one = probe_features((train_x, train_y), (test_x, test_y))
    other = probe_features((train_x[:, order], train_y), (test_x[:, order], test_y))
    assert one == pytest.approx(other, abs=1e-4)
    assert one["n_features"] == 4


GOOD = blobs(0)
WRONG = {
    "integers": ((GOOD[0].long(), GOOD[1]), GOOD, TypeError, "training features must be floating point"),
    "one dimension": ((GOOD[0][:, 0], GOOD[1]), GOOD, ValueError, "training features must have shape"),
    "nan": ((GOOD[0] / 0, GOOD[1]), GOOD, ValueError, "training features must be finite"),
    "labels as floats": ((GOOD[0], GOOD[1].double()), GOOD, TypeError, "training labels must be class numbers"),
    "too few labels": (GOOD, (GOOD[0], GOOD[1][:-1]), ValueError, "test labels must have shape"),
    "other features": (GOOD, (GOOD[0][:, :3], GOOD[1]), ValueError, "the same features, got 4 and 3"),
    "one class": ((GOOD[0], 0 * GOOD[1]), GOOD, ValueError, r"two classes at least, got \[0\]"),
    "unknown class": (GOOD, (GOOD[0], GOOD[1] + 1), ValueError, r"among the training labels \[0, 1, 2\], got \[3\]"),
}


@pytest.mark.parametrize("probe", [linear_probe, knn_accuracy, probe_features], ids=lambda probe: probe.__name__)
@pytest.mark.parametrize("case", WRONG)
def test_wrong_samples_are_refused(probe, case):
    training, test, error, law = WRONG[case]
    with pytest.raises(error, match=law):
        probe(training, test)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="`strength` must be positive, got strength=0"):
        linear_probe(GOOD, GOOD, strength=0)
    with pytest.raises(ValueError, match=r"`n_neighbours` must be in 1..60, .* got n_neighbours=61"):
        knn_accuracy(GOOD, GOOD, n_neighbours=61)
    with pytest.raises(TypeError, match="features must be floating point"):
        effective_rank(GOOD[0].long())
