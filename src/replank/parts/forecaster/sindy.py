"""Sparse equations of motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replank.dynamics.simulate import runge_kutta
from replank.parts.forecaster._interface import Forecaster, States
from replank.parts.forecaster._packages import package
from replank.parts.papers import BRUNTON2016SINDY
from replank.sources import Source


class SINDyForecaster(Forecaster):
    """Polynomial equations with few terms, found by pysindy and solved by a Runge-Kutta method.

    Contexts are further variables of the polynomials.

    Args:
        degree: of the polynomials.
        threshold: coefficients below it are dropped, one least-squares fit after the other.
        substeps: of the Runge-Kutta method, in a step of the data.

    Raises:
        ValueError: a degree or a number of substeps below 1, or a negative threshold.
        MissingExtra: pysindy is not installed.

    Source: [brunton2016sindy], with pysindy's defaults else.
    """

    source = Source(BRUNTON2016SINDY, "sequentially thresholded least squares, by pysindy", "recalled")

    def __init__(self, *, degree: int = 2, threshold: float = 0.1, substeps: int = 4):
        super().__init__(history=1)
        if degree < 1 or substeps < 1 or not threshold >= 0:
            raise ValueError(
                f"SINDyForecaster: degree and substeps must be at least 1 and the threshold not negative, got "
                f"degree={degree}, substeps={substeps}, threshold={threshold}."
            )
        self.degree, self.threshold, self.substeps = degree, threshold, substeps

    @property
    def least_states(self) -> int:
        """Three: derivatives are central differences."""
        return 3

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        sindy = package("pysindy", "SINDyForecaster")
        model = sindy.SINDy(
            optimizer=sindy.STLSQ(threshold=self.threshold),
            feature_library=sindy.PolynomialLibrary(degree=self.degree),
        )
        constant = [np.tile(context, (len(each), 1)) for each, context in zip(trajectories, contexts, strict=True)]
        model.fit(trajectories, t=self.dt, u=constant if contexts.shape[1] else None)
        self.coefficients = np.asarray(model.coefficients())
        self.powers = np.asarray(model.feature_library.powers_)

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        states, path = history[:, -1], np.empty((len(history), steps, history.shape[2]))
        for step in range(steps):
            path[:, step] = states = runge_kutta(lambda now: self._rates(now, contexts), states, self.dt, self.substeps)
        return path

    def _rates(self, states: States, contexts: States) -> States:
        variables = np.concatenate((states, contexts), axis=-1)
        terms = np.ones((len(variables), len(self.powers)))
        for power in range(1, self.degree + 1):
            for variable in range(variables.shape[1]):
                chosen = self.powers[:, variable] >= power
                terms[:, chosen] *= variables[:, variable, None]
        found: States = terms @ self.coefficients.T
        return found

    @property
    def n_parameters(self) -> int:
        """Coefficients that were not dropped."""
        return int(np.count_nonzero(self.coefficients))

    @property
    def step_flops(self) -> int:
        """Products of variables in terms that are used, a multiply-add for each coefficient, and the method's sums."""
        used = self.powers[(self.coefficients != 0).any(0)]
        rates = int(np.maximum(used.sum(1) - 1, 0).sum()) + 2 * self.n_parameters
        return self.substeps * (4 * rates + 13 * len(self.coefficients))

    def options(self) -> dict[str, Any]:
        """Degree, threshold and substeps."""
        return {"degree": self.degree, "threshold": self.threshold, "substeps": self.substeps}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Linear and quadratic."""
        return ({"degree": 1, "threshold": 0.05, "substeps": 1}, {"degree": 2, "threshold": 0.01, "substeps": 2})
