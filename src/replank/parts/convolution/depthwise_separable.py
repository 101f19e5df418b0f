"""A window for each channel, then across the channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.convolution._depthwise import DepthwiseSeparable
from replank.parts.convolution._factorised import RELU_GAIN
from replank.parts.convolution._interface import EXTRAS, ConvolutionPart, Padding, PaddingMode, Size
from replank.parts.convolution._text_padding import set_interface
from replank.parts.papers import HOWARD2017
from replank.sources import Source


class DepthwiseSeparableConv2d(DepthwiseSeparable, ConvolutionPart):
    r"""Convolution of each channel by itself, then a 1x1 convolution: the kernel ``K_ocyx = p_oc d_cyx``.

    Replaces :class:`torch.nn.Conv2d` and takes its arguments; ``in * (height * width + out)`` weights.

    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')``, or without ``B``; dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the window, one number or (height, width).
        stride: of the window, one number or (height, width).
        padding: an int, (height, width), (top, bottom, left, right), ``"same"`` or ``"valid"``.
        dilation: of the window, one number or (height, width).
        groups: 1.
        bias: whether to add a learned bias, once, after the last stage.
        padding_mode: what to pad with, as in nn.Conv2d.
        gain: of the starting values; Kaiming's for ReLU unless given. nn.Conv2d's own weights have 3^-0.5.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: another number of groups; in ``forward``, another number of channels.

    Source: the layer of MobileNets, [howard2017mobilenets].
    """

    source = Source(HOWARD2017, where="section 3.1", provenance="recalled")
    takes = EXTRAS
    n_axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        *,
        gain: float = RELU_GAIN,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        set_interface(self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self._make_factors(gain, bias, device, dtype)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without bias, stride and dilation."""
        return (
            {"in_channels": 2, "out_channels": 3, "padding": 1, "gain": 1.0},
            {
                "in_channels": 2,
                "out_channels": 1,
                "kernel_size": (2, 3),
                "stride": 2,
                "dilation": (1, 2),
                "padding": (0, 1),
                "padding_mode": "reflect",
                "bias": False,
            },
        )

    def extra_repr(self) -> str:
        """The common arguments and the gain."""
        return f"{super().extra_repr()}, gain={self.gain:g}"
