"""The swish, with a learned sharpness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.activation._interface import ActivationPart, check_positive
from replank.parts.papers import RAMACHANDRAN2017
from replank.sources import Source


class Swish(ActivationPart):
    """``t sigmoid(beta t)`` with one learned ``beta``.

    Replaces any elementwise activation, such as :class:`torch.nn.SiLU`, which is the case ``beta = 1``; it becomes
    :class:`torch.nn.ReLU` as ``beta`` grows, and half of a line as it vanishes.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        beta: the initial value, positive.
        device: of the parameter.
        dtype: of the parameter.

    Raises:
        ValueError: an initial value that is not positive and finite.

    Source: [ramachandran2017swish].
    """

    source = Source(RAMACHANDRAN2017, "swish with a trainable beta", "recalled")
    is_zero_at_zero = True

    def __init__(self, *, beta: float = 1.0, device: Any = None, dtype: torch.dtype | None = None):
        super().__init__(device=device, dtype=dtype)
        check_positive(self, "beta", beta)
        self.initial_beta = float(beta)
        self.beta = nn.Parameter(torch.empty((), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the initial value."""
        nn.init.constant_(self.beta, self.initial_beta)

    def forward(self, input: Tensor) -> Tensor:
        """The swish."""
        self._check_input(input)
        return input * (self.beta * input).sigmoid()

    def derivative(self, input: Tensor) -> Tensor:
        """``s + beta t s (1 - s)`` with ``s = sigmoid(beta t)``."""
        gate = (self.beta * input).sigmoid()
        return gate + self.beta * input * gate * (1 - gate)

    def reference(self, input: Tensor) -> Tensor:
        """The same by the logistic function's definition."""
        return input / (1 + torch.exp(-self.beta * input))

    def parameter_formula(self) -> int:
        """One."""
        return 1

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As it comes, and sharper."""
        return ({}, {"beta": 2.0})

    def extra_repr(self) -> str:
        """The initial value."""
        return f"beta={self.initial_beta}"
