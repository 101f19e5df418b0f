"""The interface of convolutions in one and three dimensions, which are no group of parts: what is left of it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor, nn

from replank.parts._input import check_dtype
from replank.parts.convolution._factorised import Sides, check_convolution, check_one_group, sides_of
from replank.parts.convolution._interface import PaddingMode, check_padding_mode, check_window

Numbers = int | tuple[int, ...]
"""The same along all axes, or one for each."""


class PlainConvolution(nn.Module):
    """A layer that can stand where torch's ``Conv1d`` or ``Conv3d`` stands, with the same arguments."""

    n_axes: ClassVar[int]

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    sides: Sides
    padding_mode: PaddingMode
    bias: nn.Parameter | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A layer with the channels, window, bias or none, device and dtype of torch's layer or of another such one.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: it has groups.
        """
        if not (isinstance(old, PlainConvolution) and old.n_axes == cls.n_axes):
            old = check_convolution(f"{cls.__name__}.like", old, cls.n_axes)
        some = next(old.parameters())
        return cls(
            old.in_channels,
            old.out_channels,
            old.kernel_size,
            old.stride,
            old._padding if isinstance(old, PlainConvolution) else old.padding,
            old.dilation,
            bias=old.bias is not None,
            padding_mode=old.padding_mode,
            device=some.device,
            dtype=some.dtype,
            **options,
        )

    def _set_interface(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Numbers,
        stride: Numbers,
        padding: Any,
        dilation: Numbers,
        groups: int,
        padding_mode: PaddingMode,
    ) -> None:
        """Store and check what the layer has in common with torch's, except the bias."""
        name = type(self).__name__
        check_one_group(name, groups)
        check_padding_mode(padding_mode, name)
        self.in_channels, self.out_channels, self.padding_mode = in_channels, out_channels, padding_mode
        self.kernel_size, self.stride, self.dilation = (
            self._each(what, value)
            for what, value in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation))
        )
        if min(in_channels, out_channels) < 1:
            raise ValueError(f"{name}: channels must be positive, got {in_channels} and {out_channels}.")
        self._padding = padding
        self.sides = sides_of(padding, self.kernel_size, self.stride, self.dilation, name)

    def _each(self, what: str, value: Numbers) -> tuple[int, ...]:
        each = (value,) * self.n_axes if isinstance(value, int) else tuple(value)
        if len(each) != self.n_axes or min(each) < 1:
            raise ValueError(
                f"{type(self).__name__}: `{what}` must be a positive number or {self.n_axes} of them, got "
                f"{what}={value!r}."
            )
        return each

    def _check_input(self, input: Tensor) -> None:
        """Refuse what torch's layer would refuse, in words.

        Raises:
            ValueError: another number of dimensions or channels, or an image smaller than the window.
            TypeError: not a floating-point tensor of the parameters' dtype.
        """
        name, shape = type(self).__name__, tuple(input.shape)
        if input.ndim not in (self.n_axes + 1, self.n_axes + 2):
            raise ValueError(f"{name}: input must be (B, C, {self.n_axes} sizes) or without B, got shape {shape}.")
        if shape[-1 - self.n_axes] != self.in_channels:
            raise ValueError(
                f"{name}: input must have in_channels={self.in_channels} channels, got {shape[-1 - self.n_axes]} "
                f"(shape {shape})."
            )
        check_window(name, shape, self.kernel_size, self.dilation, self.sides, self.padding_mode)
        check_dtype(self, input)

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self._padding!r}, dilation={self.dilation}, bias={self.bias is not None}, "
            f"padding_mode={self.padding_mode!r}"
        )
