"""How an activation is probed, and which classical one a part is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.parts.activation._interface import REPLACED, ActivationPart, interface
from replank.parts.activation._named import ACTIVATIONS, find_activation
from replank.parts.part import Group

__all__ = ["ACTIVATIONS", "GROUP", "find_activation"]


def _example_input(module: nn.Module) -> Tensor:
    return torch.randn(3, 5, **interface(module, "GROUP"))


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """A ReLU, with a learned slope on its left if the budget has room for a parameter."""
    found = interface(old, "GROUP.same_size")
    return nn.PReLU(**found) if budget >= 1 else nn.ReLU()


GROUP = Group(
    name="activation",
    replaces=REPLACED,
    base=ActivationPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
)
