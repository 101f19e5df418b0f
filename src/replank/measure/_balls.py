"""How far an attacker may go, and which way is up: the balls of two norms, sample by sample."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from replank import seeding

Norm = Literal["linf", "l2"]
"""How far an attacker may go: so far in each number, or so far in all in the Euclidean sense."""


class Cube:
    """The ball of the maximum norm."""

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length one that climbs most."""
        return gradient.sign()

    @staticmethod
    def into(centre: Tensor, x: Tensor, eps: float) -> Tensor:
        """The nearest point of the ball."""
        return torch.clamp(x, centre - eps, centre + eps)


class Ball:
    """The ball of the Euclidean norm."""

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The step of length one that climbs most; none where the loss is flat."""
        length = lengths(gradient)
        return gradient / torch.where(length > 0, length, torch.ones_like(length))

    @staticmethod
    def into(centre: Tensor, x: Tensor, eps: float) -> Tensor:
        """The nearest point of the ball."""
        length = lengths(x - centre)
        return torch.where(length > eps, centre + (x - centre) * (eps / length.clamp_min(eps or 1.0)), x)


BALLS: dict[Norm, Cube | Ball] = {"linf": Cube(), "l2": Ball()}


def lengths(x: Tensor) -> Tensor:
    """Euclidean length of each sample, with dimensions to broadcast by."""
    return x.flatten(1).norm(dim=1).view(-1, *[1] * (x.ndim - 1))


def random_offset(x: Tensor, eps: float, norm: Norm, seed: int, *purpose: str | int) -> Tensor:
    """A random point of the ball around zero for each sample, drawn on the CPU so that every device sees the same."""
    stream = seeding.torch_stream(seed, "robustness", *purpose)
    if norm == "linf":
        return (eps * (2 * torch.rand(x.shape, generator=stream, dtype=x.dtype) - 1)).to(x.device)
    towards = Ball.direction(torch.randn(x.shape, generator=stream, dtype=x.dtype))
    reach = torch.rand(len(x), *[1] * (x.ndim - 1), generator=stream, dtype=x.dtype) ** (1 / max(1, x[0].numel()))
    return (eps * reach * towards).to(x.device)
