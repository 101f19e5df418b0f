"""Every sampler with each of its examples through the contract suite, found by looking; and the suite bites."""

from __future__ import annotations

import pytest
import torch

from replank.parts.sampler import Nodes, samplers
from replank.parts.sampler.data_driven import DataDrivenSampler
from replank.parts.sampler.uniform_band import UniformBandSampler
from replank.testing import check_sampler, sampler_contracts

CHECKS = [
    pytest.param(check, id=f"{kind.__name__}-{number}-{name}")
    for kind in samplers().values()
    for number, example in enumerate(kind.examples())
    for name, check in check_sampler(kind, example)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_the_samplers_at_hand_are_found():
    names = ["DataDriven", "Disc", "Fourier", "Kink", "Normal", "Orthogonal", "UniformBand"]
    assert {f"{name}Sampler" for name in names} <= set(samplers())
    assert all(kind.examples() for kind in samplers().values())


# -- faults ------------------------------------------------------------------------------------------------------------


class AddsADimension(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(a, b[:, None])


class SinglePrecision(UniformBandSampler):
    def _draw(self, d, m, generator):
        return Nodes(*(each.float() for each in super()._draw(d, m, generator)))


class SeedsItself(UniformBandSampler):
    def _draw(self, d, m, generator):
        return super()._draw(d, m, torch.Generator().manual_seed(0))


class DrawsFromEverybodysStream(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(a, b + 0 * torch.rand(d))


class BreaksItsBand(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(1.1 * a, b)


class StaysFarBelowItsBand(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(0.5 * a, b)


class RepeatsNodes(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(-(-d // 2), m, generator)
        return Nodes(torch.cat((a, a))[:d], torch.cat((b, b))[:d])


class DeadInput(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(torch.cat((a[:, :-1], 0 * a[:, -1:]), 1), b)


class OneSided(UniformBandSampler):
    def _draw(self, d, m, generator):
        a, b = super()._draw(d, m, generator)
        return Nodes(a.abs(), b)


class LooksAtData(UniformBandSampler):
    def fit(self, x, y):
        return self


class DrawsWithoutData(DataDrivenSampler):
    def __call__(self, d, m, generator):
        return super().__call__(d, m, generator) if self.x is not None else Nodes(torch.rand(d, m), torch.rand(d))


class IgnoresItsData(DataDrivenSampler):
    def fit(self, x, y):
        super().fit(x, y)
        self.x = torch.arange(x.numel(), dtype=torch.float64).reshape(x.shape).sin()
        self.y = self.x.sum(1, keepdim=True)
        return self


class TakesNoNode(UniformBandSampler):
    def __call__(self, d, m, generator):
        return super().__call__(max(d, 1), max(m, 1), generator)


class TakesNoGenerator(UniformBandSampler):
    def __call__(self, d, m, generator):
        return super().__call__(d, m, generator or torch.Generator())


class NotPicklable(UniformBandSampler):
    def __init__(self, lam, **options):
        super().__init__(lam, **options)
        self.handle = (number for number in range(3))


class Terse(UniformBandSampler):
    """A box."""


class Shy(UniformBandSampler):
    def options(self):
        return {}


FAULTS = {
    AddsADimension: "shapes_and_dtypes",
    SinglePrecision: "shapes_and_dtypes",
    SeedsItself: "same_generator_same_nodes",
    DrawsFromEverybodysStream: "nothing_else_is_drawn_from",
    BreaksItsBand: "band",
    StaysFarBelowItsBand: "band",
    RepeatsNodes: "nodes_differ",
    DeadInput: "nodes_differ",
    OneSided: "no_direction_is_preferred",
    LooksAtData: "data",
    DrawsWithoutData: "data",
    IgnoresItsData: "data",
    TakesNoNode: "refuses_wrong_sizes",
    TakesNoGenerator: "refuses_wrong_sizes",
    NotPicklable: "copies",
    Terse: "documentation",
    Shy: "documentation",
}


def checks(kind):
    return dict(check_sampler(kind, {"lam": 2.0} if issubclass(kind, UniformBandSampler) else {}))


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_of_a_sampler_is_found(kind, name):
    with pytest.raises((AssertionError, TypeError)):
        checks(kind)[name]()


def test_every_check_of_samplers_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(sampler_contracts) if name.startswith("check_")}
    assert own - {"sampler"} == set(FAULTS.values())
