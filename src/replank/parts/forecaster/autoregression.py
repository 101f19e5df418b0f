"""The next state as a linear function of the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replank.parts.forecaster._interface import States, StepForecaster, pairs
from replank.sources import Source


class AutoregressiveForecaster(StepForecaster):
    """A vector autoregression with intercept, by least squares; contexts are further inputs.

    Args:
        history: states that it sees.
        rcond: singular values below this part of the largest count as zero.

    Raises:
        ValueError: see the base class.

    Source: textbooks; the linear map on the window that a Hankel network sees.
    """

    source = Source(None, "textbooks: vector autoregression", "ours")

    def __init__(self, *, history: int = 1, rcond: float = 1e-12):
        super().__init__(history=history)
        self.rcond = rcond

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        windows, following, known = pairs(trajectories, contexts, self.history)
        # increments: small next to states, so that nothing is lost in their difference
        self.weight = np.linalg.lstsq(_inputs(windows, known), following - windows[:, -1], rcond=self.rcond)[0]

    def _next(self, windows: States, contexts: States) -> States:
        found: States = windows[:, -1] + _inputs(windows, contexts) @ self.weight
        return found

    @property
    def n_parameters(self) -> int:
        """Weights and intercepts."""
        return int(self.weight.size)

    @property
    def step_flops(self) -> int:
        """A multiply-add for each weight, and the sum with the last state."""
        return 2 * self.weight.size + self.weight.shape[1]

    def options(self) -> dict[str, Any]:
        """History and cut-off."""
        return {"history": self.history, "rcond": self.rcond}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One state and several."""
        return ({"history": 1}, {"history": 3, "rcond": 1e-10})


def _inputs(windows: States, contexts: States) -> States:
    return np.concatenate((windows.reshape(len(windows), -1), contexts, np.ones((len(windows), 1))), axis=1)
