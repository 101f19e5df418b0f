"""The contract of the group *convolution*: what is replaced, and which classical layer a part is compared with."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts._input import check_dtype
from replank.parts.part import Part

__all__ = ["ConvolutionPart"]

Size = int | tuple[int, int]
Padding = int | tuple[int, int] | tuple[int, int, int, int]
"""The same on all sides; (height, width); or (top, bottom, left, right)."""


class ConvolutionPart(Part):
    """A part that can stand where a :class:`torch.nn.Conv2d` stands.

    Its constructor begins with ``(in_channels, out_channels, kernel_size=3, stride=1, padding=0, bias=True, *, ...)``
    and ends with ``device=None, dtype=None``. Padding is by zeros: an int, (height, width), or (top, bottom, left,
    right). Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')`` or the same without ``B``, with
    ``H' = (H - kernel + top + bottom) // stride + 1``; same dtype and device.
    """

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    bias: nn.Parameter | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the channels, window, bias or none, device and dtype of a convolution or of another such part.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: its dilation, groups or padding mode can't be expressed, or its window by this part.
        """
        return cls(**interface(old, cls.__name__), **options)

    def _set_interface(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size, padding: Padding
    ) -> None:
        """Store and check what the part has in common with the layer it replaces, except the bias."""
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _pair(kernel_size), _pair(stride)
        for name in ("in_channels", "out_channels", "kernel_size", "stride"):
            value = getattr(self, name)
            if min(_pair(value)) < 1:
                raise ValueError(f"{type(self).__name__}: `{name}` must be positive, got {name}={value}.")
        self.padding = four_sides(padding, type(self).__name__)

    def _check_square(self) -> int:
        """The side of the window, for parts whose kernels are symmetric matrices."""
        height, width = self.kernel_size
        if height != width:
            raise ValueError(f"{type(self).__name__}: the window must be square, got kernel_size={self.kernel_size}.")
        return height

    def _check_input(self, input: Tensor) -> None:
        """Refuse what a convolution would refuse, in words.

        Raises:
            ValueError: another number of dimensions or channels, or an image smaller than the window.
            TypeError: not a floating-point tensor of the parameters' dtype.
        """
        name, shape = type(self).__name__, tuple(input.shape)
        if input.ndim not in (3, 4):
            raise ValueError(f"{name}: input must be (B, C, H, W) or (C, H, W), got shape {shape}.")
        if shape[-3] != self.in_channels:
            raise ValueError(
                f"{name}: input must have in_channels={self.in_channels} channels, got {shape[-3]} (shape {shape})."
            )
        top, bottom, left, right = self.padding
        if shape[-2] + top + bottom < self.kernel_size[0] or shape[-1] + left + right < self.kernel_size[1]:
            raise ValueError(
                f"{name}: the padded image must hold the window of kernel_size={self.kernel_size}, got shape {shape} "
                f"with padding={self.padding}."
            )
        check_dtype(self, input)

    def _convolve(self, input: Tensor, kernel: Tensor) -> Tensor:
        """Ordinary convolution with a kernel ``(out_channels, in_channels, *kernel_size)``, and the bias."""
        bias = None if self.bias is None else self.bias.flatten()
        top, bottom, left, right = self.padding
        if (top, left) == (bottom, right):  # torch's own padding needs no copy of the input
            return F.conv2d(input, kernel, bias, self.stride, (top, left))
        return F.conv2d(F.pad(input, (left, right, top, bottom)), kernel, bias, self.stride)

    def _patches(self, input: Tensor) -> Tensor:
        """The windows of a batch of images: ``(B, C, H, W) -> (B, C, H', W', height, width)``."""
        top, bottom, left, right = self.padding
        padded = F.pad(input, (left, right, top, bottom))
        rows = padded.unfold(-2, self.kernel_size[0], self.stride[0])
        return rows.unfold(-2, self.kernel_size[1], self.stride[1])

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, bias={self.bias is not None}"
        )


def _pair(value: Size) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def four_sides(padding: Padding, owner: str) -> tuple[int, int, int, int]:
    """Padding as (top, bottom, left, right)."""
    sides = (padding,) if isinstance(padding, int) else padding
    well_formed = isinstance(sides, tuple | list) and all(isinstance(side, int) and side >= 0 for side in sides)
    if not well_formed or len(sides) not in (1, 2, 4):
        raise ValueError(
            f"{owner}: `padding` must be an int, (height, width) or (top, bottom, left, right), each at least 0, got "
            f"padding={padding!r}."
        )
    if len(sides) == 4:
        top, bottom, left, right = sides
        return top, bottom, left, right
    return sides[0], sides[0], sides[-1], sides[-1]


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that a convolution or a part has in common with its replacement."""
    if not isinstance(old, nn.Conv2d | ConvolutionPart):
        raise TypeError(f"{asker}.like: needs an nn.Conv2d or a ConvolutionPart, got {type(old).__name__}.")
    some = next(old.parameters())
    return {
        "in_channels": old.in_channels,
        "out_channels": old.out_channels,
        "kernel_size": old.kernel_size,
        "stride": old.stride,
        "padding": _plain_padding(old, asker) if isinstance(old, nn.Conv2d) else old.padding,
        "bias": old.bias is not None,
        "device": some.device,
        "dtype": some.dtype.to_real(),
    }


def _plain_padding(old: nn.Conv2d, asker: str) -> Padding:
    """The padding of a convolution that a part can express."""
    for name, plain in (("dilation", (1, 1)), ("groups", 1), ("padding_mode", "zeros")):
        value = getattr(old, name)
        if value != plain:
            raise ValueError(f"{asker}.like: needs a convolution with {name}={plain!r}, got {name}={value!r}.")
    if old.padding == "valid":
        return 0
    if old.padding == "same":  # torch puts the odd pixel at the bottom and on the right
        (height, width) = old.kernel_size
        return (height - 1) // 2, height // 2, (width - 1) // 2, width // 2
    return old.padding  # type: ignore[return-value]  # a pair: the texts are gone
