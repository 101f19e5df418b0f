"""Refusing NaN and infinity inside differentiable, vectorised code."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

NOT_FINITE = (
    "circuit: features and parameters must be finite, got NaN or infinity. Look for it in the layer's input and "
    "parameters; a learning rate that is too high ends like this."
)
IMPOSSIBLE = (
    "circuit: what is post-selected must be possible, got an outcome of probability 0. Look at PostSelect and what "
    "comes before it."
)
NO_DIRECTION = (
    "circuit: the amplitudes of a sample must not all be 0, got such a sample. Add a constant, or leave it out."
)


def require_finite(tensor: Tensor, message: str = NOT_FINITE) -> Tensor:
    """The tensor itself.

    Raises:
        ValueError: an entry is NaN or infinite. Inside ``torch.compile`` nothing is checked: a graph can't ask.
    """
    if torch.compiler.is_compiling():
        return tensor
    return _Finite.apply(tensor, message)  # type: ignore[no-untyped-call]


class _Finite(Function):
    """The identity; ``vmap`` and autograd see through it, while ``forward`` gets plain tensors to look at."""

    @staticmethod
    def forward(tensor: Tensor, message: str) -> Tensor:
        # a sum is the cheapest pass that NaN and infinity can't hide from; it may overflow by itself
        if not tensor.sum().isfinite() and not tensor.isfinite().all():
            raise ValueError(message)
        return tensor.view_as(tensor)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, str], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, None], tensor: Tensor, message: str) -> tuple[Tensor, int | None]:
        return _Finite.apply(tensor, message), in_dims[0]  # type: ignore[no-untyped-call]
