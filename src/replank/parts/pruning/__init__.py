"""What can replace a pruner: decides, between two trainings, which weights go. The swap is one in time.

They are no modules; what they promise is :class:`~replank.parts.pruning._interface.Pruner`, and they are found by
looking all the same.
"""

from __future__ import annotations

from replank.parts import classes_of
from replank.parts.pruning._interface import DisconnectedWarning, Pruner, disconnected, removed_count

__all__ = ["DisconnectedWarning", "Pruner", "disconnected", "pruners", "removed_count"]


def pruners() -> dict[str, type[Pruner]]:
    """All pruners, ours and plug-ins', by class name."""
    return classes_of(Pruner)  # type: ignore[type-abstract]
