"""The interface of parts that take every argument of torch's layer: text for the padding, and groups to be refused."""

from __future__ import annotations

from replank.parts.convolution._factorised import check_one_group, sides_of
from replank.parts.convolution._interface import ConvolutionPart, Padding, PaddingMode, Size


def set_interface(
    part: ConvolutionPart,
    in_channels: int,
    out_channels: int,
    kernel_size: Size,
    stride: Size,
    padding: Padding | str,
    dilation: Size,
    groups: int,
    padding_mode: PaddingMode,
) -> None:
    """Store and check what a part has in common with torch's layer, except the bias.

    Raises:
        ValueError: more than one group, or padding that torch's layer would refuse.
    """
    name = type(part).__name__
    check_one_group(name, groups)
    given: Padding = 0 if isinstance(padding, str) else padding
    part._set_interface(in_channels, out_channels, kernel_size, stride, given, dilation, padding_mode)
    if isinstance(padding, str):
        (top, bottom), (left, right) = sides_of(padding, part.kernel_size, part.stride, part.dilation, name)
        part.padding = (top, bottom, left, right)
