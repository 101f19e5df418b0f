"""Nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from replank.parts.initialiser._interface import Initialiser
from replank.sources import Source


class ZerosInitialiser(Initialiser):
    """Zeros: a layer that says nothing before it is trained.

    Variance: 0.

    Source: our own, as the simplest control.
    """

    source = Source(None, where="simplest control", provenance="ours")

    def _fill(self, weight: Tensor, generator: torch.Generator | None) -> None:
        weight.zero_()

    def variance(self, shape: Sequence[int]) -> Tensor:
        """0."""
        return torch.zeros(())

    def options(self) -> dict[str, Any]:
        """None."""
        return {}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One."""
        return ({},)
