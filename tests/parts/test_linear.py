from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from replank.parts.linear import GROUP, LowRankLinear, PooledLinear, SoftmaxLinear


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


@settings(max_examples=60, deadline=None)
@given(n_in=st.integers(1, 12), n_out=st.integers(1, 8), bias=st.booleans(), budget=st.integers(0, 120))
def test_same_size_is_the_largest_that_fits(n_in, n_out, bias, budget):
    old = nn.Linear(n_in, n_out, bias=bias)
    smallest = n_out * (1 + bias)
    if budget < smallest:
        with pytest.raises(ValueError, match=f"has {smallest} parameters, got budget={budget}"):
            GROUP.same_size(old, budget)
        return
    rival = GROUP.same_size(old, budget)
    assert count(rival) <= budget
    assert rival(torch.zeros(2, n_in)).shape == (2, n_out)
    if budget >= count(old):
        assert type(rival) is nn.Linear
    elif isinstance(rival, LowRankLinear):
        assert count(rival) + n_in + n_out > budget or rival.rank == min(n_in, n_out)
    else:
        assert isinstance(rival, PooledLinear)
        assert budget < n_in + n_out + n_out * bias
        assert count(rival) + n_out > budget or rival.n_pools == n_in


def test_low_rank_weight_starts_at_the_scale_of_a_linear_layers():
    torch.manual_seed(0)
    weight = LowRankLinear(300, 200, rank=20).dense_weight()
    torch.testing.assert_close(weight.var().item(), nn.Linear(300, 200).weight.var().item(), rtol=0.1, atol=0)
    assert torch.linalg.matrix_rank(weight) == 20


def test_softmax_outputs_are_probabilities_above_the_bias():
    part = SoftmaxLinear(6, 4).double()
    outputs = part(10 * torch.randn(5, 6, dtype=torch.float64)) - part.bias
    assert ((outputs >= 0) & (outputs <= 1)).all()
    torch.testing.assert_close(outputs.sum(-1), torch.ones(5, dtype=torch.float64))


def test_like_takes_over_bias_and_dtype():
    part = LowRankLinear.like(nn.Linear(5, 4, bias=False, dtype=torch.float64), rank=2)
    assert part.bias is None
    assert part.left.dtype == torch.float64


@pytest.mark.parametrize(
    ("build", "law"),
    [
        (lambda: LowRankLinear(5, 4, rank=5), "1..4 for a 4x5 weight, got rank=5"),
        (lambda: LowRankLinear(5, 4, rank=0), "rank=0"),
        (lambda: PooledLinear(5, 4, n_pools=6), "1..in_features=5, got n_pools=6"),
        (lambda: PooledLinear(5, 4, n_pools=0), "n_pools=0"),
        (lambda: SoftmaxLinear(5, 1), "out_features=1"),
    ],
    ids=["rank-too-large", "no-rank", "more-pools-than-features", "no-pools", "softmax-of-one"],
)
def test_bad_arguments_are_refused(build, law):
    with pytest.raises(ValueError, match=law):
        build()
