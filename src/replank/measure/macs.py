"""How many multiply-adds a convolution takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from replank.measure.flops import forward_flops
from replank.parts.convolution import ConvolutionPart


@runtime_checkable
class _CountsMacs(Protocol):
    """A layer that knows its own multiply-adds."""

    def macs(self, input_size: Sequence[int]) -> int:
        """Multiply-adds for one sample, of an image of that size."""


def conv_macs(layer: nn.Module, input_size: Sequence[int]) -> int:
    """Multiply-adds of a convolution for one sample; biases are not counted.

    Args:
        layer: torch's ``Conv1d``, ``Conv2d`` or ``Conv3d``, or what replaces one: by its own formula if it has one,
            else as :func:`forward_flops` counts them.
        input_size: of the image, without channels, e.g. ``(height, width)``.

    Raises:
        TypeError: the layer is no convolution.
        ValueError: the size has another number of axes, or the window does not fit.
    """
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return _dense(layer, tuple(input_size))
    if not isinstance(layer, _CountsMacs | ConvolutionPart):
        raise TypeError(f"conv_macs: `layer` must be a convolution or a part for one, got {type(layer).__name__}.")
    if isinstance(layer, _CountsMacs):
        return layer.macs(input_size)
    _check_axes(2, input_size)
    weight = next(layer.parameters())
    image = torch.zeros(1, layer.in_channels, *input_size, device=weight.device, dtype=weight.dtype.to_real())
    return forward_flops(layer, image) // 2


def _dense(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d, size: tuple[int, ...]) -> int:
    _check_axes(len(layer.kernel_size), size)
    padding = (0,) * len(size) if isinstance(layer.padding, str) else layer.padding
    after = [
        (length + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for length, kernel, stride, dilation, pad in zip(
            size, layer.kernel_size, layer.stride, layer.dilation, padding, strict=True
        )
    ]
    if layer.padding == "same":
        after = list(size)
    if min(after) < 1:
        raise ValueError(
            f"conv_macs: the image must hold the window of kernel_size={layer.kernel_size}, got input_size={size}."
        )
    return math.prod(after) * layer.weight.numel()


def _check_axes(n_axes: int, size: Sequence[int]) -> None:
    if len(size) != n_axes:
        raise ValueError(f"conv_macs: `input_size` must have {n_axes} numbers, got input_size={tuple(size)}.")
