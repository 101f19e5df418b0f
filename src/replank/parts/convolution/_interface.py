"""The contract of the group *convolution*: what is replaced, and which classical layer a part is compared with."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, get_args

from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts._input import check_dtype
from replank.parts.part import Part

__all__ = ["ConvolutionPart"]

Size = int | tuple[int, int]
Padding = int | tuple[int, int] | tuple[int, int, int, int]
"""The same on all sides; (height, width); or (top, bottom, left, right)."""
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
EXTRAS = frozenset({"dilation", "padding_mode"})
"""What some parts take of a convolution besides: the others need its plain value."""


class ConvolutionPart(Part):
    """A part that can stand where a :class:`torch.nn.Conv2d` stands.

    Its constructor begins with ``(in_channels, out_channels, kernel_size=3, stride=1, padding=0, bias=True, *, ...)``
    and ends with ``device=None, dtype=None``. Padding is by zeros: an int, (height, width), or (top, bottom, left,
    right). A part that also has ``dilation`` and ``padding_mode``, as nn.Conv2d has, says so in :attr:`takes`.
    Shape: ``(B, in_channels, H, W) -> (B, out_channels, H', W')`` or the same without ``B``, with
    ``H' = (H - dilation * (kernel - 1) - 1 + top + bottom) // stride + 1``; same dtype and device.
    """

    takes: ClassVar[frozenset[str]] = frozenset()
    """Which of :data:`EXTRAS` it takes."""

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)
    padding_mode: PaddingMode = "zeros"
    bias: nn.Parameter | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the channels, window, bias or none, device and dtype of a convolution or of another such part.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: its dilation, groups or padding mode can't be expressed, or its window by this part.
        """
        return cls(**interface(old, cls.__name__, cls.takes), **options)

    def _set_interface(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Padding,
        dilation: Size = 1,
        padding_mode: PaddingMode = "zeros",
    ) -> None:
        """Store and check what the part has in common with the layer it replaces, except the bias."""
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _pair(kernel_size), _pair(stride)
        self.dilation, self.padding_mode = _pair(dilation), padding_mode
        check_padding_mode(padding_mode, type(self).__name__)
        for name in ("in_channels", "out_channels", "kernel_size", "stride", "dilation"):
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
        check_window(name, shape, self.kernel_size, self.dilation, self.sides, self.padding_mode)
        check_dtype(self, input)

    @property
    def sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Padding before and after, for each axis of an image."""
        top, bottom, left, right = self.padding
        return (top, bottom), (left, right)

    def _convolve(self, input: Tensor, kernel: Tensor) -> Tensor:
        """Ordinary convolution with a kernel ``(out_channels, in_channels, *kernel_size)``, and the bias."""
        bias = None if self.bias is None else self.bias.flatten()
        top, bottom, left, right = self.padding
        if (top, left) == (bottom, right) and self.padding_mode == "zeros":  # torch's own needs no copy of the input
            return F.conv2d(input, kernel, bias, self.stride, (top, left), self.dilation)
        return F.conv2d(self._padded(input), kernel, bias, self.stride, 0, self.dilation)

    def _padded(self, input: Tensor) -> Tensor:
        top, bottom, left, right = self.padding
        return F.pad(input, (left, right, top, bottom), TORCH_MODES[self.padding_mode])

    def _patches(self, input: Tensor) -> Tensor:
        """The windows of a batch of images: ``(B, C, H, W) -> (B, C, H', W', height, width)``."""
        rows = self._padded(input).unfold(-2, self.kernel_size[0], self.stride[0])
        return rows.unfold(-2, self.kernel_size[1], self.stride[1])

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        extras = "".join(f", {name}={getattr(self, name)!r}" for name in sorted(self.takes))
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, bias={self.bias is not None}{extras}"
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


TORCH_MODES: dict[str, str] = {"zeros": "constant"} | {mode: mode for mode in ("reflect", "replicate", "circular")}
"""How torch's ``pad`` calls the modes that its convolutions have."""


def check_padding_mode(mode: str, owner: str) -> None:
    """Refuse a mode that nn.Conv2d does not have."""
    if mode not in get_args(PaddingMode):
        raise ValueError(f"{owner}: `padding_mode` must be one of {get_args(PaddingMode)}, got padding_mode={mode!r}.")


def check_window(
    owner: str,
    shape: tuple[int, ...],
    kernel_size: tuple[int, ...],
    dilation: tuple[int, ...],
    sides: tuple[tuple[int, int], ...],
    padding_mode: str,
) -> None:
    """Refuse an image that is smaller than the window, or than what its padding repeats of it."""
    least = {"reflect": 1, "circular": 0}.get(padding_mode)
    for size, kernel, step, (before, after) in zip(
        shape[-len(kernel_size) :], kernel_size, dilation, sides, strict=True
    ):
        if size + before + after < step * (kernel - 1) + 1:
            raise ValueError(
                f"{owner}: the padded image must hold the window of kernel_size={kernel_size}, got shape {shape} "
                f"with padding={sides}, dilation={dilation}."
            )
        if least is not None and size < max(before, after) + least:
            raise ValueError(
                f"{owner}: an image must have {max(before, after) + least} values or more along each axis for "
                f"padding={sides} by padding_mode={padding_mode!r}, got shape {shape}."
            )


def interface(old: nn.Module, asker: str, takes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The constructor arguments that a convolution or a part has in common with its replacement.

    Args:
        old: the convolution or part.
        asker: who asks, for messages.
        takes: which of :data:`EXTRAS` the replacement takes.
    """
    if not isinstance(old, nn.Conv2d | ConvolutionPart):
        raise TypeError(f"{asker}.like: needs an nn.Conv2d or a ConvolutionPart, got {type(old).__name__}.")
    _check_plain(old, asker, takes)
    some = next(old.parameters())
    return {
        "in_channels": old.in_channels,
        "out_channels": old.out_channels,
        "kernel_size": old.kernel_size,
        "stride": old.stride,
        "padding": _plain_padding(old) if isinstance(old, nn.Conv2d) else old.padding,
        "bias": old.bias is not None,
        **{name: getattr(old, name) for name in sorted(takes)},
        "device": some.device,
        "dtype": some.dtype.to_real(),
    }


def _check_plain(old: nn.Conv2d | ConvolutionPart, asker: str, takes: frozenset[str]) -> None:
    """Refuse what the replacement can't express."""
    for name, plain in (("dilation", (1, 1)), ("groups", 1), ("padding_mode", "zeros")):
        value = getattr(old, name, plain)
        if name not in takes and value != plain:
            raise ValueError(f"{asker}.like: needs a convolution with {name}={plain!r}, got {name}={value!r}.")


def _plain_padding(old: nn.Conv2d) -> Padding:
    """The padding of a convolution that a part can express."""
    if old.padding == "valid":
        return 0
    if old.padding == "same":
        (top, bottom), (left, right) = same_sides(old.kernel_size, old.dilation)
        return top, bottom, left, right
    return old.padding  # type: ignore[return-value]  # a pair: the texts are gone


def same_sides(kernel_size: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Padding before and after, along each axis, that keeps the size: torch puts the odd pixel after."""
    totals = [step * (kernel - 1) for kernel, step in zip(kernel_size, dilation, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)
