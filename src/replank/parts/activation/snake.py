"""The snake, with a learned frequency."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.activation._interface import ActivationPart, check_positive
from replank.parts.papers import ZIYIN2020
from replank.sources import Source


class Snake(ActivationPart):
    """``t + sin^2(frequency t) / frequency`` with one learned frequency: periodic, and yet it never falls.

    Replaces any elementwise activation, such as :class:`torch.nn.ReLU`. At a frequency of 0, where training may pass,
    it is the identity.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        frequency: the initial value, positive.
        device: of the parameter.
        dtype: of the parameter.

    Raises:
        ValueError: an initial value that is not positive and finite.

    Source: [ziyin2020snake].
    """

    source = Source(ZIYIN2020, "snake with a trainable frequency", "recalled")
    is_monotone = True
    is_zero_at_zero = True

    def __init__(self, *, frequency: float = 1.0, device: Any = None, dtype: torch.dtype | None = None):
        super().__init__(device=device, dtype=dtype)
        check_positive(self, "frequency", frequency)
        self.initial_frequency = float(frequency)
        self.frequency = nn.Parameter(torch.empty((), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the initial value."""
        nn.init.constant_(self.frequency, self.initial_frequency)

    def forward(self, input: Tensor) -> Tensor:
        """The snake, without a division by the frequency."""
        self._check_input(input)
        turn = self.frequency * input
        return input + input * turn * torch.sinc(turn / math.pi).square()

    def derivative(self, input: Tensor) -> Tensor:
        """``1 + sin(2 frequency t)``."""
        return 1 + (2 * self.frequency * input).sin()

    def reference(self, input: Tensor) -> Tensor:
        """The same by the double angle."""
        return input + (1 - torch.cos(2 * self.frequency * input)) / (2 * self.frequency)

    def parameter_formula(self) -> int:
        """One."""
        return 1

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As it comes, and faster."""
        return ({}, {"frequency": 2.5})

    def extra_repr(self) -> str:
        """The initial value."""
        return f"frequency={self.initial_frequency}"
