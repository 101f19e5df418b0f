"""Linear layers whose weight is generated: their scale at the start, their size, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from replank import part, swap
from replank.measure.flops import forward_flops
from replank.parts.hypernetwork import encode_hyper_input
from replank.parts.linear import HyperLinear


def layer(seed=0, **options):
    torch.manual_seed(seed)
    return HyperLinear(**{"in_features": 20, "out_features": 32, **options}, dtype=torch.float64)


def test_a_generated_weight_varies_as_a_linear_layers():
    weights = torch.stack([layer(seed, n_blocks=4, hidden_size=16).dense_weight().detach() for seed in range(60)])
    assert float(weights.std()) == pytest.approx(1 / math.sqrt(3 * 20), rel=0.1)
    assert float(weights.mean()) == pytest.approx(0, abs=0.01)


def test_each_block_comes_from_its_own_code():
    made = layer(n_blocks=4)
    before = made.dense_weight().detach().clone()
    with torch.no_grad():
        made.codes[2] += 1
    moved = (made.dense_weight() != before).any(1)
    assert moved.tolist() == [row // 8 == 2 for row in range(32)]


def test_codes_are_encoded_with_constant_norm():
    made = layer(n_blocks=4, code_size=3)
    norms = encode_hyper_input(made.codes.detach().sigmoid(), made.encoding).norm(dim=1)
    torch.testing.assert_close(norms, torch.full((4,), math.sqrt(3), dtype=torch.float64))
    assert made.generator.encoded_size == 6


@pytest.mark.parametrize(("n_blocks", "fewer"), [(1, False), (32, True)])
def test_many_blocks_are_smaller_than_the_layer(n_blocks, fewer):
    full = nn.Linear(20, 32)
    assert (layer(n_blocks=n_blocks).parameter_formula() < sum(each.numel() for each in full.parameters())) == fewer


def test_generating_the_weight_takes_as_many_operations_as_applying_it_to_h_samples():
    made = layer(n_blocks=4, code_size=3, hidden_size=16)
    x = torch.zeros(7, 20, dtype=torch.float64)
    codes, generated, applied = 4 * 6 * 16, 16 * 20 * 32, 7 * 20 * 32
    assert forward_flops(made, x) == 2 * (codes + generated + applied)


def test_it_can_be_swapped_in_and_trained():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4))
    new = swap(model, "2", part(HyperLinear, n_blocks=2), example=torch.zeros(3, 5))
    assert torch.equal(new[0].weight, model[0].weight)
    optimiser = torch.optim.Adam(new.parameters(), lr=0.02)
    x = torch.linspace(-1, 1, 40).reshape(8, 5)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = (new(x) - 1).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_blocks": 5}, "divide out_features=32, got n_blocks=5"),
        ({"n_blocks": 0}, "n_blocks=0"),
        ({"code_size": 0}, "code_size=0"),
        ({"hidden_size": -1}, "hidden_size=-1"),
        ({"encoding": "sine"}, "encoding='sine'"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(ValueError, match=words):
        layer(**options)
