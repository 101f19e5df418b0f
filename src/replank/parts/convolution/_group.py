"""How a convolution is probed, and which classical one a part is compared with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.convolution._interface import EXTRAS, ConvolutionPart, Padding, PaddingMode, four_sides, interface
from replank.parts.convolution.low_rank import LowRankConv2d
from replank.parts.part import Group

__all__ = ["GROUP"]


def _example_input(module: nn.Module) -> Tensor:
    found = interface(module, "GROUP", EXTRAS)
    height, width = (
        step * (kernel - 1) + 1 for kernel, step in zip(found["kernel_size"], found["dilation"], strict=True)
    )
    return torch.randn(2, found["in_channels"], height + 3, width + 2, device=found["device"], dtype=found["dtype"])


_PADS = {
    "zeros": nn.ZeroPad2d,
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "circular": nn.CircularPad2d,
}


def _full_convolution(*, padding: Padding, padding_mode: PaddingMode, **rest: Any) -> nn.Module:
    top, bottom, left, right = four_sides(padding, "nn.Conv2d")
    if (top, left) == (bottom, right):
        return nn.Conv2d(**rest, padding=(top, left), padding_mode=padding_mode)
    return nn.Sequential(_PADS[padding_mode]((left, right, top, bottom)), nn.Conv2d(**rest))


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """The strongest classical convolution with that interface and at most ``budget`` parameters.

    That is a full one, or one that goes through as few channels as the budget asks for.

    Raises:
        ValueError: not even one channel fits.
    """
    found = interface(old, "GROUP.same_size", EXTRAS)
    n_in, n_out, (height, width) = found["in_channels"], found["out_channels"], found["kernel_size"]
    free = budget - n_out * found["bias"]
    if free >= n_in * n_out * height * width:
        return _full_convolution(**found)
    per_rank = n_in * height * width + n_out
    if free >= per_rank:
        return LowRankConv2d(**found, rank=min(free // per_rank, n_out, n_in * height * width))
    raise ValueError(
        f"GROUP.same_size: the smallest classical convolution from {n_in} to {n_out} channels with a window of "
        f"{height}x{width} has {per_rank + n_out * found['bias']} parameters, got budget={budget}."
    )


GROUP = Group(
    name="convolution",
    replaces=(nn.Conv2d,),
    base=ConvolutionPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
)
