"""Convolutions that are carried out in stages, each with a small kernel of its own, in one to three dimensions."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.convolution._interface import TORCH_MODES, same_sides

Sides = tuple[tuple[int, int], ...]
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d

CONVOLVE: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAYERS: dict[int, type[Convolution]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
RELU_GAIN = math.sqrt(2)


class Stage(NamedTuple):
    """One of the convolutions that are carried out one after the other.

    Args:
        kernel: ``(out, in / groups, *window)``, with a window of one along all axes but its own.
        groups: of channels.
        axes: along which its window lies: there it takes stride, dilation and padding.
    """

    kernel: Tensor
    groups: int
    axes: tuple[int, ...]


class FactorisedConvolution(nn.Module, abc.ABC):
    """What a convolution needs to be carried out in stages: its whole kernel is a product of theirs.

    A subclass has the attributes of the layer that it stands for, and says which stages there are.
    """

    in_channels: int
    out_channels: int
    kernel_size: Any
    """This, the stride and the dilation: a number for each axis."""
    stride: Any
    dilation: Any
    padding_mode: Any
    bias: nn.Parameter | None
    n_axes: ClassVar[int]

    sides: Any
    """Padding before and after, for each axis."""
    _check_input: Callable[[Tensor], None]
    """Refuses what a convolution would refuse; no abstract method, for it comes from another base."""

    @abc.abstractmethod
    def stages(self) -> list[Stage]:
        """The convolutions, in the order in which they are carried out."""

    @abc.abstractmethod
    def weight_tensor(self) -> Tensor:
        """The whole kernel, ``(out_channels, in_channels, *kernel_size)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Carry out the stages; the bias comes last."""
        self._check_input(input)
        *first, last = self.stages()
        for stage in first:
            input = self._carry_out(stage, input, None)
        return self._carry_out(last, input, self.bias)

    def reference(self, input: Tensor) -> Tensor:
        """The same by the whole kernel."""
        padded = F.pad(input, _flat(self.sides), TORCH_MODES[self.padding_mode])
        return CONVOLVE[self.n_axes](padded, self.weight_tensor(), self.bias, self.stride, 0, self.dilation)

    def to_dense(self) -> Convolution:
        """The torch layer with the same kernel.

        Raises:
            ValueError: its padding is one that torch's layer does not have.
        """
        kernel = self.weight_tensor().detach()
        dense = LAYERS[self.n_axes](
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self._torch_padding(),
            self.dilation,
            bias=self.bias is not None,
            padding_mode=self.padding_mode,
            device=kernel.device,
            dtype=kernel.dtype,
        )
        with torch.no_grad():
            dense.weight.copy_(kernel)
            if self.bias is not None and dense.bias is not None:
                dense.bias.copy_(self.bias)
        return dense.train(self.training)

    def macs(self, input_size: Sequence[int]) -> int:
        """Multiply-adds for one sample.

        Args:
            input_size: of the image, without channels.

        Raises:
            ValueError: it has another number of axes, or the window does not fit.
        """
        name = type(self).__name__
        if len(input_size) != self.n_axes:
            raise ValueError(
                f"{name}.macs: `input_size` must have {self.n_axes} numbers, got input_size={tuple(input_size)}."
            )
        size, total = list(input_size), 0
        for stage in self.stages():
            for axis in stage.axes:
                size[axis] = output_size(
                    size[axis], self.kernel_size[axis], self.stride[axis], self.dilation[axis], self.sides[axis]
                )
            if min(size) < 1:
                raise ValueError(
                    f"{name}.macs: the image must hold the window of kernel_size={self.kernel_size}, got "
                    f"input_size={tuple(input_size)}."
                )
            total += stage.kernel.numel() * math.prod(size)
        return total

    def _carry_out(self, stage: Stage, input: Tensor, bias: Tensor | None) -> Tensor:
        sides = [self.sides[axis] if axis in stage.axes else (0, 0) for axis in range(self.n_axes)]
        stride = [self.stride[axis] if axis in stage.axes else 1 for axis in range(self.n_axes)]
        dilation = [self.dilation[axis] if axis in stage.axes else 1 for axis in range(self.n_axes)]
        padding = [before for before, _ in sides]
        if self.padding_mode != "zeros" or any(before != after for before, after in sides):
            input = F.pad(input, _flat(sides), TORCH_MODES[self.padding_mode])
            padding = [0] * self.n_axes
        # torch's own padding, where there is such, needs no copy of the input
        return CONVOLVE[self.n_axes](input, stage.kernel, bias, stride, padding, dilation, stage.groups)

    def _torch_padding(self) -> Any:
        if all(before == after for before, after in self.sides):
            return tuple(before for before, _ in self.sides)
        if tuple(self.sides) == same_sides(self.kernel_size, self.dilation) and max(self.stride) == 1:
            return "same"
        raise ValueError(
            f"{type(self).__name__}.to_dense: padding must be the same on both sides of an axis, or that of "
            f"padding='same', got padding={tuple(self.sides)}. Pad the input instead."
        )

    def _reset_bias(self) -> None:
        """Draw the bias as torch's layer does."""
        if self.bias is not None:
            bound = (self.in_channels * math.prod(self.kernel_size)) ** -0.5
            nn.init.uniform_(self.bias, -bound, bound)


