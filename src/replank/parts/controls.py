"""Controls: the parts to compare with to know *why* something changed.

A control is made from the replacement that it controls for, so that ``frozen(Q)`` and ``same_size(Q)`` fit wherever
``Q`` fits. In :func:`replank.compare` they go by their names, ``"frozen"``, ``"same-size"`` and ``"unentangled"``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import nn

from replank.errors import UnknownName, UsageError
from replank.parts import group_of
from replank.parts.replacement import Builder, Replacement, as_builder, describe, named


def frozen(replacement: Replacement) -> Builder:
    """The part with its parameters fixed at their initial values: what does *training* it contribute?"""

    def build(old: nn.Module) -> nn.Module:
        return as_builder(replacement)(old).requires_grad_(False)

    return named(build, f"frozen {describe(replacement)}")


def same_size(replacement: Replacement) -> Builder:
    """The strongest classical part with no more parameters: what does the part do that its size does not?

    Raises (when built):
        UsageError: the slot belongs to no group of parts, so that its classical rivals are not known.
        ValueError: no classical part is that small; the message says how small the smallest is.
    """

    def build(old: nn.Module) -> nn.Module:
        group = group_of(old)
        if group is None:
            raise UsageError(
                f"same_size: the slot must hold a module of a known group, got {type(old).__name__}. "
                "Name a control of your own as a further arm."
            )
        budget = sum(parameter.numel() for parameter in as_builder(replacement)(old).parameters())
        return group.same_size(old, budget)

    return named(build, f"same-size as {describe(replacement)}")


@runtime_checkable
class Entangled(Protocol):
    """A part made of a circuit that can do without entanglement."""

    def without_entanglement(self) -> nn.Module:
        """A copy with the same parameters whose circuit lacks all gates on two qubits."""


def unentangled(replacement: Replacement) -> Builder:
    """The part without its gates on two qubits, with the same initial values: what does *entanglement* contribute?

    Raises (when built):
        UsageError: the part is not made of a circuit, or does not say how to do without entanglement.
    """

    def build(old: nn.Module) -> nn.Module:
        new = as_builder(replacement)(old)
        if not isinstance(new, Entangled):
            raise UsageError(
                "unentangled: the part must have a method `without_entanglement`, as quantum parts do, got "
                f"{type(new).__name__}. Leave this control out for it."
            )
        return new.without_entanglement()

    return named(build, f"unentangled {describe(replacement)}")


CONTROLS: dict[str, Callable[[Replacement], Builder]] = {
    "frozen": frozen,
    "same-size": same_size,
    "unentangled": unentangled,
}


def control(name: str) -> Callable[[Replacement], Builder]:
    """The control of that name.

    Raises:
        UnknownName: there is none.
    """
    if name not in CONTROLS:
        raise UnknownName("control", name, CONTROLS)
    return CONTROLS[name]
