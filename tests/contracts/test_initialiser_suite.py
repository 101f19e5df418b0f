"""Every initialiser with each of its examples through the contract suite, found by looking; and the suite bites."""

from __future__ import annotations

import pytest
import torch

from replank.parts.initialiser import initialisers
from replank.parts.initialiser.xavier_normal import XavierNormalInitialiser
from replank.testing import check_initialiser, initialiser_contracts

CHECKS = [
    pytest.param(check, id=f"{kind.__name__}-{number}-{name}")
    for kind in initialisers().values()
    for number, example in enumerate(kind.examples())
    for name, check in check_initialiser(kind, example)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_the_initialisers_at_hand_are_found():
    names = ["BiasHyper", "HyperfanIn", "KaimingNormal", "KaimingUniform", "Orthogonal", "PerTensorFanOut"]
    assert {f"{name}Initialiser" for name in (*names, "XavierNormal", "XavierUniform", "Zeros")} <= set(initialisers())
    assert all(kind.examples() for kind in initialisers().values())


# -- faults ------------------------------------------------------------------------------------------------------------


class FillsACopy(XavierNormalInitialiser):
    def __call__(self, target, generator=None):
        return super().__call__(target.clone() if isinstance(target, torch.Tensor) else target, generator)


class LeavesARow(XavierNormalInitialiser):
    def _fill(self, weight, generator):
        super()._fill(weight[1:], generator)


class ForgetsBiases(XavierNormalInitialiser):
    def _fill_bias(self, bias, generator):
        pass


class MovesNormalisation(XavierNormalInitialiser):
    def _fill_module(self, module, generator):
        super()._fill_module(module, generator)
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.zero_()


class SeedsItself(XavierNormalInitialiser):
    def _fill(self, weight, generator):
        super()._fill(weight, torch.Generator().manual_seed(0))


class DrawsFromEverybodysStream(XavierNormalInitialiser):
    def _fill(self, weight, generator):
        super()._fill(weight, generator)
        weight += 0 * torch.rand(())


class TenPerCentTooLarge(XavierNormalInitialiser):
    def _fill(self, weight, generator):
        super()._fill(weight, generator)
        weight *= 1.1


class Shifted(XavierNormalInitialiser):
    def _fill(self, weight, generator):
        super()._fill(weight, generator)
        weight += 0.1


class KnowsOneWidth(XavierNormalInitialiser):
    def variance(self, shape):
        return super().variance((shape[0], 6))


class TakesVectors(XavierNormalInitialiser):
    def _check(self, weight):
        if not weight.is_floating_point():
            super()._check(weight)

    def _fill(self, weight, generator):
        weight.normal_(generator=generator)


class TakesIntegers(XavierNormalInitialiser):
    def _check(self, weight):
        super()._check(weight.double())

    def _fill(self, weight, generator):
        if weight.is_floating_point():
            super()._fill(weight, generator)


class NotPicklable(XavierNormalInitialiser):
    def __init__(self, **options):
        super().__init__(**options)
        self.handle = (number for number in range(3))


class Terse(XavierNormalInitialiser):
    """Values."""


class Shy(XavierNormalInitialiser):
    def options(self):
        return {}


FAULTS = {
    FillsACopy: "fills_in_place",
    LeavesARow: "fills_in_place",
    ForgetsBiases: "fills_modules",
    MovesNormalisation: "fills_modules",
    SeedsItself: "same_generator_same_values",
    DrawsFromEverybodysStream: "nothing_else_is_drawn_from",
    TenPerCentTooLarge: "variance",
    Shifted: "variance",
    KnowsOneWidth: "variance_follows_the_width",
    TakesVectors: "refuses_what_it_can_not_fill",
    TakesIntegers: "refuses_other_types",
    NotPicklable: "copies",
    Terse: "documentation",
    Shy: "documentation",
}


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_of_an_initialiser_is_found(kind, name):
    with pytest.raises((AssertionError, TypeError)):
        dict(check_initialiser(kind, {"gain": 1.5}))[name]()


def test_every_check_of_initialisers_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(initialiser_contracts) if name.startswith("check_")}
    assert own - {"initialiser"} == set(FAULTS.values())
