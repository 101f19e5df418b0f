"""Each check of the contract suite finds the fault that it is there for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.parts.linear import GROUP, LowRankLinear
from replank.testing import check_part

EXAMPLE = {"in_features": 5, "out_features": 4, "rank": 2}


class DeadParameter(LowRankLinear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dead = nn.Parameter(torch.zeros(1))


class SeesTheBatch(LowRankLinear):
    def forward(self, input):
        return super().forward(input) - super().forward(input).mean()


class DrawsNumbers(LowRankLinear):
    def forward(self, input):
        return super().forward(input) + 0 * torch.rand(1, dtype=input.dtype)


class WrongFormula(LowRankLinear):
    def parameter_formula(self):
        return super().parameter_formula() + 1


class WrongGradient(LowRankLinear):
    def forward(self, input):
        return super().forward(input) + (self.left - self.left.detach()).sum()


class ForgetsToReset(LowRankLinear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.reset_parameters = lambda: None


class ForgetsDevice(LowRankLinear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("table", torch.zeros(2), persistent=False)


class TakesAnyShape(LowRankLinear):
    def _check_input(self, input):
        pass


class AddsADimension(LowRankLinear):
    def forward(self, input):
        return super().forward(input)[None]


class RaisesPrecision(LowRankLinear):
    def forward(self, input):
        return super().forward(input).double()


class Terse(LowRankLinear):
    """Linear map."""


class Shy(LowRankLinear):
    def extra_repr(self):
        return ""


class KeepsStateElsewhere(LowRankLinear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.elsewhere = torch.randn(1, dtype=torch.float64)

    def reset_parameters(self):
        super().reset_parameters()
        self.elsewhere = torch.randn(1, dtype=torch.float64)

    def forward(self, input):
        return super().forward(input) + self.elsewhere


class ReadsMemory(LowRankLinear):
    def forward(self, input):
        return super().forward(input.as_strided(input.shape, torch.empty(input.shape).stride()))


class BranchesOnData(LowRankLinear):
    def forward(self, input):
        return super().forward(input) if input.sum() < 1e9 else input


class LosesPrecision(LowRankLinear):
    def forward(self, input):
        return super().forward(input) + 1e-6


class OverflowsInHalf(LowRankLinear):
    def forward(self, input):
        return super().forward(input) / (
            1 if input.dtype == torch.float64 or not torch.is_autocast_enabled("cpu") else 0
        )


class AcceptsAnything(LowRankLinear):
    @classmethod
    def like(cls, old, **options):
        return cls(**EXAMPLE, dtype=torch.float64)


class NotPicklable(LowRankLinear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.handle = (number for number in range(3))


FAULTS = {
    DeadParameter: "every_parameter_moves_the_output",
    SeesTheBatch: "rows_do_not_see_each_other",
    DrawsNumbers: "randomness",
    WrongFormula: "parameter_count",
    WrongGradient: "gradients",
    ForgetsToReset: "randomness",
    ForgetsDevice: "moves_between_devices",
    TakesAnyShape: "refuses_what_the_layer_refuses",
    AddsADimension: "output_is_like_the_layers",
    RaisesPrecision: "single_precision",
    Terse: "documentation",
    Shy: "repr",
    KeepsStateElsewhere: "state_dict",
    ReadsMemory: "memory_layout_does_not_matter",
    BranchesOnData: "functional_call_and_vmap",
    LosesPrecision: "agrees_with_its_reference",
    OverflowsInHalf: "autocast",
    AcceptsAnything: "like",
    NotPicklable: "copies",
}


def checks(kind):
    return dict(check_part(kind, EXAMPLE, GROUP))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        checks(kind)[name]()


@pytest.mark.parametrize("name", sorted(set(FAULTS.values())))
def test_the_sound_part_passes(name):
    checks(LowRankLinear)[name]()
