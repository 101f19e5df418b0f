"""What may be asked to fill a slot, brought to one form: a function from the old module to the new one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import nn


class HasLike(Protocol):
    """A class that can build itself with another module's interface."""

    def like(self, old: nn.Module, **options: Any) -> nn.Module:
        """Build it (a class method)."""


Builder = Callable[[nn.Module], nn.Module]
"""From the module in the slot to the one that takes its place."""

Replacement = type[nn.Module] | nn.Module | Builder
"""A class with ``like``, a module that is already built, or a builder."""


@dataclass(frozen=True)
class part:  # lower case: reads as a word in a ladder, part(LowRankLinear, rank=8)
    """A part with options, as a builder: ``part(LowRankLinear, rank=8)``. Can be pickled and printed."""

    kind: HasLike
    options: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, kind: HasLike, **options: Any):
        if not hasattr(kind, "like"):
            raise TypeError(f"part: the kind must have a class method `like`, got {kind!r}. Pass a function instead.")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "options", options)

    def __call__(self, old: nn.Module) -> nn.Module:
        """Build the part with the interface of ``old``."""
        return self.kind.like(old, **self.options)

    def __str__(self) -> str:
        name = getattr(self.kind, "__name__", str(self.kind))
        options = ", ".join(f"{option}={value!r}" for option, value in self.options.items())
        return f"{name}({options})" if options else name


def as_builder(replacement: Replacement) -> Builder:
    """The builder that a replacement stands for.

    Raises:
        TypeError: it is none of a class with ``like``, a module, a function.
    """
    if isinstance(replacement, nn.Module):
        # each slot gets a copy of its own, so that two slots never share parameters by accident
        return lambda old: copy.deepcopy(replacement)
    if isinstance(replacement, type) and issubclass(replacement, nn.Module):
        return part(replacement)  # type: ignore[arg-type]  # whether it has `like` is checked there
    if callable(replacement) and not isinstance(replacement, type):
        return replacement
    raise TypeError(
        f"swap: a replacement is a class with `like`, a module, or a function from the old module to a new one, "
        f"got {replacement!r}."
    )


def named(builder: Builder, name: str) -> Builder:
    """The builder under a name that tables and drawings show."""

    def build(old: nn.Module) -> nn.Module:
        return builder(old)

    build.__name__ = name
    return build


def describe(replacement: Replacement) -> str:
    """A short name for tables and drawings."""
    if isinstance(replacement, nn.Module):
        return type(replacement).__name__
    if isinstance(replacement, part):
        return str(replacement)
    return getattr(replacement, "__name__", None) or str(replacement)
