from __future__ import annotations

import pytest
import torch
from torch import nn

from replank import part, swap
from replank.errors import UnknownName
from replank.features import RandomFeatureNet
from replank.parts.linear import RandomFeatureLinear
from replank.parts.sampler.data_driven import DataDrivenSampler
from replank.parts.sampler.kink import KinkSampler
from replank.parts.sampler.uniform_band import UniformBandSampler

F64 = torch.float64


def host() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))


def trained(model: nn.Module, steps: int = 20) -> nn.Module:
    x = torch.linspace(-1, 1, 24).reshape(8, 3)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()
    return model


def test_training_moves_the_read_out_and_no_node():
    layer = RandomFeatureLinear(3, 2, n_nodes=5)
    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}
    assert {"a", "b"} <= set(layer.state_dict())
    assert not any(each.requires_grad for each in layer.buffers())
    a, b, weight = layer.a.clone(), layer.b.clone(), layer.weight.detach().clone()
    trained(layer)
    assert torch.equal(layer.a, a)
    assert torch.equal(layer.b, b)
    assert not torch.equal(layer.weight, weight)


def test_nodes_that_are_not_frozen_begin_alike_and_move():
    drawn = []
    for frozen in (True, False):
        torch.manual_seed(3)
        drawn.append(RandomFeatureLinear(3, 2, n_nodes=5, frozen=frozen))
    x = torch.rand(4, 3)
    assert torch.equal(drawn[0](x), drawn[1](x))
    start = drawn[1].a.detach().clone()
    assert not torch.equal(trained(drawn[1]).a, start)


def test_it_is_a_random_feature_net_with_a_bias():
    x = torch.rand(9, 2, dtype=F64)
    layer = RandomFeatureLinear(2, 1, n_nodes=4, sampler=UniformBandSampler(2.0), activation="gaussian", dtype=F64)
    net = RandomFeatureNet(4, UniformBandSampler(2.0), activation="gaussian").fit(x, x)
    net.a, net.b, net.weight = layer.a, layer.b, layer.weight.detach().T
    torch.testing.assert_close(layer(x), net(x) + layer.bias)


def test_it_takes_the_place_of_a_linear_layer():
    random = part(RandomFeatureLinear, n_nodes=16, sampler=KinkSampler(2.0, -1.0, 1.0), activation="relu")
    model = swap(host(), "0", random, example=torch.zeros(1, 3))
    assert model[0].bias is not None
    assert torch.equal(model[2].weight, host()[2].weight)
    assert sum(each.numel() for each in model[0].parameters()) == 8 * 16 + 8


def test_every_reset_draws_other_nodes():
    layer = RandomFeatureLinear(3, 2, n_nodes=5)
    before = layer.a.clone()
    layer.reset_parameters()
    assert not torch.equal(layer.a, before)


def test_a_sampler_that_has_seen_data_may_draw():
    sampler = DataDrivenSampler()
    with pytest.raises(ValueError, match=r"must see data first, got none yet. Call its .fit\(x, y\)"):
        RandomFeatureLinear(3, 2, n_nodes=5, sampler=sampler)
    x = torch.rand(40, 3)
    assert RandomFeatureLinear(3, 2, n_nodes=5, sampler=sampler.fit(x, x.sum(1)))(x).shape == (40, 2)


def test_wrong_nodes_are_refused():
    with pytest.raises(ValueError, match="`n_nodes` must be a positive integer, got n_nodes=0"):
        RandomFeatureLinear(3, 2, n_nodes=0)
    with pytest.raises(UnknownName, match="unknown activation 'step'"):
        RandomFeatureLinear(3, 2, n_nodes=1, activation="step")
