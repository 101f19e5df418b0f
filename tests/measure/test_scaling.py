from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank.measure import cost, crossover, forward_flops, log_log_slope

SIZES = [16, 32, 64, 128, 256]


@given(power=st.floats(-3, 3), factor=st.floats(1e-3, 1e3))
def test_the_slope_of_a_power_law_is_its_power(power, factor):
    assert log_log_slope(SIZES, [factor * size**power for size in SIZES]) == pytest.approx(power, abs=1e-9)


@given(where=st.floats(20, 200), power=st.floats(0.1, 2))
def test_two_power_laws_cross_where_they_are_equal(where, power):
    cheap_later = [where**power * size for size in SIZES]
    cheap_first = [size ** (1 + power) for size in SIZES]
    assert crossover(SIZES, cheap_later, cheap_first) == pytest.approx(where, rel=1e-9)
    assert crossover(SIZES, cheap_first, cheap_later) is None


def test_what_is_cheaper_everywhere_is_so_from_the_smallest_size():
    assert crossover(SIZES, [1.0] * 5, [2.0] * 5) == 16


def test_only_the_last_crossing_counts():
    assert crossover([1, 10, 100, 1000], [1, 3, 1, 1], [2, 2, 2, 2]) > 10


def test_equal_costs_are_no_advantage():
    assert crossover(SIZES, [1.0] * 5, [1.0] * 5) is None


@pytest.mark.parametrize("backward", [False, True])
def test_the_cost_of_a_linear_layer(backward):
    layer, batch = nn.Linear(8, 4), torch.ones(3, 8)
    found = cost(layer, batch, backward=backward, repeats=1)
    assert found.parameters == 36
    assert found.flops == forward_flops(layer, batch) == 2 * 3 * 8 * 4
    assert found.seconds > 0
    assert found.peak_bytes >= 0
    assert (layer.weight.grad is not None) == backward


def test_memory_is_seen():
    wide = nn.Linear(8, 4_000_000, bias=False)
    assert cost(wide, torch.ones(4, 8), repeats=1).peak_bytes > 0.8 * 4 * 4_000_000 * 4


def test_a_formula_of_ones_own_counts():
    assert cost(nn.Linear(8, 4), torch.ones(3, 8), repeats=1, flops=7).flops == 7


@pytest.mark.parametrize(
    ("sizes", "values"),
    [
        ([1, 2], [1.0]),
        ([1], [1.0]),
        ([2, 2], [1.0, 1.0]),
        ([1, 2], [0.0, 1.0]),
        ([0, 1], [1.0, 1.0]),
        ([1, 2], [np.nan, 1]),
    ],
)
def test_what_has_no_logarithm_is_refused(sizes, values):
    with pytest.raises(ValueError, match="log_log_slope"):
        log_log_slope(sizes, values)
    with pytest.raises(ValueError, match="crossover"):
        crossover(sizes, values, values)


def test_sizes_must_rise_and_passes_be_repeated():
    with pytest.raises(ValueError, match="rise"):
        crossover([2, 1], [1, 1], [1, 1])
    with pytest.raises(ValueError, match="repeats=0"):
        cost(nn.Linear(1, 1), torch.ones(1, 1), repeats=0)
