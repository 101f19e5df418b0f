"""Xavier's uniform initialisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.parts.initialiser.xavier_normal import XavierNormalInitialiser


class XavierUniformInitialiser(XavierNormalInitialiser):
    """Uniform values of the same variance as :class:`XavierNormalInitialiser`'s.

    Variance: ``2 gain^2 / (fan_in + fan_out)``.

    Args:
        gain: factor on the standard deviation.

    Source: [glorot2010difficulty], in torch's convention.
    """

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        nn.init.xavier_uniform_(weight, self.gain, generator)
