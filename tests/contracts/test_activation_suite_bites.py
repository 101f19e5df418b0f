"""Each check of activations finds the fault that it is there for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from replank.parts.activation import GROUP, AdaptiveTanh, Gaussian
from replank.testing import activation_contracts, check_part


class TakesVectorsOnly(Gaussian):
    def forward(self, input):
        return super().forward(input.reshape(-1, input.shape[-1])).reshape(input.shape)


class TakesIntegers(Gaussian):
    def _check_input(self, input):
        pass


class TakesAnyPrecision(AdaptiveTanh):
    def _check_input(self, input):
        super()._check_input(input.to(self.a.dtype) if input.is_floating_point() else input)


class RaisesPrecision(Gaussian):
    def forward(self, input):
        return super().forward(input.double())


class ForgetsToReset(AdaptiveTanh):
    def reset_parameters(self):
        if not hasattr(self, "was_set"):
            super().reset_parameters()
            self.was_set = True


class DrawsNumbers(Gaussian):
    def forward(self, input):
        return super().forward(input) + 0 * torch.rand_like(input)


class KeepsStateElsewhere(AdaptiveTanh):
    def forward(self, input):
        self.__dict__.setdefault("first", self.a.detach().clone())
        return super().forward(input) + self.first


class SeesItsRow(Gaussian):
    def forward(self, input):
        return super().forward(input) + 1e-6 * input.sum()


class SeesWhereItStands(Gaussian):
    def forward(self, input):
        return super().forward(input) + 1e-6 * torch.arange(input.numel()).reshape(input.shape)


class WrongSign(Gaussian):
    def derivative(self, input):
        return -super().derivative(input)


class ClaimsTooMuch(Gaussian):
    bounds = (0.0, 0.9)


class ClaimsTooLittle(Gaussian):
    bounds = (-10.0, 1.0)


class ClaimsToRise(Gaussian):
    is_monotone = True


class HidesThatItRises(AdaptiveTanh):
    is_monotone = False


class ClaimsZero(Gaussian):
    is_zero_at_zero = True


class Overflows(Gaussian):
    def forward(self, input):
        return super().forward(input) * input.exp() / input.exp()


class DeadParameter(AdaptiveTanh):
    def __init__(self, **options):
        super().__init__(**options)
        self.dead = nn.Parameter(torch.zeros((), dtype=options.get("dtype"), device=options.get("device")))


FAULTS = {
    TakesVectorsOnly: "refuses_what_the_layer_refuses",
    TakesIntegers: "refuses_other_dtypes",
    TakesAnyPrecision: "refuses_other_dtypes",
    RaisesPrecision: "refuses_other_dtypes",
    ForgetsToReset: "randomness",
    DrawsNumbers: "randomness",
    KeepsStateElsewhere: "state_dict",
    SeesItsRow: "elementwise",
    SeesWhereItStands: "elementwise",
    WrongSign: "derivative",
    ClaimsTooMuch: "bounds",
    ClaimsTooLittle: "bounds",
    ClaimsToRise: "monotone",
    HidesThatItRises: "monotone",
    ClaimsZero: "zero_at_zero",
    Overflows: "far_out",
    DeadParameter: "every_parameter_moves_the_output",
}


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_of_an_activation_is_found(kind, name):
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        dict(check_part(kind, {}, GROUP))[name]()


@pytest.mark.parametrize("name", sorted(set(FAULTS.values())))
@pytest.mark.parametrize("kind", [Gaussian, AdaptiveTanh])
def test_the_sound_activation_passes(kind, name):
    dict(check_part(kind, {}, GROUP))[name]()


def test_every_check_of_activations_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(activation_contracts) if name.startswith("check_")}
    assert own <= set(FAULTS.values())
