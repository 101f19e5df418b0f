"""The sine of a multiple."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.activation._interface import ActivationPart, check_positive
from replank.parts.papers import SITZMANN2020
from replank.sources import Source


class Sine(ActivationPart):
    """``sin(frequency t)``.

    Replaces any elementwise activation, such as :class:`torch.nn.ReLU`. Networks that represent images and sounds take
    a frequency of 30 and the initial weights that belong to it, which are not this part's business.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        frequency: positive.
        device: taken as of all parts.
        dtype: likewise.

    Raises:
        ValueError: a frequency that is not positive and finite.

    Source: [sitzmann2020siren].
    """

    source = Source(SITZMANN2020, "sin(omega_0 x)", "recalled")
    bounds = (-1.0, 1.0)
    is_zero_at_zero = True

    def __init__(self, *, frequency: float = 1.0, device: Any = None, dtype: torch.dtype | None = None):
        super().__init__(device=device, dtype=dtype)
        check_positive(self, "frequency", frequency)
        self.frequency = float(frequency)

    def forward(self, input: Tensor) -> Tensor:
        """The sine."""
        self._check_input(input)
        return (self.frequency * input).sin()

    def derivative(self, input: Tensor) -> Tensor:
        """``frequency cos(frequency t)``."""
        return self.frequency * (self.frequency * input).cos()

    def reference(self, input: Tensor) -> Tensor:
        """The same as an imaginary part."""
        return torch.exp(1j * self.frequency * input).imag

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As it comes, and faster."""
        return ({}, {"frequency": 3.0})

    def extra_repr(self) -> str:
        """The frequency."""
        return f"frequency={self.frequency}"
