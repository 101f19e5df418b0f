"""Norms of predictions against norms of inputs: proportional without encoding, nearly constant with it."""

from __future__ import annotations

import math

import pytest
import torch

from replank.measure import magnitude_diagnostics
from replank.parts.hypernetwork import HyperNetwork

GRID = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
OUT = {"a.weight": (32, 16, 3, 3), "a.bias": (32,), "b.weight": (64, 32, 3, 3), "b.bias": (64,)}


def net(seed=0, **options):
    torch.manual_seed(seed)
    return HyperNetwork({"gamma": (1,)}, OUT, (16, 128), dtype=torch.float64, **options)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_raw_predictions_are_proportional_to_their_input(activation):
    found = magnitude_diagnostics(net(activation=activation), GRID)
    assert found.r2 > 0.999
    slopes = found.norms[1:] / GRID[1:, 0]
    assert float(slopes.std() / slopes.mean()) < 1e-5
    torch.testing.assert_close(found.norms, found.slope * GRID[:, 0])
    assert found.correlation == pytest.approx(1)
    # standard deviation over mean of 101 equidistant values; of U(0, 1) it is sqrt(1/3)
    assert found.cv == pytest.approx(math.sqrt(1 / 3), abs=0.01)
    for name, norms in found.by_tensor.items():
        assert name.endswith("bias") == (not norms.any())


@pytest.mark.parametrize("seed", range(3))
def test_magnitude_invariant_ones_hardly_vary(seed):
    assert magnitude_diagnostics(net(seed, encoding="cos|sin", residual=True), GRID).cv < 0.05


def test_norms_of_tensors_add_up():
    found = magnitude_diagnostics(net(residual=True), GRID[:3])
    total = sum(each.square() for each in found.by_tensor.values()).sqrt()
    torch.testing.assert_close(found.norms, total)


def test_what_does_not_vary_has_no_correlation():
    made = net(residual=True)
    torch.nn.init.zeros_(made.head.weight)
    found = magnitude_diagnostics(made, GRID)
    assert found.correlation == pytest.approx(0, abs=1e-6)
    assert found.cv == pytest.approx(0, abs=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="two values"):
        magnitude_diagnostics(net(), GRID[:1])
    two = HyperNetwork({"a": (1,), "b": (1,)}, {"w": (2,)}, ())
    with pytest.raises(ValueError, match="one hyper-input"):
        magnitude_diagnostics(two, GRID)
