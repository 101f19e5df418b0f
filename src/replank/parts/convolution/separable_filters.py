"""A convolution whose kernel is a product of one-way filters from the beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from replank.parts.convolution._factorised import RELU_GAIN
from replank.parts.convolution._interface import EXTRAS, ConvolutionPart, Padding, PaddingMode, Size
from replank.parts.convolution._one_way import Mode, OneWayFilters
from replank.parts.convolution._text_padding import set_interface
from replank.parts.papers import BOUKRAICHI2023
from replank.sources import Source


class SeparableFilterConv2d(OneWayFilters, ConvolutionPart):
    r"""Convolution with a kernel that is a product of one-way filters, carried out one after the other.

    Replaces :class:`torch.nn.Conv2d` and takes its arguments. Which product the paper means its abstract leaves open:

    - ``"rank1"``: ``K_ocyx = a_oc h_oy w_ox``, an outer product of three filters for each output channel;
      ``out * (in + height + width)`` weights.
    - ``"cp"``: ``K_ocyx = sum_r u_or a_rc h_ry w_rx``, the canonical polyadic decomposition of [lebedev2015speeding];
      ``rank * (in + height + width + out)`` weights. With ``rank = out`` and ``u`` the identity it is ``rank1``.
    - ``"spatial"``: ``K_ocyx = sum_m b_omx a_mcy`` with the channels mixed along both axes, as in
      [jaderberg2014speeding]; ``middle * (in * height + out * width)`` weights.

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
        mode: ``"rank1"``, ``"cp"`` or ``"spatial"``.
        rank: number of terms of ``"cp"``; channels in the middle of ``"spatial"``, the output's unless given.
        gain: of the starting values; Kaiming's for ReLU unless given. nn.Conv2d's own weights have 3^-0.5.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: another number of groups, an option that does not fit the mode; in ``forward``, another number of
            channels.

    Source: "one-way filters in the place of 3-way or 2-way kernels", the abstract of [boukraichi2023compression].
    """

    source = Source(BOUKRAICHI2023, where="abstract; which product is ours", provenance="ours")
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
        mode: Mode = "rank1",
        rank: int | None = None,
        gain: float = RELU_GAIN,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        set_interface(self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self._make_factors(mode, rank, gain, bias, device, dtype)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Each mode; strides, dilations, windows that are even or not square, and ways to pad."""
        return (
            {"in_channels": 2, "out_channels": 3, "padding": 1, "mode": "rank1"},
            {
                "in_channels": 3,
                "out_channels": 2,
                "kernel_size": (2, 3),
                "stride": (1, 2),
                "padding": (1, 0, 1, 2),
                "padding_mode": "circular",
                "bias": False,
                "mode": "cp",
                "rank": 2,
            },
            {
                "in_channels": 1,
                "out_channels": 2,
                "dilation": 2,
                "padding": 2,
                "padding_mode": "reflect",
                "mode": "spatial",
                "rank": 3,
                "gain": 1.0,
            },
        )

    def extra_repr(self) -> str:
        """The common arguments and the mode."""
        return super().extra_repr() + self._options_text()
