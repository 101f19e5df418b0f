"""How a density is probed, and which classical one a part is compared with."""

from __future__ import annotations

import bisect
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.density._interface import DensityPart, interface
from replank.parts.density.gru import GRUDensity
from replank.parts.density.product import ProductDensity
from replank.parts.part import Group

__all__ = ["GROUP", "largest_within"]


def largest_within(kind: type[DensityPart], old: nn.Module, budget: int, **options: Any) -> DensityPart:
    """A density like another one with as many hidden features as fit into a budget of parameters.

    Args:
        kind: a class whose size is ``n_hidden``.
        old: the density whose interface it gets.
        budget: number of parameters.
        options: further arguments of the class.

    Raises:
        ValueError: not even the smallest fits.
    """

    def size(n_hidden: int) -> int:
        try:
            return kind.like(old, n_hidden=n_hidden, **{**options, "device": "meta"}).parameter_formula()
        except ValueError:  # too few for its kind: refused below
            return 0

    n_hidden = bisect.bisect_right(range(1, budget + 1), budget, key=size)
    if not n_hidden:
        raise ValueError(
            f"largest_within: the smallest {kind.__name__} like this one has {size(1)} parameters, got budget={budget}."
        )
    return kind.like(old, n_hidden=n_hidden, **options)


def _example_input(module: nn.Module) -> Tensor:
    found = interface(module, "GROUP")
    return torch.randint(found["n_outcomes"], (5, found["n_sites"]), device=found["device"])


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """The strongest classical density with that interface and at most ``budget`` parameters.

    That is a recurrent one of as many features as fit; or, where none fits, a product.

    Raises:
        ValueError: not even a product fits.
    """
    interface(old, "GROUP.same_size")
    try:
        return largest_within(GRUDensity, old, budget)
    except ValueError:
        product = ProductDensity.like(old)
    if product.parameter_formula() > budget:
        raise ValueError(
            f"GROUP.same_size: the smallest density of these strings has {product.parameter_formula()} parameters, got "
            f"budget={budget}."
        )
    return product


GROUP = Group(
    name="density",
    replaces=(),
    base=DensityPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
)
