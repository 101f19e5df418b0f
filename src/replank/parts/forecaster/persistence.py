"""Nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replank.parts.forecaster._interface import States, StepForecaster
from replank.sources import Source


class PersistenceForecaster(StepForecaster):
    """The last state stays for ever; it looks at no context.

    Args:
        history: states that a forecast is given; all but the last are ignored.

    Source: a reference that every forecast should beat.
    """

    source = Source(None, "a reference that every forecast should beat", "ours")

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        pass

    def _next(self, windows: States, contexts: States) -> States:
        return windows[:, -1]

    @property
    def n_parameters(self) -> int:
        """None."""
        return 0

    @property
    def step_flops(self) -> int:
        """None."""
        return 0

    def options(self) -> dict[str, Any]:
        """The history."""
        return {"history": self.history}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without more states than it needs."""
        return ({"history": 1}, {"history": 3})
