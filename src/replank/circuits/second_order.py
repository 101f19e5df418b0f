"""What the hand-written derivatives of this package share: how they are vectorised and differentiated once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def second_order(plain: Callable[..., Tensor], cotangents: Any, grad: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The vector-Jacobian product of ``plain``'s own vector-Jacobian product, with respect to ``grad`` and ``inputs``.

    A fast gradient is written for the first order only. The second order is rare, and asks ``plain``: the same
    function in torch's differentiable operations.
    """

    def gradient(grad: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        return torch.func.vjp(plain, *inputs)[1](grad)

    return torch.func.vjp(gradient, grad, *inputs)[1](cotangents)


def one_by_one(
    function: Callable[..., Any], size: int, in_dims: Sequence[int | None], arguments: Sequence[Any]
) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    """The ``vmap`` rule of a function that already works on batches: call it once for each slice."""
    calls = [
        function(*(x if dim is None else x.select(dim, i) for x, dim in zip(arguments, in_dims, strict=True)))
        for i in range(size)
    ]
    stacked = tuple(torch.stack(outputs) for outputs in zip(*calls, strict=True))
    return stacked, (0,) * len(stacked)
