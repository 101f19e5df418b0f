"""Weights that may be pruned, and pruned ones that stay exactly zero whatever the optimiser remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.optim import Optimizer

from replank.parts.pruning._flat import Tensors

OptimiserBuilder = Callable[[Iterable[nn.Parameter]], Optimizer]


def prunable_weights(model: nn.Module, *, every_weight: bool = False) -> dict[str, nn.Parameter]:
    """The weights of linear and convolutional layers, by name.

    Args:
        model: where to look.
        every_weight: also every other parameter whose name contains "weight", such as the scales of a BatchNorm, as
            the official code of activate-while-pruning has it.

    Raises:
        ValueError: there are none, or one is tied: the same parameter under two names.
    """
    layers = {
        f"{name}.weight" if name else "weight"
        for name, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, nn.Linear | _ConvNd)
    }
    found = {
        name: parameter
        for name, parameter in model.named_parameters(remove_duplicate=False)
        if name in layers or (every_weight and "weight" in name)
    }
    if not found:
        raise ValueError("prunable_weights: the model must have linear or convolutional layers, got none.")
    names: dict[int, str] = {}
    for name, parameter in found.items():
        if id(parameter) in names:
            raise ValueError(
                f"prunable_weights: no parameter may be pruned twice, got one under the names {names[id(parameter)]!r} "
                f"and {name!r}. Untie them, or choose the weights by hand."
            )
        names[id(parameter)] = name
    return found


def full_masks(weights: Tensors) -> dict[str, torch.Tensor]:
    """Masks of a network that has not been pruned."""
    return {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()}


@torch.no_grad()
def apply_masks(weights: Tensors, masks: Tensors) -> None:
    """Set what is not left to exactly 0, in place."""
    for name, weight in weights.items():
        weight.masked_fill_(~masks[name], 0.0)


def keep_pruned(optimiser: Optimizer, weights: Tensors, masks: Tensors) -> Optimizer:
    """Put masks on again after each step: momentum and weight decay move weights that have no gradient.

    Args:
        optimiser: of a model with these weights; it is given back.
        weights: parameters, by name.
        masks: true where a weight is left.
    """

    def mask_again(*_: Any) -> None:
        apply_masks(weights, masks)

    mask_again()
    optimiser.register_step_post_hook(mask_again)
    return optimiser


def masked(build: OptimiserBuilder, weights: Tensors, masks: Tensors) -> OptimiserBuilder:
    """A builder of optimisers that keep pruned weights at zero: for the ``optimiser`` of a training budget."""
    return lambda parameters: keep_pruned(build(parameters), weights, masks)
