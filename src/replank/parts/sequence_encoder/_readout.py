"""From features of a sequence to its output."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def against_first(scores: Tensor) -> Tensor:
    """Outputs of which the first is 0 and the others are given: ``(*, n - 1) -> (*, n)``.

    As logits they say as much as n free ones, for which only differences count, with fewer parameters.
    """
    return torch.cat((torch.zeros_like(scores[..., :1]), scores), -1)


def counted_first(input: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Each sequence with the tokens that count in front, in their order, and how many they are: ``(B, L), (B,)``."""
    order = (~mask).to(torch.uint8).argsort(dim=-1, stable=True)
    return input.gather(-1, order), mask.sum(-1)


def draw_like_linear(weight: Tensor, bias: Tensor, fan_in: int) -> None:
    """Weights and bias as :class:`torch.nn.Linear` draws them."""
    bound = fan_in**-0.5
    nn.init.uniform_(weight, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)
