from __future__ import annotations

import torch
from torch import nn

from replank.measure import kept_bytes
from replank.parts.convolution import SeparableFilterConv2d


def test_a_linear_layer_keeps_its_input():
    assert kept_bytes(nn.Linear(10, 7), torch.zeros(5, 10)) == 5 * 10 * 4


def test_a_chain_keeps_every_input_of_a_layer_and_no_parameters():
    net = nn.Sequential(nn.Linear(10, 20), nn.Linear(20, 3), nn.Linear(3, 2)).double()
    assert kept_bytes(net, torch.zeros(6, 10, dtype=torch.float64)) == 8 * 6 * (10 + 20 + 3)


def test_what_shares_its_memory_counts_once():
    class Twice(nn.Module):
        def forward(self, x):
            return x * x

    x = torch.ones(100, requires_grad=True)
    assert kept_bytes(Twice(), x) == 400


def test_nothing_is_kept_where_nothing_is_trained():
    assert kept_bytes(nn.Linear(3, 3).requires_grad_(False), torch.zeros(2, 3)) == 0


def test_one_way_filters_keep_the_input_of_each_stage():
    dense, one_way = nn.Conv2d(4, 4, 3, padding=1), SeparableFilterConv2d(4, 4, 3, padding=1)
    x = torch.zeros(2, 4, 8, 8)
    one_map = x.numel() * 4
    assert kept_bytes(dense, x) == one_map
    assert kept_bytes(one_way, x) == 3 * one_map


def test_the_module_and_its_gradients_are_left_as_they_were():
    layer = nn.Linear(3, 3)
    with torch.no_grad():
        kept_bytes(layer, torch.zeros(2, 3))
    assert layer.weight.grad is None
    assert layer.training
