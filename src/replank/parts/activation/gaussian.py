"""The Gaussian bump."""

from __future__ import annotations

import math

from torch import Tensor

from replank.parts.activation._interface import ActivationPart
from replank.parts.papers import LI2023BANDLIMITED
from replank.sources import Source


class Gaussian(ActivationPart):
    """``exp(-t^2 / 2)``: local where others are not, and its own Fourier transform.

    Replaces any elementwise activation, such as :class:`torch.nn.ReLU`.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        device: taken as of all parts.
        dtype: likewise.

    Source: among the activations that [li2023bandlimited] speaks of, as a radial function of one variable.
    """

    source = Source(LI2023BANDLIMITED, "activations of random networks", "recalled")
    bounds = (0.0, 1.0)

    def forward(self, input: Tensor) -> Tensor:
        """The bump."""
        self._check_input(input)
        return (-0.5 * input.square()).exp()

    def derivative(self, input: Tensor) -> Tensor:
        """``-t exp(-t^2 / 2)``."""
        return -input * self(input)

    def reference(self, input: Tensor) -> Tensor:
        """The same as a power of two."""
        return 2.0 ** (-input * input / (2 * math.log(2)))
