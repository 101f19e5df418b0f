"""Looking at a tensor's plain numbers inside differentiable, vectorised code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


def inspect(tensor: Tensor, look: Callable[[Tensor], None]) -> None:
    """Show a function the numbers of a tensor, to warn or to refuse; under ``vmap`` those of all samples at once.

    Inside ``torch.compile`` nothing is looked at: a graph can't ask.
    """
    if not torch.compiler.is_compiling():
        _Look.apply(tensor.detach(), look)  # type: ignore[no-untyped-call]


class _Look(Function):
    """Shows a tensor; ``vmap`` unwraps it."""

    @staticmethod
    def forward(tensor: Tensor, look: Callable[[Tensor], None]) -> Tensor:
        look(tensor)
        return tensor.new_empty(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Callable[[Tensor], None]], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None]:
        return None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], tensor: Tensor, look: Any) -> tuple[Tensor, None]:
        _Look.apply(tensor, look)  # type: ignore[no-untyped-call]
        return tensor.new_empty(0), None
