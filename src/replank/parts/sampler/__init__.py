"""What can replace the distribution of hidden weights that are drawn once and never trained.

Samplers are no modules, and so no :class:`~replank.parts.part.Part`; what they promise is
:class:`~replank.parts.sampler._interface.Sampler`, and they are found by looking all the same.
"""

from __future__ import annotations

from replank.parts import classes_of
from replank.parts.sampler._interface import DataSampler, Nodes, Sampler

__all__ = ["DataSampler", "Nodes", "Sampler", "samplers"]


def samplers() -> dict[str, type[Sampler]]:
    """All samplers, ours and plug-ins', by class name."""
    return classes_of(Sampler)  # type: ignore[type-abstract]
