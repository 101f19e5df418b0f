"""Simultaneous perturbation: a step from two values of the loss, however many parameters there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class SPSA(Optimizer):
    """``theta <- theta - a_k (L(theta + c_k d) - L(theta - c_k d)) / (2 c_k) d``, with random signs d.

    Steps shrink as ``a_k = lr / (k + 1 + stability)^alpha`` and ``c_k = perturbation / (k + 1)^gamma`` for k = 0, 1,
    2, ... The closure is evaluated twice a step; gradients that it leaves are not looked at.

    Args:
        params: parameters, or groups of them.
        lr: size of the steps.
        perturbation: size of the perturbations.
        stability: keeps the first steps small.
        alpha: how fast steps shrink.
        gamma: how fast perturbations shrink.
        generator: signs are drawn from it; from torch's default one if not given.

    Raises:
        ValueError: a size that is not positive, a negative constant, or a step is given no closure.

    Source: Spall (1998), IEEE Transactions on Aerospace and Electronic Systems 34, 817: the usual exponents.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.1,
        *,
        perturbation: float = 0.1,
        stability: float = 0.0,
        alpha: float = 0.602,
        gamma: float = 0.101,
        generator: torch.Generator | None = None,
    ):
        for name, value, is_fit in (
            ("lr", lr, lr > 0),
            ("perturbation", perturbation, perturbation > 0),
            ("stability", stability, stability >= 0),
            ("alpha", alpha, alpha >= 0),
            ("gamma", gamma, gamma >= 0),
        ):
            if not (is_fit and math.isfinite(value)):
                raise ValueError(f"SPSA: sizes must be positive and constants not negative, got {name}={value}.")
        defaults = {"lr": lr, "perturbation": perturbation, "stability": stability, "alpha": alpha, "gamma": gamma}
        super().__init__(params, {**defaults, "n_steps": 0})
        self._generator = generator

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step.

        Args:
            closure: computes the loss and returns it.

        Returns:
            The mean of the two losses, about the loss before the step.
        """
        if closure is None:
            raise ValueError("SPSA: the rule needs the loss, got closure=None. Pass a closure that returns it.")
        moves = [(p, self._signs(p), group) for group in self.param_groups for p in group["params"]]
        starts = [parameter.clone() for parameter, _, _ in moves]
        losses = []
        for side in (1, -1):
            for (parameter, signs, group), start in zip(moves, starts, strict=True):
                parameter.copy_(start + side * _perturbation(group) * signs)
            with torch.enable_grad():
                losses.append(float(closure()))
        for (parameter, signs, group), start in zip(moves, starts, strict=True):
            rate = group["lr"] / (group["n_steps"] + 1 + group["stability"]) ** group["alpha"]
            slope = (losses[0] - losses[1]) / (2 * _perturbation(group))
            parameter.copy_(start - rate * slope * signs)
        for group in self.param_groups:
            group["n_steps"] += 1
        return sum(losses) / 2

    def _signs(self, parameter: Tensor) -> Tensor:
        device = parameter.device if self._generator is None else self._generator.device
        bits = torch.randint(2, parameter.shape, generator=self._generator, device=device)
        return (2 * bits - 1).to(parameter)


def _perturbation(group: dict[str, Any]) -> float:
    return float(group["perturbation"] / (group["n_steps"] + 1) ** group["gamma"])
