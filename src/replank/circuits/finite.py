"""Refusing NaN and infinity inside differentiable, vectorised code."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


def require_finite(tensor: Tensor) -> Tensor:
    """The tensor itself.

    Raises:
        ValueError: an entry is NaN or infinite. Inside ``torch.compile`` nothing is checked: a graph can't ask.
    """
    if torch.compiler.is_compiling():
        return tensor
    return _Finite.apply(tensor)  # type: ignore[no-untyped-call]


class _Finite(Function):
    """The identity; ``vmap`` and autograd see through it, while ``forward`` gets plain tensors to look at."""

    @staticmethod
    def forward(tensor: Tensor) -> Tensor:
        # a sum is the cheapest pass that NaN and infinity can't hide from; it may overflow by itself
        if not tensor.detach().sum().isfinite() and not tensor.detach().isfinite().all():
            raise ValueError(NOT_FINITE)
        return tensor.view_as(tensor)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None], tensor: Tensor) -> tuple[Tensor, int | None]:
        return _Finite.apply(tensor), in_dims[0]  # type: ignore[no-untyped-call]


NOT_FINITE = (
    "circuit: features and parameters must be finite, got NaN or infinity. Look for it in the layer's input and "
    "parameters; a learning rate that is too high ends like this."
)
