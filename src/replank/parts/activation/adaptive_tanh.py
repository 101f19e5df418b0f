"""A hyperbolic tangent with a learned slope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.activation._interface import ActivationPart, check_positive
from replank.parts.papers import JAGTAP2020
from replank.sources import Source


class AdaptiveTanh(ActivationPart):
    """``tanh(n a t)`` with one learned ``a`` and a fixed factor ``n``, by which it learns the faster.

    Replaces any elementwise activation, such as :class:`torch.nn.Tanh`, which is the case ``n a = 1``.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        slope: the initial value of ``n a``, positive.
        factor: ``n``, positive.
        device: of the parameter.
        dtype: of the parameter.

    Raises:
        ValueError: a slope or a factor that is not positive and finite.

    Source: [jagtap2020adaptive].
    """

    source = Source(JAGTAP2020, "sigma(n a x) with a trainable a", "recalled")
    bounds = (-1.0, 1.0)
    is_monotone = True
    is_zero_at_zero = True

    def __init__(
        self, *, slope: float = 1.0, factor: float = 1.0, device: Any = None, dtype: torch.dtype | None = None
    ):
        super().__init__(device=device, dtype=dtype)
        check_positive(self, "slope", slope)
        check_positive(self, "factor", factor)
        self.initial_slope, self.factor = float(slope), float(factor)
        self.a = nn.Parameter(torch.empty((), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the initial slope."""
        nn.init.constant_(self.a, self.initial_slope / self.factor)

    def forward(self, input: Tensor) -> Tensor:
        """The hyperbolic tangent."""
        self._check_input(input)
        return (self.factor * self.a * input).tanh()

    def derivative(self, input: Tensor) -> Tensor:
        """``n a (1 - tanh^2)``."""
        return self.factor * self.a * (1 - self(input).square())

    def reference(self, input: Tensor) -> Tensor:
        """The same by exponentials."""
        power = torch.exp(2 * self.factor * self.a * input)
        return (power - 1) / (power + 1)

    def parameter_formula(self) -> int:
        """One."""
        return 1

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """As it comes, and with a factor."""
        return ({}, {"slope": 0.5, "factor": 10.0})

    def extra_repr(self) -> str:
        """The initial slope and the factor."""
        return f"slope={self.initial_slope}, factor={self.factor}"
