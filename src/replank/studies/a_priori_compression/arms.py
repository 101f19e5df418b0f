"""The networks of the arms: one host, and what its blocks are made of."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from replank.lab.compression import Mode, Replaced, replace_convolutions
from replank.measure.parameters import count_parameters
from replank.parts.controls import same_size
from replank.parts.convolution import LowRankConv2d, SeparableFilterConv2d
from replank.parts.replacement import part
from replank.seeding import isolated
from replank.slots import swap
from replank.studies.a_priori_compression.network import Shape, WaveNet, dense_network, swapped
from replank.studies.a_priori_compression.settings import CompressionSettings

KAIMINGS_OVER_TORCHS = 6
"""2 / fan_in over 1 / (3 fan_in): ratio of the variances of weights."""


def network(settings: CompressionSettings, shape: Shape, example: Tensor, seed: int) -> nn.Module:
    """The arm's network; outside the blocks all arms of one seed start from the same values, except the thin one.

    Args:
        settings: with the arm's kind.
        shape: of input and output.
        example: one input.
        seed: of the starting values.
    """
    host = _host(settings, shape, seed)
    match settings.kind:
        case "dense":
            return host
        case "thin":
            return _host(settings, shape, seed, _thin_channels(settings, shape, example, seed))
        case "low-rank":
            names = [name for name, module in host.named_modules() if swapped(name, module)]
            control = same_size(part(SeparableFilterConv2d, mode="rank1"))
            return _as_large_as_kaimings(swap(host, names, control, example=example, seed=seed))
        case _:
            return _factorised(host, settings, example, seed).model


def decomposed(model: nn.Module, settings: CompressionSettings, example: Tensor) -> Replaced:
    """A trained dense network with the canonical decompositions of its kernels."""
    return replace_convolutions(model, swapped, "cp", settings.rank, example=example, project=True)


def swapped_weights(model: nn.Module) -> int:
    """Weights in the blocks, whatever they are made of, without biases."""
    return sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if name.startswith("blocks.") and not name.endswith(".bias")
    )


def _host(settings: CompressionSettings, shape: Shape, seed: int, channels: int | None = None) -> WaveNet:
    with isolated(seed, "host"):
        return dense_network(settings, shape, channels)


def _factorised(host: nn.Module, settings: CompressionSettings, example: Tensor, seed: int) -> Replaced:
    rank = settings.rank if settings.kind == "cp" else None
    return replace_convolutions(host, swapped, cast(Mode, settings.kind), rank, example=example, seed=seed)


def _as_large_as_kaimings(model: nn.Module) -> nn.Module:
    """Kernels of low rank begin with the variance of torch's weights, those of all other arms with Kaiming's."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, LowRankConv2d):
                for factor in (module.left, module.right):
                    factor.mul_(KAIMINGS_OVER_TORCHS**0.25)
    return model


def _thin_channels(settings: CompressionSettings, shape: Shape, example: Tensor, seed: int) -> int:
    """As many channels as a dense network may have with no more parameters than the one of rank one."""
    small = replace_convolutions(_host(settings, shape, seed), swapped, "rank1", example=example).model
    budget = count_parameters(small).total
    return max(
        channels
        for channels in range(1, settings.channels + 1)
        if channels == 1 or count_parameters(_host(settings, shape, seed, channels)).total <= budget
    )
