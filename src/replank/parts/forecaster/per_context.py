"""One forecaster for each environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from replank.errors import DataError
from replank.parts.forecaster._interface import Forecaster, States
from replank.parts.forecaster.autoregression import AutoregressiveForecaster
from replank.sources import Source


class PerContextForecaster(Forecaster):
    """As many forecasters as there are contexts, each fitted to the trajectories of its own and told nothing of it.

    Args:
        build: makes one of them.

    Raises:
        DataError (when asked): a context that was not fitted.

    Source: ours, for methods that know of one system only.
    """

    source = Source(None, "for methods that know of one system only", "ours")

    def __init__(self, *, build: Callable[[], Forecaster]):
        self.build = build
        self._least = build().least_states
        super().__init__(history=build().history)

    @property
    def least_states(self) -> int:
        """As many as one of them needs."""
        return self._least

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        self.fitted: dict[tuple[float, ...], Forecaster] = {}
        for key in dict.fromkeys(map(tuple, contexts.tolist())):
            own = [each for each, context in zip(trajectories, contexts.tolist(), strict=True) if tuple(context) == key]
            self.fitted[key] = self.build().fit(own, self.dt)

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        found = np.empty((len(history), steps, history.shape[2]))
        for key in dict.fromkeys(map(tuple, contexts.tolist())):
            if key not in self.fitted:
                raise DataError(f"PerContextForecaster: contexts must be fitted ones, got {list(key)}.")
            chosen = (contexts == np.array(key)).all(1)
            found[chosen] = self.fitted[key].rollout(history[chosen], steps)
        return found

    @property
    def n_parameters(self) -> int:
        """Of all of them."""
        return sum(each.n_parameters for each in self.fitted.values())

    @property
    def step_flops(self) -> int:
        """Of the costliest."""
        return max(each.step_flops for each in self.fitted.values())

    def options(self) -> dict[str, Any]:
        """What makes them."""
        return {"build": self.build}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Of autoregressions."""
        return ({"build": partial(AutoregressiveForecaster, history=2)},)
