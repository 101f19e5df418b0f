"""A convolution that averages over input channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.convolution._interface import ConvolutionPart, Padding, Size
from replank.parts.papers import WANG2024CREEP
from replank.sources import Source


class MeanConv2d(ConvolutionPart):
    r"""Convolution with the mean over input channels where :class:`torch.nn.Conv2d` has the sum.

    Replaces :class:`torch.nn.Conv2d`, reaches the same functions, and has the same parameters with the same initial
    values: a control for the factor ``1 / in_channels`` alone, which scales outputs and gradients.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the window, one number or (height, width).
        stride: of the window, one number or (height, width).
        padding: by zeros: an int, (height, width), or (top, bottom, left, right).
        bias: whether to add a learned bias.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a size that does not exist; in ``forward``, another number of channels.

    Source: our own, for the mean over channels of FlippedQuanv3x3 in [wang2024creep], rung 1b of its ladder.
    """

    source = Source(WANG2024CREEP, where="mean over channels in FlippedQuanv3x3", provenance="ours")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = 0,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias as nn.Conv2d does."""
        bound = self.weight[0].numel() ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve with the weight divided by the number of input channels."""
        self._check_input(input)
        return self._convolve(input, self.weight / self.in_channels)

    def reference(self, input: Tensor) -> Tensor:
        """The same patch by patch."""
        images = input if input.ndim == 4 else input.unsqueeze(0)
        values = torch.einsum("ocjk,bchwjk->bcohw", self.weight, self._patches(images)).mean(1)
        outputs = values if self.bias is None else values + self.bias[:, None, None]
        return outputs if input.ndim == 4 else outputs.squeeze(0)

    def parameter_formula(self) -> int:
        """``out * in * height * width``, and ``out`` for the bias: as many as nn.Conv2d."""
        height, width = self.kernel_size
        return self.out_channels * (self.in_channels * height * width + (self.bias is not None))

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """A square window and one that is not."""
        return (
            {"in_channels": 3, "out_channels": 2, "padding": (0, 1, 1, 2)},
            {"in_channels": 2, "out_channels": 1, "kernel_size": (2, 3), "stride": (1, 2), "bias": False},
        )
