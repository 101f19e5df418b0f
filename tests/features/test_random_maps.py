from __future__ import annotations

from math import inf, pi

import pytest
import torch

from replank.features import RandomFourierFeatures, RandomReLUFeatures

F64 = torch.float64
KINDS = [RandomFourierFeatures, RandomReLUFeatures]


def points(n: int = 6, seed: int = 0) -> torch.Tensor:
    return pi * torch.rand(n, 5, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_products_of_fourier_features_approach_the_gaussian_kernel(scale):
    torch.manual_seed(0)
    n, x = 100_000, points()
    z = RandomFourierFeatures(5, n, scale=scale, dtype=F64)(x)
    kernel = (-((scale * torch.cdist(x, x)) ** 2) / 2).exp()
    assert (z @ z.mT - kernel).abs().max().item() < 6 / n**0.5  # cosines have a variance of at most 1


def test_fourier_features_are_bounded():
    z = RandomFourierFeatures(5, 32, dtype=F64)(points(100))
    assert z.abs().max().item() <= (2 / 32) ** 0.5


def test_every_kink_passes_through_the_box():
    torch.manual_seed(0)
    features = RandomReLUFeatures(5, 500, box=(1.0, 2.0), dtype=F64)
    # on a box, an affine function is largest at the corner that the signs of its weights choose
    largest = features.weight.clamp(min=0).sum(1) * 2 + features.weight.clamp(max=0).sum(1) * 1 + features.bias
    smallest = features.weight.clamp(min=0).sum(1) * 1 + features.weight.clamp(max=0).sum(1) * 2 + features.bias
    assert (largest > 0).all()
    assert (smallest < 0).all()


def test_relu_features_are_positive_parts_of_an_affine_map():
    features, x = RandomReLUFeatures(5, 32, dtype=F64), points()
    expected = (x @ features.weight.mT + features.bias).clamp(min=0)
    assert torch.allclose(features(x), expected)
    assert (expected == 0).any()


def test_weights_have_the_stated_spread():
    torch.manual_seed(0)
    n = 20_000
    assert RandomFourierFeatures(5, n, scale=0.5).weight.std().item() == pytest.approx(0.5, rel=0.02)
    assert RandomReLUFeatures(5, n).weight.std().item() == pytest.approx((2 / 5) ** 0.5, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_trained_and_the_same_seed_draws_the_same(kind):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        one = kind(5, 7)
        torch.manual_seed(3)
        other = kind(5, 7)
    assert not list(one.parameters())
    assert {"weight", "bias"} == set(one.state_dict())
    assert torch.equal(one(points().float()), other(points().float()))
    assert torch.autograd.gradcheck(kind(5, 7, dtype=F64), points().requires_grad_())


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_sizes_are_refused(kind):
    with pytest.raises(ValueError, match="at least one, got in_features=0"):
        kind(0, 3)
    with pytest.raises(ValueError, match="the last dimension must be in_features=5"):
        kind(5, 3)(torch.zeros(2, 4))


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="must be positive and finite, got scale=0"):
        RandomFourierFeatures(5, 3, scale=0)
    with pytest.raises(ValueError, match="the smaller first, got box="):
        RandomReLUFeatures(5, 3, box=(0, inf))
