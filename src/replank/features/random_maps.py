"""Random features that are never trained: what a fixed circuit has to be compared with.

Their numbers are drawn once, from torch's default generator, as the initial values of torch's layers are.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class _RandomMap(nn.Module):
    """A fixed affine map of ``(*, in_features)`` to ``(*, out_features)``, with something nonlinear behind it."""

    weight: Tensor
    bias: Tensor

    def __init__(self, in_features: int, out_features: int, device: Any, dtype: torch.dtype | None):
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"{type(self).__name__}: there must be at least one, got in_features={in_features}, "
                f"out_features={out_features}."
            )
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("weight", torch.randn(out_features, in_features, device=device, dtype=dtype))
        self.register_buffer("bias", torch.rand(out_features, device=device, dtype=dtype))

    def _affine(self, features: Tensor) -> Tensor:
        if features.ndim == 0 or features.shape[-1] != self.in_features:
            raise ValueError(
                f"{type(self).__name__}: the last dimension must be in_features={self.in_features}, got input of shape "
                f"{tuple(features.shape)}."
            )
        return functional.linear(features, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


class RandomFourierFeatures(_RandomMap):
    """``sqrt(2 / out) cos(w x + b)`` with Gaussian ``w`` and uniform ``b``.

    Products of two samples' features approach a Gaussian kernel: ``E[z(x) z(y)] = exp(-scale^2 |x - y|^2 / 2)``.

    Source: Rahimi, Recht (2007), Random features for large-scale kernel machines.

    Shape: ``(*, in_features) -> (*, out_features)``.

    Args:
        in_features: numbers that go in.
        out_features: numbers that come out.
        scale: standard deviation of ``w``; a feature oscillates faster the larger it is.
        device: of the buffers.
        dtype: of the buffers.

    Raises:
        ValueError: a number of features is less than 1, or ``scale`` is not positive and finite; in ``forward``,
            another number of features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        scale: float = 1.0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(in_features, out_features, device, dtype)
        if not 0 < scale < math.inf:
            raise ValueError(f"RandomFourierFeatures: `scale` must be positive and finite, got scale={scale}.")
        self.weight *= scale
        self.bias *= 2 * math.pi

    def forward(self, features: Tensor) -> Tensor:
        """Cosines."""
        return math.sqrt(2 / self.out_features) * self._affine(features).cos()


class RandomReLUFeatures(_RandomMap):
    """``relu(w (x - c))`` with Gaussian ``w`` and ``c`` uniform in a box: every kink passes through the box.

    Shape: ``(*, in_features) -> (*, out_features)``.

    Args:
        in_features: numbers that go in.
        out_features: numbers that come out.
        box: smallest and largest value that inputs have.
        device: of the buffers.
        dtype: of the buffers.

    Raises:
        ValueError: a number of features is less than 1, or the box is empty or not finite; in ``forward``, another
            number of features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        box: tuple[float, float] = (0.0, math.pi),
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(in_features, out_features, device, dtype)
        low, high = box
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"RandomReLUFeatures: `box` must be two finite numbers, the smaller first, got box={box}.")
        self.weight *= math.sqrt(2 / in_features)
        centres = low + (high - low) * torch.rand(out_features, in_features, device=device, dtype=dtype)
        self.bias = -(self.weight * centres).sum(dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """The positive parts."""
        return self._affine(features).relu()
