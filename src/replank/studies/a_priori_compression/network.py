"""The surrogate: residual blocks of convolutions on a grid whose boundary stays at rest. Its sizes are ours."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.studies.a_priori_compression.settings import CompressionSettings

_SMALL = 0.1
_LAYERS: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}


class Shape(NamedTuple):
    """What a network is between.

    Args:
        n_in: channels of the input.
        n_out: channels of the output.
        n_axes: 2 for space alone, 3 for time and space.
    """

    n_in: int
    n_out: int
    n_axes: int = 2


class WaveNet(nn.Module):
    """Convolution to ``channels``, residual blocks, and a 1x1 convolution to the output; the boundary is set to 0.

    Shape: ``(B, n_in, *sizes) -> (B, n_out, *sizes)`` with as many sizes as axes; the last two are those of space.

    Args:
        shape: channels and axes.
        channels: of the blocks.
        n_blocks: residual blocks.
        kernel_size: of all windows but the last.
    """

    def __init__(self, shape: Shape, *, channels: int, n_blocks: int, kernel_size: int):
        super().__init__()
        layer = _LAYERS[shape.n_axes]
        self.shape = shape
        self.first = layer(shape.n_in, channels, kernel_size, padding="same")
        self.blocks = nn.ModuleList(Block(layer, channels, kernel_size, n_blocks**-0.5) for _ in range(n_blocks))
        self.last = layer(channels, shape.n_out, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.normal_(self.last.weight, std=_SMALL * channels**-0.5)  # begin near the field at rest

    def forward(self, input: Tensor) -> Tensor:
        """The fields."""
        n_axes, n_in = self.shape.n_axes, self.shape.n_in
        if input.ndim != n_axes + 2 or input.shape[1] != n_in:
            raise ValueError(
                f"WaveNet: input must be (B, {n_in}, {n_axes} sizes), got shape {tuple(input.shape)}. A single sample "
                "is a batch of one."
            )
        between = self.first(input)
        for block in self.blocks:
            between = block(between)
        return F.pad(self.last(between)[..., 1:-1, 1:-1], (1, 1, 1, 1))


class Block(nn.Module):
    """``x + scale * conv2(GELU(conv1(x)))``; the scale keeps the sum of all blocks as large as one of them."""

    def __init__(self, layer: type[nn.Conv2d] | type[nn.Conv3d], channels: int, kernel_size: int, scale: float):
        super().__init__()
        self.scale = scale
        self.conv1 = layer(channels, channels, kernel_size, padding="same")
        self.conv2 = layer(channels, channels, kernel_size, padding="same")

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        output: Tensor = input + self.scale * self.conv2(F.gelu(self.conv1(input)))
        return output


class Known(nn.Module):
    """The same fields for every input, with nothing to be trained: a trivial reference."""

    fields: Tensor

    def __init__(self, fields: Tensor):
        super().__init__()
        self.register_buffer("fields", fields)

    def forward(self, input: Tensor) -> Tensor:
        """The fields, for each sample."""
        return self.fields.expand(len(input), *self.fields.shape)


def dense_network(settings: CompressionSettings, shape: Shape, channels: int | None = None) -> WaveNet:
    """The network with dense convolutions, from torch's default generator."""
    return WaveNet(
        shape,
        channels=channels or settings.channels,
        n_blocks=settings.n_blocks,
        kernel_size=settings.kernel_size,
    )


def swapped(name: str, module: nn.Module) -> bool:
    """Whether a convolution is swapped: all of the blocks are, the first and the last one stay."""
    return name.startswith("blocks.") and isinstance(module, nn.Conv2d | nn.Conv3d)


def stack(*channels: Tensor) -> Tensor:
    """Fields ``(B, *sizes)`` as the channels of one input."""
    return torch.stack(channels, 1)
