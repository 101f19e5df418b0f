"""The host, a classifier without activation or normalisation, and the ladder on which its layers turn quantum."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.controls import frozen, same_size
from replank.parts.convolution.flipped_quanvolution import FlippedQuanv2d
from replank.parts.convolution.mean_conv import MeanConv2d
from replank.parts.convolution.symmetric_psd import SymmetricPSDConv2d
from replank.parts.linear.hamiltonian_reupload import HamiltonianReuploadLinear
from replank.parts.linear.softmax import SoftmaxLinear
from replank.parts.replacement import Builder, Replacement, describe, named, part
from replank.slots import Ladder, Swap
from replank.studies.quantum_creep.settings import CreepSettings

CONVOLUTIONS = ("conv1", "conv2")
N_CLASSES = 10


class ScaledLogits(nn.Module):
    """Multiplies the logits of a layer by one learned number, initially 1: rung 2d."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, input: Tensor) -> Tensor:
        """Scaled logits, shape ``(*, n_classes)``."""
        return self.scale * self.layer(input)


def classifier(shape: tuple[int, int, int], channels: tuple[int, int]) -> nn.Sequential:
    """Two 3x3 convolutions and a linear layer.

    Args:
        shape: (channels, height, width) of an image.
        channels: output channels of the two convolutions.
    """
    colours, height, width = shape
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(colours, channels[0], 3),
            conv2=nn.Conv2d(channels[0], channels[1], 3),
            flatten=nn.Flatten(),
            head=nn.Linear(channels[1] * (height - 4) * (width - 4), N_CLASSES),
        )
    )


def creep_ladder(settings: CreepSettings, shape: tuple[int, int, int] = (1, 32, 32)) -> Ladder:
    """All rungs, in the order of the study's arms.

    Args:
        settings: sizes.
        shape: (channels, height, width) of an image after framing.
    """

    def reupload(n_reps: int = settings.n_reps, **options: Any) -> part:
        return part(HamiltonianReuploadLinear, n_reps=n_reps, **options)

    def convolutions(replacement: Replacement) -> Swap:
        return Swap(CONVOLUTIONS, replacement)

    def head(replacement: Replacement) -> Swap:
        return Swap("head", replacement)

    quanvolutions = convolutions(FlippedQuanv2d)
    complex_quanvolutions = convolutions(part(FlippedQuanv2d, parametrisation="complex"))
    return Ladder(
        lambda: classifier(shape, settings.channels),
        {
            "level-0": None,
            "level-1": quanvolutions,
            "level-2": (quanvolutions, head(reupload())),
            "level-1-complex": complex_quanvolutions,
            "level-2-complex": (complex_quanvolutions, head(reupload(parametrisation="complex"))),
            "1a-symmetric-psd": convolutions(SymmetricPSDConv2d),
            "1b-mean-conv": convolutions(MeanConv2d),
            "1c-frozen-quanv": convolutions(frozen(FlippedQuanv2d)),
            "2a-head-only": head(reupload()),
            "2b-softmax-linear": (quanvolutions, head(SoftmaxLinear)),
            "2c-frozen-circuit": (quanvolutions, head(_frozen_circuit(reupload()))),
            "2d-logit-scale": (quanvolutions, head(_scaled(reupload()))),
            **{f"2e-reps-{n}": (quanvolutions, head(reupload(n))) for n in (1, 2, 5, 10)},
            "2f-same-size": (quanvolutions, head(same_size(reupload()))),
        },
        example=torch.zeros(2, *shape),
    )


def _frozen_circuit(replacement: part) -> Builder:
    """Angles stay as drawn, the bias is trained: a bias frozen at N(0, 1) would drown probabilities of about 1/32."""

    def frozen_circuit(old: nn.Module) -> nn.Module:
        layer = replacement(old)
        layer.get_parameter("theta").requires_grad_(False)
        return layer

    return named(frozen_circuit, f"{describe(replacement)}, angles frozen")


def _scaled(replacement: part) -> Builder:
    def scaled(old: nn.Module) -> nn.Module:
        return ScaledLogits(replacement(old))

    return named(scaled, f"{describe(replacement)}, scaled")
