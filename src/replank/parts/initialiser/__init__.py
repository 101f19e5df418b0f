"""What can replace the values that a layer starts from.

Initialisers are no modules, and so no :class:`~replank.parts.part.Part`; what they promise is
:class:`~replank.parts.initialiser._interface.Initialiser`, and they are found by looking all the same.
:func:`replank.slots.reinitialise` puts one in a slot of a model.
"""

from __future__ import annotations

from replank.parts import classes_of
from replank.parts.initialiser._interface import Fans, Initialiser, Mode, fans
from replank.parts.initialiser._predicted import PredictedInitialiser

__all__ = ["Fans", "Initialiser", "Mode", "PredictedInitialiser", "fans", "initialisers"]


def initialisers() -> dict[str, type[Initialiser]]:
    """All initialisers, ours and plug-ins', by class name."""
    return classes_of(Initialiser)  # type: ignore[type-abstract]
