"""Every extrapolator with each of its examples through the contract suite, found by looking; and the suite bites."""

from __future__ import annotations

import pytest
import torch

from replank.parts.extrapolator import extrapolators
from replank.parts.extrapolator.linear import LinearExtrapolator
from replank.parts.extrapolator.regression import RegressionExtrapolator
from replank.testing import check_extrapolator, extrapolator_contracts

CHECKS = [
    pytest.param(check, id=f"{kind.__name__}-{number}-{name}")
    for kind in extrapolators().values()
    for number, example in enumerate(kind.examples())
    for name, check in check_extrapolator(kind, example)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_those_at_hand_are_found():
    assert {"NoExtrapolator", "RichardsonExtrapolator", "NeuralExtrapolator"} <= set(extrapolators())
    assert all(kind.examples() for kind in extrapolators().values())


# -- faults ------------------------------------------------------------------------------------------------------------


class AddsADimension(LinearExtrapolator):
    def predict(self, at=0.0):
        return super().predict(at)[None]


class TakesLess(LinearExtrapolator):
    def _check(self, scale, values):
        super()._check(
            scale.clamp(min=1e-3) if self.range == "full" else scale + (1 - scale.min()).clamp(min=0), values
        )


class TakesEqualScales(LinearExtrapolator):
    def _check(self, scale, values):
        if len(scale) == len(set(scale.tolist())):
            super()._check(scale, values)


class TakesTooFew(LinearExtrapolator):
    def _check(self, scale, values):
        if len(scale) != 1:
            super()._check(scale, values)


class Unsorted(LinearExtrapolator):
    def fit(self, scale, values, descriptors=None):
        return super().fit(scale.sort().values, values, descriptors)


class SeesTheBatch(LinearExtrapolator):
    def _predict(self, at):
        return super()._predict(at) - 1e-3 * self._rows.mean()


class MovesConstants(LinearExtrapolator):
    def _predict(self, at):
        return super()._predict(at) + 1e-3


class SeesNothing(LinearExtrapolator):
    def _predict(self, at):
        return self._rows.new_ones(len(self._rows))


class DrawsNumbers(LinearExtrapolator):
    def _predict(self, at):
        return super()._predict(at) + 0 * torch.rand(())


class Remembers(LinearExtrapolator):
    def _fit(self, scale, rows, descriptors):
        self.n_fits = getattr(self, "n_fits", 0) + 1
        super()._fit(scale, rows * self.n_fits, descriptors)


class PredictsAnyway(LinearExtrapolator):
    def predict(self, at=0.0):
        return super().predict(at) if hasattr(self, "_lead") else torch.zeros(())


class NotPicklable(LinearExtrapolator):
    def _fit(self, scale, rows, descriptors):
        self.handle = (number for number in range(3))
        super()._fit(scale, rows, descriptors)


class WeighsTooMuch(LinearExtrapolator):
    def weights(self, scale, at=0.0):
        return super().weights(scale, at) * 1.01


class HasLearnedBefore(RegressionExtrapolator):
    """Source: none."""

    def _predict(self, at):
        return self._predicted(self._rows, None)


class Terse(LinearExtrapolator):
    """A line."""


FAULTS = {
    AddsADimension: "shapes_and_dtypes",
    TakesLess: "refuses_less_noise_than_the_devices",
    TakesEqualScales: "refuses_what_can_not_be_fitted",
    TakesTooFew: "refuses_too_few_scales",
    Unsorted: "order_does_not_matter",
    SeesTheBatch: "rows_do_not_see_each_other",
    MovesConstants: "constants_stay",
    SeesNothing: "values_matter",
    DrawsNumbers: "randomness",
    Remembers: "a_fit_forgets_the_last",
    PredictsAnyway: "predict_comes_after_fit",
    NotPicklable: "copies",
    WeighsTooMuch: "weights",
    HasLearnedBefore: "learning",
    Terse: "documentation",
}


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_the_fault_is_found(kind, name):
    with pytest.raises((AssertionError, TypeError)):
        dict(check_extrapolator(kind, {}))[name]()


def test_every_check_has_a_fault():
    own = {name.removeprefix("check_") for name in vars(extrapolator_contracts) if name.startswith("check_")}
    assert own - {"extrapolator"} == set(FAULTS.values())
