"""A convolution whose kernel is a product of one-way filters, in one dimension."""

from __future__ import annotations

from typing import Any

import torch

from replank.parts.convolution._factorised import RELU_GAIN
from replank.parts.convolution._interface import PaddingMode
from replank.parts.convolution._one_way import Mode, OneWayFilters
from replank.parts.convolution._plain import Numbers, PlainConvolution


class SeparableFilterConv1d(OneWayFilters, PlainConvolution):
    """Convolution with a kernel that is a product of a filter across the channels and one along the axis.

    Replaces :class:`torch.nn.Conv1d` and takes its arguments.

    Shape: ``(B, in_channels, L) -> (B, out_channels, L')``, or without ``B``; dtype
    and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the window.
        stride: of the window.
        padding: a number, one for each axis, ``"same"`` or ``"valid"``.
        dilation: of the window.
        groups: 1.
        bias: whether to add a learned bias, once, after the last stage.
        padding_mode: what to pad with, as in torch's layer.
        mode: ``"rank1"`` or ``"cp"``, as of SeparableFilterConv2d.
        rank: number of terms of ``"cp"``.
        gain: of the starting values; Kaiming's for ReLU unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: another number of groups, an option that does not fit; in ``forward``, another number of channels.

    Source: as SeparableFilterConv2d, [boukraichi2023compression].
    """

    n_axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers = 3,
        stride: Numbers = 1,
        padding: Numbers | str = 0,
        dilation: Numbers = 1,
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
        self._set_interface(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self._make_factors(mode, rank, gain, bias, device, dtype)

    def extra_repr(self) -> str:
        """The common arguments and the options."""
        return super().extra_repr() + self._options_text()
