"""How a network comes to fit, unless whoever uses it brings a way of training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Trainer = Callable[[nn.Module, Tensor, Tensor], object]
"""Trains a network on inputs and targets, in place; it adds the network's own ``penalty()``, if there is one."""


def penalty_of(network: nn.Module) -> Tensor | float:
    """What a network asks to be added to its loss, of its last forward pass."""
    own = getattr(network, "penalty", None)
    return own() if callable(own) else 0.0


def by_lbfgs(network: nn.Module, x: Tensor, y: Tensor, iterations: int = 30) -> None:
    """All samples at once, by L-BFGS with a line search."""
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=iterations, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        loss = F.mse_loss(network(x), y) + penalty_of(network)
        torch.autograd.backward(loss)
        return float(loss.detach())

    with torch.enable_grad():
        optimiser.step(closure)  # type: ignore[no-untyped-call]
