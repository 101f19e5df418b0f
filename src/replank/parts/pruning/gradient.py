"""Weights whose removal would change the loss least go first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from replank.parts.papers import MOLCHANOV2017
from replank.parts.pruning._flat import Flat
from replank.parts.pruning._interface import Pruner
from replank.sources import Source


class GlobalGradient(Pruner):
    """The smallest ``|w g|`` of all layers together: the first-order change of the loss.

    Source: [molchanov2017pruning], for single weights.
    """

    source = Source(MOLCHANOV2017, "first-order Taylor criterion, for single weights", "recalled")
    needs_gradients = True

    def remove(self, flat: Flat, n: int) -> Tensor:
        """By ``|w g|``."""
        assert flat.gradients is not None
        return flat.smallest((flat.weights * flat.gradients).abs(), n)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """There is nothing to choose."""
        return ({},)
