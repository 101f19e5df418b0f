"""Many small networks that are trained side by side: a layer is one batched product, a step is one step of all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Layers = list[tuple[Tensor, Tensor]]
"""Weights ``(N, in, out)`` and biases ``(N, 1, out)`` of N networks."""


def drawn_layers(sizes: Sequence[int], n: int, generator: torch.Generator, *, like: Tensor) -> Layers:
    """Initial layers of n networks, uniform in ``+-1/sqrt(in)`` as torch's, from one stream.

    Args:
        sizes: of input, hidden layers and output.
        n: how many networks.
        generator: on the CPU, in double precision whatever is asked for.
        like: gives dtype and device.
    """
    layers = []
    for inner, outer in itertools.pairwise(sizes):
        reach = 1 / math.sqrt(inner)
        both = (
            reach * (2 * torch.rand(n, rows, outer, generator=generator, dtype=torch.float64) - 1).to(like)
            for rows in (inner, 1)
        )
        layers.append((next(both), next(both)))
    return layers


def outputs(layers: Layers, x: Tensor) -> Tensor:
    """What each network gives for its own inputs: ``(N, m, in) -> (N, m, out)``, tanh between the layers."""
    for weight, bias in layers[:-1]:
        x = torch.tanh(torch.baddbmm(bias, x, weight))
    weight, bias = layers[-1]
    return torch.baddbmm(bias, x, weight)


def trained_layers(
    layers: Layers, loss: Callable[[Layers, int], Tensor], *, steps: int, lr: float, weight_decay: float
) -> Layers:
    """Networks after steps of Adam, which moves each number by itself: the networks do not see each other.

    Args:
        layers: where they begin; they stay as they are.
        loss: from layers and the number of a step to the *sum* of the networks' own losses.
        steps: how many.
        lr: step size.
        weight_decay: coefficient of the penalty on squared numbers, in the gradient.
    """
    parameters = [each.clone().requires_grad_() for pair in layers for each in pair]
    current = list(zip(parameters[::2], parameters[1::2], strict=True))
    # fused only where it saves a pass over memory for each operation of a step
    optimiser = torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay, fused=True)
    with torch.enable_grad():
        for step in range(steps):
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss(current, step))
            optimiser.step()
    return [(weight.detach(), bias.detach()) for weight, bias in current]
