"""What can replace a forecaster: fitted to trajectories, given a few states, asked for those that follow.

They are no modules, and so no :class:`~replank.parts.part.Part`; what they promise is
:class:`~replank.parts.forecaster._interface.Forecaster`, and they are found by looking all the same.
"""

from __future__ import annotations

from replank.parts import classes_of
from replank.parts.forecaster._interface import Forecaster, StepForecaster

__all__ = ["Forecaster", "StepForecaster", "forecasters"]


def forecasters() -> dict[str, type[Forecaster]]:
    """All forecasters, ours and plug-ins', by class name."""
    return classes_of(Forecaster)  # type: ignore[type-abstract]
