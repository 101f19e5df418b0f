"""A linear model in delay coordinates that a forcing drives; forecasts are made without it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.linalg import expm

from replank.parts.forecaster._interface import Forecaster, States
from replank.parts.forecaster._packages import package
from replank.parts.papers import BRUNTON2017HAVOK
from replank.sources import Source


class HAVOKForecaster(Forecaster):
    """The Hankel alternative view of Koopman, one model for each component, by pydmd.

    A model is ``v' = A v + B u`` in the first ``rank - 1`` coordinates of the singular value decomposition of a Hankel
    matrix; ``u`` is the last coordinate, which intermittently drives chaos. Its future is not known, so that forecasts
    leave it at zero. It looks at no context, and is fitted to the longest trajectory alone: a Hankel matrix of several
    would have steps where one ends.

    Args:
        history: delays.
        rank: coordinates, the forcing among them.

    Raises:
        ValueError: see the base class; or a rank below 2 or above the delays.
        MissingExtra: pydmd is not installed.

    Source: [brunton2017havok].
    """

    source = Source(BRUNTON2017HAVOK, "the model, by pydmd; a forecast without forcing is ours", "recalled")

    def __init__(self, *, history: int = 16, rank: int = 11):
        super().__init__(history=history)
        if not 2 <= rank <= history:
            raise ValueError(
                f"HAVOKForecaster: `rank` must be from 2 to history={history}, the rows of the Hankel matrix, got "
                f"rank={rank}."
            )
        self.rank = rank

    @property
    def least_states(self) -> int:
        """As many windows as coordinates, and two more for derivatives."""
        return self.history + self.rank + 2

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        longest = max(trajectories, key=len)
        kind = package("pydmd", "HAVOKForecaster").HAVOK
        self._last, self._steps, self._analysis = [], [], []
        for component in longest.T:
            model = kind(svd_rank=self.rank, delays=self.history)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about condition numbers: clean data have small singular values
                model.fit(component, self.dt)
            basis, weights = model.modes[:, : self.rank - 1], model.singular_vals[: self.rank - 1]
            self._analysis.append(basis / weights)
            self._last.append(basis[-1] * weights)
            self._steps.append(expm(model.A * self.dt))

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        found = np.empty((len(history), steps, history.shape[2]))
        for component, (analysis, last, step) in enumerate(zip(self._analysis, self._last, self._steps, strict=True)):
            coordinates = history[:, :, component] @ analysis
            for number in range(steps):
                coordinates = coordinates @ step.T
                found[:, number, component] = coordinates @ last
        return found

    @property
    def n_parameters(self) -> int:
        """Of each component: the step, and what goes into coordinates and out of them."""
        r = self.rank - 1
        return self.n_states * (r * r + r * self.history + r)

    @property
    def step_flops(self) -> int:
        """Of each component: a step in coordinates, and the state from them."""
        r = self.rank - 1
        return self.n_states * 2 * (r * r + r)

    def options(self) -> dict[str, Any]:
        """Delays and rank."""
        return {"history": self.history, "rank": self.rank}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """A few delays."""
        return ({"history": 5, "rank": 3},)
