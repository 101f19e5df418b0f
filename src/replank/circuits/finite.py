"""Refusing NaN, infinity and what is 0 up to rounding inside differentiable, vectorised code."""

from __future__ import annotations

import cmath
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

NOT_FINITE = (
    "circuit: features and parameters must be finite, got NaN or infinity. Look for it in the layer's input and "
    "parameters; a learning rate that is too high ends like this."
)
IMPOSSIBLE = (
    "circuit: what is post-selected must be possible, got an outcome of probability 0, up to rounding. Look at "
    "PostSelect and what comes before it."
)
NO_DIRECTION = (
    "circuit: the amplitudes of a sample must not all be 0, got such a sample. Add a constant, or leave it out."
)

_ROUNDING = 32
"""So many times the spacing of numbers near 1, and less, means 0 in an amplitude or an entry of a density matrix: the
rounding of some hundred gates adds up to it."""


def require_finite(tensor: Tensor, message: str = NOT_FINITE) -> Tensor:
    """The tensor itself.

    Raises:
        ValueError: an entry is NaN or infinite. Inside ``torch.compile`` nothing is checked: a graph can't ask.
    """
    if torch.compiler.is_compiling():
        return tensor
    if torch._C._are_functorch_transforms_active():
        return _Finite.apply(tensor, message)  # type: ignore[no-untyped-call]
    _look(tensor.detach(), message)  # a function of autograd costs ten times as much
    return tensor


def _look(tensor: Tensor, message: str) -> None:
    # a sum is the cheapest pass that NaN and infinity can't hide from; it may overflow by itself
    total = tensor.sum().item()  # a number of Python's is looked at ten times as fast as a tensor
    if not cmath.isfinite(total) and not tensor.isfinite().all():
        raise ValueError(message)


def inverse_weight(weight: Tensor, *, power: int) -> Tensor:
    """``1 / weight`` of what post-selection left, to normalise by.

    Args:
        weight: the norm of the states to the power ``power``, or the trace of density matrices for ``power=1``.
        power: 1 or 2.

    Raises:
        ValueError: it is 0 up to rounding, so that what is left is noise; not inside ``torch.compile``.
    """
    least = (_ROUNDING * torch.finfo(weight.dtype).eps) ** power
    return require_finite(1 / weight.masked_fill(weight <= least, 0), IMPOSSIBLE)


class _Finite(Function):
    """The identity; ``vmap`` and autograd see through it, while ``forward`` gets plain tensors to look at."""

    @staticmethod
    def forward(tensor: Tensor, message: str) -> Tensor:
        _look(tensor, message)
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
