"""Every forecaster with each of its examples through the contract suite, found by looking; and the suite bites."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from replank.parts.forecaster import forecasters
from replank.parts.forecaster._interface import Forecaster
from replank.parts.forecaster.autoregression import AutoregressiveForecaster
from replank.testing import check_forecaster

CHECKS = [
    pytest.param(check, id=f"{kind.__name__}-{number}-{name}")
    for kind in forecasters().values()
    for number, example in enumerate(kind.examples())
    for name, check in check_forecaster(kind, example)
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_those_at_hand_are_found():
    assert {"NetworkForecaster", "SINDyForecaster", "DMDForecaster", "LEADSForecaster"} <= set(forecasters())
    assert all(kind.examples() for kind in forecasters().values())


# -- faults ------------------------------------------------------------------------------------------------------------


class DropsAStep(AutoregressiveForecaster):
    def rollout(self, *args, **options):
        return super().rollout(*args, **options)[..., 1:, :]


class AveragesTheBatch(AutoregressiveForecaster):
    def _next(self, windows, contexts):
        return super()._next(windows - windows.mean(0), contexts)


class IgnoresTheHistory(AutoregressiveForecaster):
    def _next(self, windows, contexts):
        return super()._next(0 * windows, contexts)


class TakesShort(AutoregressiveForecaster):
    def fit(self, trajectories, dt, contexts=None):
        long = [np.concatenate((each, each)) if 0 < len(each) < 4 else each for each in trajectories]
        return super().fit(long, dt, contexts)


class TakesUnevenTimes(AutoregressiveForecaster):
    def fit(self, trajectories, dt, contexts=None):
        return super().fit(trajectories, dt if np.ndim(dt) == 0 else 0.1, contexts)


class TakesAnyStep(AutoregressiveForecaster):
    def rollout(self, history, steps, *, dt=None, context=None):
        return super().rollout(history, steps, context=context)


class DropsTheLost(AutoregressiveForecaster):
    def rollout(self, *args, **options):
        return np.nan_to_num(super().rollout(*args, **options), posinf=0.0)


class Hides(AutoregressiveForecaster):
    rollout = Forecaster.rollout

    def fit(self, trajectories, dt, contexts=None):
        super().fit(trajectories, dt, contexts)
        self._limit = np.inf
        return self


class DrawsFromTheGlobalStream(AutoregressiveForecaster):
    def _fit(self, trajectories, contexts):
        super()._fit(trajectories, contexts)
        self.weight = self.weight + 1e-6 * torch.randn(1).item()


class Remembers(AutoregressiveForecaster):
    def _fit(self, trajectories, contexts):
        old = getattr(self, "weight", 0)
        super()._fit(trajectories, contexts)
        self.weight = self.weight + 0.1 * old


class SpoilsItsArguments(AutoregressiveForecaster):
    def _fit(self, trajectories, contexts):
        super()._fit(trajectories, contexts)
        trajectories[0] *= 2


class Silent(AutoregressiveForecaster):
    """No word on where it comes from."""


class CountsHalves(AutoregressiveForecaster):
    n_parameters = 0.5


class CanNotBePickled(AutoregressiveForecaster):
    def _fit(self, trajectories, contexts):
        super()._fit(trajectories, contexts)
        self.secret = lambda: 0


FAULTS = {
    DropsAStep: "shapes",
    AveragesTheBatch: "rows_do_not_see_each_other",
    IgnoresTheHistory: "histories_matter",
    TakesShort: "refuses_too_few_states",
    TakesUnevenTimes: "refuses_what_can_not_be_fitted",
    TakesAnyStep: "refuses_what_can_not_be_rolled_out",
    DropsTheLost: "divergence_is_marked",
    Hides: "divergence_is_marked",
    DrawsFromTheGlobalStream: "randomness",
    Remembers: "a_fit_forgets_the_last",
    SpoilsItsArguments: "a_fit_forgets_the_last",
    CountsHalves: "counts",
    CanNotBePickled: "copies",
    Silent: "documentation",
}


@pytest.mark.parametrize(("kind", "name"), FAULTS.items(), ids=lambda each: getattr(each, "__name__", each))
def test_a_fault_is_found(kind, name):
    example = {"history": 3}
    checks = dict(check_forecaster(AutoregressiveForecaster, example))
    checks[name]()
    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever the check says of it
        dict(check_forecaster(kind, example))[name]()
