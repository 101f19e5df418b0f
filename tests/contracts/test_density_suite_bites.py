"""Each check of densities finds the fault that it is there for."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd.gradcheck import GradcheckError

from replank.parts.density import GROUP, DensityPart, GRUDensity, MADEDensity
from replank.testing import check_part, density_contracts

EXAMPLES = {
    GRUDensity: {"n_sites": 3, "n_hidden": 2},
    MADEDensity: {"n_sites": 3, "n_hidden": 2},
}


class CountsTooMuch(GRUDensity):
    def log_prob(self, a):
        return super().log_prob(a) + 1e-6


class SaysItIsNotNormalised(GRUDensity):
    normalised = False


class WeighsDifferently(GRUDensity):
    def log_weight(self, a):
        return 1.1 * self.log_prob(a)


class SamplesTheProduct(GRUDensity):
    def step(self, site, previous, state):
        return super().step(site, None, state)


class SamplesWithOtherLogarithms(GRUDensity):
    def sample(self, n, generator=None):
        a, log = super().sample(n, generator)
        return a, log.exp()


class BeginsElsewhere(GRUDensity):
    def reset_parameters(self):
        super().reset_parameters()
        nn.init.normal_(self.head.weight)


class SeesTheFuture(GRUDensity):
    def logits(self, a):
        return super().logits(a) + 0.01 * a[:, -1:, None] * torch.arange(self.n_outcomes)


class StepsAstray(GRUDensity):
    def step(self, site, previous, state):
        logits, state = super().step(site, previous, state)
        return logits, 0.99 * state


class KeepsTheBatch(GRUDensity):
    def log_prob(self, a):
        return super().log_prob(a)[..., None]


class TakesAnything(GRUDensity):
    def _checked(self, a):
        return a.long().clamp(0, self.n_outcomes - 1)[..., : self.n_sites].reshape(-1, self.n_sites)


class TakesAnyInterface(GRUDensity):
    def _set_interface(self, n_sites, n_outcomes, initial):
        self.n_sites, self.n_outcomes, self.initial = n_sites, n_outcomes, None


class LosesPrecision(GRUDensity):
    def logits(self, a):
        return super().logits(a) * (1 + 1e-6)


class WrongGradient(GRUDensity):
    def log_prob(self, a):
        bias = self.head.bias
        return super().log_prob(a) + (bias - bias.detach()).sum()


class DeadParameter(GRUDensity):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dead = nn.Parameter(torch.zeros(1, dtype=self.head.bias.dtype))


class SeesTheBatch(GRUDensity):
    def logits(self, a):
        return super().logits(a) + 0.01 * a[-1:, :1, None] * torch.arange(self.n_outcomes)


class RaisesPrecision(GRUDensity):
    def log_prob(self, a):
        return super().log_prob(a).double()


class AsksForValues(MADEDensity):
    def logits(self, a):
        return super().logits(a) if int(a.sum()) >= 0 else super().logits(a) + 1


class DrawsFromTheDefault(GRUDensity):
    def sample(self, n, generator=None):
        return super().sample(n)


class AcceptsAnything(GRUDensity):
    @classmethod
    def like(cls, old, **options):
        return cls(3, n_hidden=2, dtype=torch.float64)


class ReadsMemory(GRUDensity):
    def log_prob(self, a):
        return super().log_prob(a.as_strided(a.shape, torch.empty(a.shape).stride()))


class ForgetsDevice(GRUDensity):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("table", torch.zeros(2), persistent=False)


class KeepsStateElsewhere(GRUDensity):
    def reset_parameters(self):
        super().reset_parameters()
        self.elsewhere = torch.rand(1, dtype=torch.float64)

    def log_prob(self, a):
        return super().log_prob(a) + self.elsewhere


class NotPicklable(GRUDensity):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.handle = (number for number in range(3))


class WrongFormula(GRUDensity):
    def parameter_formula(self):
        return super().parameter_formula() + 1


class Shy(GRUDensity):
    def extra_repr(self):
        return ""

    def __repr__(self):
        return "Shy()"


class Terse(GRUDensity):
    """Density."""


class SmallFormula(GRUDensity):
    def parameter_formula(self):
        return 5


FAULTS = {
    CountsTooMuch: "probabilities_sum_to_one",
    SaysItIsNotNormalised: "weights_are_probabilities",
    WeighsDifferently: "weights_are_probabilities",
    SamplesTheProduct: "samples_follow_the_probabilities",
    SamplesWithOtherLogarithms: "samples_come_with_their_weights",
    BeginsElsewhere: "it_begins_as_a_product",
    SeesTheFuture: "conditionals_do_not_see_the_future",
    StepsAstray: "steps_agree_with_whole_strings",
    KeepsTheBatch: "shapes",
    TakesAnything: "refuses_other_strings",
    TakesAnyInterface: "refuses_other_interfaces",
    LosesPrecision: "agrees_with_its_reference",
    WrongGradient: "gradients",
    DeadParameter: "every_parameter_moves_the_output",
    SeesTheBatch: "rows_do_not_see_each_other",
    RaisesPrecision: "single_precision",
    AsksForValues: "functional_call_and_vmap",
    DrawsFromTheDefault: "randomness",
    AcceptsAnything: "like",
    ReadsMemory: "memory_layout_does_not_matter",
    ForgetsDevice: "moves_between_devices",
    KeepsStateElsewhere: "state_dict",
    NotPicklable: "copies",
    WrongFormula: "parameter_count",
    Shy: "repr",
    Terse: "documentation",
    SmallFormula: "same_size",
}


def checks(kind):
    (example,) = (example for base, example in EXAMPLES.items() if issubclass(kind, base))
    return dict(check_part(kind, example, GROUP))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises((AssertionError, GradcheckError, RuntimeError, TypeError, ValueError)):
        checks(kind)[name]()


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("name", sorted(checks(GRUDensity)))
def test_the_sound_part_passes(kind, name):
    checks(kind)[name]()


def test_every_check_of_densities_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(density_contracts) if name.startswith("check_")}
    assert own | set(density_contracts.COMMON) == set(FAULTS.values()) == set(checks(GRUDensity))
    assert issubclass(GRUDensity, DensityPart)
