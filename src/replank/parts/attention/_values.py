"""What a token hands on to those that attend to it, and what becomes of the heads."""

from __future__ import annotations

import abc
from typing import Any

from torch import Tensor, nn

from replank.parts.attention._similarity import draw_linear, heads


class Values(nn.Module, abc.ABC):
    """Values of tokens, and how the heads' outputs become one."""

    @abc.abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Values ``(B, H, T, *)`` of tokens ``(B, T, N)``."""

    @abc.abstractmethod
    def merge(self, attended: Tensor) -> Tensor:
        """Outputs of heads ``(B, H, T, *)`` to ``(B, T, N)``."""

    @abc.abstractmethod
    def reset_parameters(self) -> None:
        """Draw them anew."""


class Projected(Values):
    """``concat_h(A_h x W_V^h) W_O``."""

    def __init__(self, width: int, num_heads: int, head_width: int, bias: bool, **factory: Any):
        super().__init__()
        self.num_heads = num_heads
        self.value = nn.Linear(width, num_heads * head_width, bias, **factory)
        self.out = nn.Linear(num_heads * head_width, width, bias, **factory)

    def forward(self, x: Tensor) -> Tensor:
        """By heads."""
        return heads(self.value(x), self.num_heads)

    def merge(self, attended: Tensor) -> Tensor:
        """Side by side, then mixed."""
        return self.out(attended.transpose(-2, -3).flatten(-2))

    def reset_parameters(self) -> None:
        """Xavier-uniform weights, zero biases."""
        draw_linear(self.value)
        draw_linear(self.out)


class Themselves(Values):
    """The tokens themselves: an output is the mean over heads of convex combinations of tokens."""

    def __init__(self, num_heads: int):
        super().__init__()
        self.num_heads = num_heads

    def forward(self, x: Tensor) -> Tensor:
        """The same for every head."""
        return x[..., None, :, :].expand(*x.shape[:-2], self.num_heads, *x.shape[-2:])

    def merge(self, attended: Tensor) -> Tensor:
        """The mean."""
        return attended.mean(-3)

    def reset_parameters(self) -> None:
        """There are none."""
