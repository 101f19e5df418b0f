"""What can replace an extrapolator to zero noise: fitted to values at some strengths of noise, asked for that at none.

They are no modules, and so no :class:`~replank.parts.part.Part`; what they promise is
:class:`~replank.parts.extrapolator._interface.Extrapolator`, and they are found by looking all the same.
"""

from __future__ import annotations

from replank.parts import classes_of
from replank.parts.extrapolator._interface import ExtrapolationWarning, Extrapolator, Range, outside_spectrum
from replank.parts.extrapolator._learned import LearnedExtrapolator
from replank.parts.extrapolator._weighted import WeightedExtrapolator

__all__ = [
    "ExtrapolationWarning",
    "Extrapolator",
    "LearnedExtrapolator",
    "Range",
    "WeightedExtrapolator",
    "extrapolators",
    "outside_spectrum",
]


def extrapolators() -> dict[str, type[Extrapolator]]:
    """All extrapolators, ours and plug-ins', by class name."""
    return classes_of(Extrapolator)  # type: ignore[type-abstract]
