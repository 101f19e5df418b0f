"""The update rule of Farhi and Neven: a gradient step that would shrink a linear loss by a known factor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer

_LEAST_SQUARE = 1e-12


class FarhiNevenSGD(Optimizer):
    """``theta <- theta - r (loss / |g|^2) g``, with the gradient g over all parameters: a linear loss shrinks by 1 - r.

    Meant for the loss of one sample at a time, whose least value is 0: the step is as long as it takes to bring the
    loss down by the part r, whatever the size of the gradient. Where that is next to nothing, ``|g|^2 < 1e-12``, there
    is no step [ours].

    Args:
        params: parameters, or groups of them; ``r`` is one for all.
        r: the part of the loss that a step takes away if the loss is linear. It is kept as each group's ``lr``, so that
            torch's schedules can change it.

    Raises:
        ValueError: ``r`` is not between 0 and 1, or a step is given no closure.

    Source: Farhi and Neven (2018), arXiv 1802.06002.
    """

    def __init__(self, params: Iterable[Any], r: float = 0.1):
        if not 0 < r < 1:
            raise ValueError(f"FarhiNevenSGD: `r` must lie between 0 and 1, got r={r}.")
        super().__init__(params, {"lr": r})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step.

        Args:
            closure: computes the loss with its gradients and returns it.

        Returns:
            The loss before the step.
        """
        if closure is None:
            raise ValueError(
                "FarhiNevenSGD: the rule needs the loss, got closure=None. Pass a closure that returns it."
            )
        with torch.enable_grad():
            loss = closure()
        pairs = [(p, p.grad, group["lr"]) for group in self.param_groups for p in group["params"] if p.grad is not None]
        square = sum(float(gradient.square().sum()) for _, gradient, _ in pairs)
        if square < _LEAST_SQUARE:
            return loss
        for parameter, gradient, r in pairs:
            parameter.add_(gradient, alpha=-r * float(loss) / square)
        return loss
