"""Kaiming's normal initialisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.initialiser._interface import Initialiser, Mode, fans
from replank.parts.papers import HE2015
from replank.sources import Source


class KaimingNormalInitialiser(Initialiser):
    """Normal values whose variance keeps that of activations (fan in) or gradients (fan out) through rectifiers.

    Variance: ``gain^2 / fan``; the gain of a leaky ReLU with slope a is ``sqrt(2 / (1 + a^2))``.

    Args:
        mode: ``"fan_in"`` or ``"fan_out"``.
        nonlinearity: what follows the layer, as torch names it.
        a: slope of a leaky ReLU.

    Source: [he2015rectifiers], in torch's convention.
    """

    source = Source(HE2015, "eqs. 10 and 14", "recalled")

    def __init__(self, *, mode: Mode = "fan_in", nonlinearity: Any = "leaky_relu", a: float = 0.0):
        self.mode, self.nonlinearity, self.a = mode, nonlinearity, a
        self.gain = nn.init.calculate_gain(nonlinearity, a)
        if mode not in ("fan_in", "fan_out"):
            raise ValueError(f"{type(self).__name__}: `mode` must be 'fan_in' or 'fan_out', got mode={mode!r}.")

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        nn.init.kaiming_normal_(weight, self.a, self.mode, self.nonlinearity, generator)

    def variance(self, shape: Sequence[int]) -> Tensor:
        """``gain^2 / fan``."""
        return torch.tensor(self.gain**2 / getattr(fans(shape), self.mode))

    def options(self) -> dict[str, Any]:
        """Mode and what follows."""
        return {"mode": self.mode, "nonlinearity": self.nonlinearity, "a": self.a}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both modes."""
        return {"nonlinearity": "relu"}, {"mode": "fan_out", "a": 0.01}
