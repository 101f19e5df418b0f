"""The convolutions of MobileNetV2, width 1, as published; torchvision's have the same 2,223,872 parameters.

Source: M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018), arXiv 1801.04381, table 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

N_FEATURES = 1280
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, output channels, number of blocks, stride of the first."""


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow without an activation; added to the input where shapes allow."""

    def __init__(self, channels: int, outputs: int, *, stride: int, expansion: int):
        super().__init__()
        wide = channels * expansion
        widen = [_convolution(channels, wide, 1)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            _convolution(wide, wide, 3, stride=stride, groups=wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.adds = stride == 1 and channels == outputs

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(n, channels, h, w)`` to ``(n, outputs, h / stride, w / stride)``."""
        output: Tensor = self.layers(input)
        return input + output if self.adds else output


def mobilenet_features(channels: int = 3) -> nn.Sequential:
    """From images ``(n, channels, h, w)`` to feature maps ``(n, 1280, h / 32, w / 32)``, initialised at random.

    Args:
        channels: of the images.
    """
    layers: list[nn.Module] = [_convolution(channels, 32, 3, stride=2)]
    channels = 32
    for expansion, outputs, n_blocks, stride in STAGES:
        for number in range(n_blocks):
            first = stride if number == 0 else 1
            layers.append(InvertedResidual(channels, outputs, stride=first, expansion=expansion))
            channels = outputs
    layers.append(_convolution(channels, N_FEATURES, 1))
    features = nn.Sequential(*layers)
    features.apply(_draw)
    return features


def _convolution(channels: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, outputs, side, stride, side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    )


@torch.no_grad()
def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
