from __future__ import annotations

import pytest
import torch
from scipy.stats import norm
from torch import nn

from replank.measure import FunctionalReLUWarning, dead_neuron_rate


def layer(n=50, bias=0.0, n_inputs=20, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(n_inputs, n), nn.ReLU())
    nn.init.normal_(model[0].weight)
    nn.init.constant_(model[0].bias, bias)
    return model


X = torch.randn(4000, 20, generator=torch.Generator().manual_seed(1))


def test_half_of_centred_units_are_zero():
    found = dead_neuron_rate(layer(), [X])
    assert found.static == 0
    assert found.dynamic == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("mu", [-1.0, 0.3, 2.0])
def test_shifted_units_follow_the_normal_distribution(mu):
    model = layer()
    with torch.no_grad():
        model[0].weight.div_(model[0].weight.norm(dim=1, keepdim=True))
        model[0].bias.fill_(mu)
    assert dead_neuron_rate(model, [X]).total == pytest.approx(norm.cdf(-mu), abs=0.01)


def test_a_unit_without_weights_is_static_unless_its_bias_revives_it():
    model = layer()
    with torch.no_grad():
        model[0].weight[3] = 0
        model[0].weight[4] = 0
        model[0].bias[4] = 0.1
    found = dead_neuron_rate(model, [X])
    assert found.static == 1 / 50
    assert found.total == found.static + found.dynamic
    assert found.total == pytest.approx(float((model(X) == 0).float().mean()), abs=1e-7)


def test_batches_do_not_matter_and_hooks_are_gone():
    model = layer().train()
    assert dead_neuron_rate(model, [X]) == dead_neuron_rate(model, [(each, None) for each in X.split(700)])
    assert not model[1]._forward_hooks
    assert model.training


def test_convolutions_count_positions_and_normalisation_is_seen_through():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1] = 0
        model[0].bias[1] = -1
    found = dead_neuron_rate(model, [torch.randn(10, 1, 6, 6)])
    assert found.per_layer["2"].n_units == 64
    assert found.static == 0.25


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(20, 8), nn.Linear(8, 8)
        self.relu = nn.ReLU()

    def forward(self, x):
        return torch.relu(self.two(self.relu(self.one(x)))).relu()


def test_functional_rectifiers_are_seen_by_tracing():
    model = Functional()
    with pytest.warns(FunctionalReLUWarning, match="traced=True"):
        assert list(dead_neuron_rate(model, [X]).per_layer) == ["relu"]
    traced = dead_neuron_rate(model, [X], traced=True)
    assert len(traced.per_layer) == 3
    last = float((model(X) == 0).float().mean())
    assert list(traced.per_layer.values())[-1].total == pytest.approx(last, abs=1e-7)


def test_bad_input():
    with pytest.raises(ValueError, match="GELU"):
        dead_neuron_rate(nn.Sequential(nn.Linear(20, 2), nn.GELU()), [X])
    with pytest.raises(ValueError, match="at least one sample"):
        dead_neuron_rate(layer(), [])
    with pytest.raises(ValueError, match="layers"):
        dead_neuron_rate(layer(), [X], layers=["7"])
