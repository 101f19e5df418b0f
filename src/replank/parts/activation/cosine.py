"""The cosine."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.parts.activation._interface import ActivationPart
from replank.parts.papers import RAHIMI2007
from replank.sources import Source


class Cosine(ActivationPart):
    """``cos t``: with random weights and phases in front, random Fourier features.

    Replaces any elementwise activation, such as :class:`torch.nn.ReLU`.

    Shape: ``(*) -> (*)``, same dtype and device as the input.

    Args:
        device: taken as of all parts.
        dtype: likewise.

    Source: [rahimi2007features].
    """

    source = Source(RAHIMI2007, "random Fourier features", "recalled")
    bounds = (-1.0, 1.0)

    def forward(self, input: Tensor) -> Tensor:
        """The cosine."""
        self._check_input(input)
        return input.cos()

    def derivative(self, input: Tensor) -> Tensor:
        """``-sin t``."""
        return -input.sin()

    def reference(self, input: Tensor) -> Tensor:
        """The same as a real part."""
        return torch.exp(1j * input).real
