"""Every pruner with each of its examples through the contract suite, found by looking; and the suite bites."""

from __future__ import annotations

import pytest
import torch

from replank.parts.pruning import pruners
from replank.parts.pruning.magnitude import GlobalMagnitude
from replank.testing import check_pruner, pruning_contracts

CHECKS = [
    pytest.param(check, id=f"{kind.__name__}-{number}-{name}")
    for kind in pruners().values()
    for number, example in enumerate(kind.examples())
    for name, check in check_pruner(kind, example)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_those_at_hand_are_found():
    assert {
        "GlobalMagnitude",
        "LayerMagnitude",
        "GlobalGradient",
        "LAMP",
        "RandomPruning",
        "ActivateWhilePruning",
    } <= set(pruners())


class Revives(GlobalMagnitude):
    def select(self, *arguments, **options):
        masks = super().select(*arguments, **options)
        return {name: ~mask for name, mask in masks.items()}


class RemovesOneMore(GlobalMagnitude):
    def remove(self, flat, n):
        return super().remove(flat, n + 1)


class KnowsSizes(GlobalMagnitude):
    def remove(self, flat, n):
        return flat.smallest((flat.weights.abs() - 1).abs(), n)


class Writes(GlobalMagnitude):
    def select(self, weights, *arguments, **options):
        weights["first"].mul_(2)
        return super().select(weights, *arguments, **options)


class Draws(GlobalMagnitude):
    def remove(self, flat, n):
        return flat.smallest(torch.rand(len(flat.weights)), n)


class TakesAll(GlobalMagnitude):
    def select(self, weights, start, masks, p, *, gradients=None):
        return super().select(weights, start, masks, min(max(p, 0.1), 0.9), gradients=gradients)


class Terse(GlobalMagnitude):
    """Small ones."""


FAULTS = {
    Revives: "nested",
    RemovesOneMore: "counts",
    KnowsSizes: "scale",
    Writes: "arguments_stay",
    Draws: "no_memory",
    TakesAll: "bad_input",
    Terse: "documentation",
}


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises(AssertionError):
        dict(check_pruner(kind, {}))[name]()


def test_every_check_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(pruning_contracts) if name.startswith("check_")}
    assert own - {"pruner"} == set(FAULTS.values())
