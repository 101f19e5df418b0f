from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.measure import ParameterCounts, count_parameters


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.angles = nn.Parameter(torch.zeros(3, 5, dtype=torch.complex64))
        self.bias = nn.Parameter(torch.zeros(4))


def frozen_first() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    return model


def shared() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    return model


def card_level_0() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.Conv2d(32, 16, 3), nn.Flatten(), nn.Linear(12544, 10))


CASES = {
    "linear": (nn.Linear(5, 3), ParameterCounts(18, 18, 18)),
    "none": (nn.ReLU(), ParameterCounts(0, 0, 0)),
    "buffers do not count": (nn.BatchNorm1d(7), ParameterCounts(14, 14, 14)),
    "complex": (Complex(), ParameterCounts(trainable=19, trainable_real=34, total=19)),
    "frozen": (frozen_first(), ParameterCounts(trainable=10, trainable_real=10, total=26)),
    "shared weight": (shared(), ParameterCounts(24, 24, 24)),
    "shared module": (nn.Sequential(*[nn.Linear(2, 2)] * 3), ParameterCounts(6, 6, 6)),
    "quantum-creep, level 0": (card_level_0(), ParameterCounts(130_394, 130_394, 130_394)),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_counts(case):
    module, expected = CASES[case]
    assert count_parameters(module) == expected


def test_a_lazy_module_has_no_sizes_yet():
    with pytest.raises(ValueError, match=r"sizes of all parameters must be known, got module=LazyLinear"):
        count_parameters(nn.LazyLinear(3))
