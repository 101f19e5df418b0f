"""Telling that pixels leave the range for which a scale is meant."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

_ROUNDING = 1e-4
"""What averages of pixels may miss the ends by."""


def warn_outside(pixels: Tensor, owner: str) -> None:
    """Warn of pixels outside [0, 1]: as angles between 0 and pi they no longer differ from others.

    Inside ``torch.compile`` nothing is looked at: a graph can't ask.
    """
    if not torch.compiler.is_compiling():
        _Look.apply(pixels.detach(), owner)  # type: ignore[no-untyped-call]


class _Look(Function):
    """Looks at a tensor's numbers; ``vmap`` shows it plain ones."""

    @staticmethod
    def forward(pixels: Tensor, owner: str) -> Tensor:
        if pixels.numel():
            low, high = (float(end) for end in pixels.aminmax())
            if low < -_ROUNDING or high > 1 + _ROUNDING:
                warnings.warn(
                    f"{owner}: with input_scaling=math.pi pixels should be in [0, 1], got {low:.4g} to {high:.4g}. "
                    "Angles wrap round, so that different pixels look alike: scale the image first.",
                    stacklevel=2,
                )
        return pixels.new_empty(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, str], output: Tensor) -> None:
        pass

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], pixels: Tensor, owner: str) -> tuple[Tensor, None]:
        return _Look.apply(pixels, owner), None  # type: ignore[no-untyped-call]
