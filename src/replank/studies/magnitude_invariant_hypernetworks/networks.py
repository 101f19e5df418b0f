"""The primary networks: a registration net and a classifier whose feature maps can be rescaled."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser

N_CLASSES = 10
FLOW_STD = 1e-3
SMALLEST = 0.25
"""Feature maps are rescaled by a factor from this to 1."""


class RegistrationNet(nn.Module):
    """A U-Net of three levels from a moving and a fixed image to a displacement in pixels.

    Shape: ``(B, 2, H, W) -> (B, 2, H, W)``, H and W multiples of 4.

    Args:
        channels: of every level.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.down = nn.ModuleList([_conv(2, channels), _conv(channels, channels), _conv(channels, channels)])
        self.up = nn.ModuleList([_conv(2 * channels, channels), _conv(2 * channels, channels)])
        self.flow = _conv(channels, 2)
        KaimingNormalInitialiser(a=0.2)(self)
        nn.init.normal_(self.flow.weight, std=FLOW_STD)  # no displacement to begin with

    def forward(self, images: Tensor) -> Tensor:
        """Displacements along x and y."""
        # the channels of a pixel side by side: small convolutions are faster on a CPU
        levels = [_bend(self.down[0](images.contiguous(memory_format=torch.channels_last)))]
        for conv in self.down[1:]:
            levels.append(_bend(conv(F.avg_pool2d(levels[-1], 2))))
        x = levels.pop()
        for conv in self.up:
            x = _bend(conv(torch.cat((F.interpolate(x, scale_factor=2), levels.pop()), 1)))
        displacement: Tensor = self.flow(x)
        return displacement


class ScaledClassifier(nn.Module):
    """Four convolutions, a global mean and a linear layer; maps are rescaled after the second convolution.

    Shape: images ``(B, 1, H, W)`` and a factor in (0, 1], or images alone -> ``(B, 10)``.

    Args:
        channels: of the convolutions.
    """

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        self.convs = nn.ModuleList([_conv(inner, outer) for inner, outer in itertools.pairwise((1, *channels))])
        self.fc = nn.Linear(channels[-1], N_CLASSES)
        KaimingNormalInitialiser(a=0.01)(self.convs)

    def forward(self, given: Tensor | tuple[Tensor, float]) -> Tensor:
        """Logits."""
        x, factor = given if isinstance(given, tuple) else (given, 1.0)
        for number, conv in enumerate(self.convs):
            x = F.leaky_relu(conv(x), 0.01)
            if number == 1 and factor != 1:
                size = [max(1, round(factor * length)) for length in x.shape[2:]]
                x = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


def rescaling(gamma: Tensor) -> float:
    """From a hyper-input in [0, 1] to the factor."""
    return SMALLEST + (1 - SMALLEST) * float(gamma)


def _conv(inner: int, outer: int) -> nn.Conv2d:
    return nn.Conv2d(inner, outer, 3, padding=1)


def _bend(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
