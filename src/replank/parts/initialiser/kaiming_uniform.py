"""Kaiming's uniform initialisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser


class KaimingUniformInitialiser(KaimingNormalInitialiser):
    """Uniform values of the same variance as :class:`KaimingNormalInitialiser`'s, in ``+-gain sqrt(3 / fan)``.

    Variance: ``gain^2 / fan``. With ``a=sqrt(5)`` and fan in, this is what torch's layers start from.

    Args:
        mode: ``"fan_in"`` or ``"fan_out"``.
        nonlinearity: what follows the layer, as torch names it.
        a: slope of a leaky ReLU.

    Source: [he2015rectifiers], in torch's convention.
    """

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        nn.init.kaiming_uniform_(weight, self.a, self.mode, self.nonlinearity, generator)
