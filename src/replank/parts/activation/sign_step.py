"""The sign."""

from __future__ import annotations

from torch import Tensor

from replank.parts.activation._interface import ActivationPart
from replank.parts.papers import LI2023BANDLIMITED
from replank.sources import Source


class SignStep(ActivationPart):
    """The sign of each number: -1, 0 or 1.

    Replaces any elementwise activation, such as :class:`torch.nn.ReLU`. Its derivative is that of the function, 0
    wherever there is one: nothing in front of it can be trained by gradients, as random features need not be.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        device: taken as of all parts.
        dtype: likewise.

    Source: among the activations that [li2023bandlimited] speaks of.
    """

    source = Source(LI2023BANDLIMITED, "activations of random networks", "recalled")
    bounds = (-1.0, 1.0)
    is_monotone = True
    is_zero_at_zero = True

    def forward(self, input: Tensor) -> Tensor:
        """The sign."""
        self._check_input(input)
        return input.sign()

    def derivative(self, input: Tensor) -> Tensor:
        """0."""
        return input * 0

    def reference(self, input: Tensor) -> Tensor:
        """The same by two comparisons; the last term has nothing but the gradient, which is 0."""
        return (input > 0).to(input) - (input < 0).to(input) + 0 * input
