"""Dynamic mode decomposition, of states or of windows of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from replank.dynamics.delay import hankel_matrix
from replank.parts.forecaster._interface import Forecaster, States
from replank.parts.forecaster._packages import package
from replank.parts.papers import ARBABI2017, SCHMID2010
from replank.sources import Source


class DMDForecaster(Forecaster):
    """Modes with a frequency and a rate each, fitted to pairs of states or, with a longer history, of windows.

    With a history of 1 it is dynamic mode decomposition, with a longer one Hankel-DMD; the decomposition is pydmd's, on
    the pairs of all trajectories. It looks at no context. Windows are carried on as a whole, by powers of eigenvalues.

    Args:
        history: states in a window.
        svd_rank: as pydmd's: a number of modes, 0 for the optimal threshold, -1 for all.

    Raises:
        ValueError: see the base class; or more modes than numbers in a window.
        MissingExtra: pydmd is not installed.

    Source: [schmid2010dmd]; with delays [arbabi2017hankel], in :data:`delays_source`.
    """

    source = Source(SCHMID2010, "the decomposition, by pydmd", "recalled")
    delays_source = Source(ARBABI2017, "Hankel-DMD", "recalled")

    def __init__(self, *, history: int = 1, svd_rank: int = 0):
        super().__init__(history=history)
        if svd_rank < -1:
            raise ValueError(f"DMDForecaster: `svd_rank` must be -1, 0 or positive, got svd_rank={svd_rank}.")
        self.svd_rank = svd_rank

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        size = self.history * trajectories[0].shape[1]
        if self.svd_rank > size:
            raise ValueError(f"DMDForecaster: a window has {size} numbers, got svd_rank={self.svd_rank}.")
        embedded = [hankel_matrix(each, self.history) for each in trajectories]
        model = package("pydmd", "DMDForecaster").DMD(svd_rank=self.svd_rank)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about condition numbers: clean data have small singular values
            model.fit(
                np.concatenate([each[:, :-1] for each in embedded], axis=1),
                np.concatenate([each[:, 1:] for each in embedded], axis=1),
            )
        self.eigenvalues, self.modes = np.asarray(model.eigs), np.asarray(model.modes)
        self._analysis = np.linalg.pinv(self.modes)

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        n, _, d = history.shape
        amplitudes = history.reshape(n, -1) @ self._analysis.T
        powers = self.eigenvalues ** np.arange(1, steps + 1)[:, None]
        return np.ascontiguousarray(((amplitudes[:, None] * powers) @ self.modes[-d:].T).real)

    @property
    def n_parameters(self) -> int:
        """Real numbers in eigenvalues, modes of the last state, and their amplitudes' weights."""
        return 2 * len(self.eigenvalues) * (1 + self.n_states + self.modes.shape[0])

    @property
    def step_flops(self) -> int:
        """The next amplitudes, and the state from them: 8 for a complex multiply-add, 6 for a product."""
        return len(self.eigenvalues) * (6 + 4 * self.n_states)

    def options(self) -> dict[str, Any]:
        """History and rank."""
        return {"history": self.history, "svd_rank": self.svd_rank}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Plain, with delays, and all modes."""
        return ({"history": 1, "svd_rank": -1}, {"history": 4, "svd_rank": 2})
