"""A convolution through few channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.convolution._interface import EXTRAS, ConvolutionPart, Padding, PaddingMode, Size
from replank.sources import Source


class LowRankConv2d(ConvolutionPart):
    r"""Convolution to ``rank`` channels, then a 1x1 convolution from them: the kernel ``K_ocjk = sum_r U_or V_rcjk``.

    Replaces :class:`torch.nn.Conv2d`; ``rank * (in * height * width + out)`` weights instead of
    ``out * in * height * width``.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the window, one number or (height, width).
        stride: of the window, one number or (height, width).
        padding: an int, (height, width), or (top, bottom, left, right).
        bias: whether to add a learned bias.
        rank: number of channels between, in 1..min(out_channels, in_channels * height * width).
        dilation: of the window, one number or (height, width).
        padding_mode: what to pad with, as in nn.Conv2d.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: the rank is out of range; in ``forward``, another number of channels.

    Source: our own, as a classical control of the same size.
    """

    source = Source(None, where="control of the same size", provenance="ours")
    takes = EXTRAS

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = 0,
        bias: bool = True,
        *,
        rank: int,
        dilation: Size = 1,
        padding_mode: PaddingMode = "zeros",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding, dilation, padding_mode)
        full = min(out_channels, in_channels * self.kernel_size[0] * self.kernel_size[1])
        if not 1 <= rank <= full:
            raise ValueError(
                f"LowRankConv2d: `rank` must be in 1..{full} for {in_channels} to {out_channels} channels with a "
                f"window of {self.kernel_size}, got rank={rank}. For full rank keep nn.Conv2d."
            )
        self.rank = rank
        self.left = nn.Parameter(torch.empty(out_channels, rank, device=device, dtype=dtype))
        self.right = nn.Parameter(torch.empty(rank, in_channels, *self.kernel_size, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the factors so that an entry of their product varies as in nn.Conv2d; the bias as in nn.Conv2d."""
        # as in LowRankLinear: the product has the entry variance of nn.Conv2d's weight, 1/(3 fan_in)
        fan_in = self.right[0].numel()
        std = (3 * self.rank * fan_in) ** -0.25
        nn.init.normal_(self.left, std=std)
        nn.init.normal_(self.right, std=std)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -(fan_in**-0.5), fan_in**-0.5)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve to few channels, then mix them."""
        self._check_input(input)
        between = F.conv2d(self._padded(input), self.right, stride=self.stride, dilation=self.dilation)
        return F.conv2d(between, self.left[..., None, None], self.bias)

    def dense_kernel(self) -> Tensor:
        """The full kernel, ``(out_channels, in_channels, height, width)``."""
        return torch.einsum("or,rcjk->ocjk", self.left, self.right)

    def reference(self, input: Tensor) -> Tensor:
        """The same by the full kernel."""
        return self._convolve(input, self.dense_kernel())

    def parameter_formula(self) -> int:
        """``rank * (in * height * width + out)``, and ``out`` for the bias."""
        height, width = self.kernel_size
        per_rank = self.in_channels * height * width + self.out_channels
        return self.rank * per_rank + self.out_channels * (self.bias is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Rank one and more, with and without bias."""
        return (
            {"in_channels": 2, "out_channels": 3, "rank": 2, "padding": (1, 0)},
            {"in_channels": 1, "out_channels": 2, "kernel_size": (1, 2), "stride": 2, "rank": 1, "bias": False},
            {"in_channels": 1, "out_channels": 2, "rank": 1, "padding": 2, "dilation": 2, "padding_mode": "circular"},
        )

    def extra_repr(self) -> str:
        """The common arguments and the rank."""
        return f"{super().extra_repr()}, rank={self.rank}"