def along(kernel: Tensor, axes: Sequence[int], n_axes: int) -> Tensor:
    """A kernel ``(out, in, *window)`` whose window lies along some axes, with a window of one along the others."""
    window = [1] * n_axes
    for axis, size in zip(axes, kernel.shape[2:], strict=True):
        window[axis] = size
    return kernel.reshape(*kernel.shape[:2], *window)


def output_size(size: int, kernel: int, stride: int, dilation: int, sides: tuple[int, int]) -> int:
    """How long an axis is after a convolution."""
    return (size + sum(sides) - dilation * (kernel - 1) - 1) // stride + 1


def sides_of(
    padding: Any, kernel_size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], owner: str
) -> Sides:
    """Padding before and after, along each axis, from what torch's layers take for it.

    Args:
        padding: a number, one for each axis, ``"valid"`` or ``"same"``.
        kernel_size: of the window.
        stride: of the window.
        dilation: of the window.
        owner: for messages.

    Raises:
        ValueError: it is none of these, or ``"same"`` with a stride.
    """
    n_axes = len(kernel_size)
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f"{owner}: invalid padding string, should be one of 'valid', 'same', got padding={padding!r}."
            )
        if padding == "valid":
            return ((0, 0),) * n_axes
        if max(stride) > 1:
            raise ValueError(f"{owner}: padding='same' is not supported for strided convolutions, got stride={stride}.")
        return same_sides(kernel_size, dilation)
    each = (padding,) * n_axes if isinstance(padding, int) else tuple(padding)
    if len(each) != n_axes or not all(isinstance(side, int) and side >= 0 for side in each):
        raise ValueError(
            f"{owner}: `padding` must be a number, {n_axes} numbers, 'valid' or 'same', each at least 0, got "
            f"padding={padding!r}."
        )
    return tuple((side, side) for side in each)


def check_one_group(owner: str, groups: int) -> None:
    """Refuse grouped convolutions: their kernels are no tensors of all channels."""
    if groups != 1:
        raise ValueError(
            f"{owner}: the convolution must have groups=1, got groups={groups}. A grouped one is compressed already."
        )


def check_convolution(owner: str, conv: nn.Module, n_axes: int) -> Convolution:
    """The torch layer with that many axes, if it is one and in one group.

    Raises:
        TypeError: it is another module.
        ValueError: it has groups.
    """
    layer = LAYERS[n_axes]
    if not isinstance(conv, layer):
        raise TypeError(f"{owner}: needs an nn.{layer.__name__}, got {type(conv).__name__}.")
    check_one_group(owner, conv.groups)
    return conv


def _flat(sides: Sequence[tuple[int, int]]) -> list[int]:
    """Padding as torch's ``pad`` wants it: the last axis first."""
    return [side for pair in reversed(sides) for side in pair]
