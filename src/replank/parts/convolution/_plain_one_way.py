"""Products of one-way filters in one and three dimensions, which share their constructor."""

from __future__ import annotations

from typing import Any

import torch

from replank.parts.convolution._factorised import RELU_GAIN
from replank.parts.convolution._interface import PaddingMode
from replank.parts.convolution._one_way import Mode, OneWayFilters
from replank.parts.convolution._plain import Numbers, PlainConvolution


class PlainOneWayFilters(OneWayFilters, PlainConvolution):
    """The arguments of torch's layer, then those of the filters; a subclass says how many axes there are."""

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
