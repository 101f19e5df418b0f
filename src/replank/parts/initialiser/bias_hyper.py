"""A hypernetwork that starts by predicting the same for every input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from replank.parts.initialiser._interface import Initialiser
from replank.parts.initialiser._predicted import PredictedInitialiser, Shapes, is_bias
from replank.parts.initialiser.kaiming_normal import KaimingNormalInitialiser
from replank.parts.papers import BECK2022
from replank.sources import Source


class BiasHyperInitialiser(PredictedInitialiser):
    """Bias-HyperInit: the last layer's weight is zero, its bias holds the usual values of the predicted tensors.

    Variance: 0 for the weight; for the bias that of ``base`` in each tensor, 0 where a bias is predicted.

    Args:
        shapes: of the predicted tensors by name, in the order of the rows.
        base: what predicted weights usually start from; Kaiming's normal values unless given.

    Source: [beck2022hypernetworks].
    """

    source = Source(BECK2022, "Bias-HyperInit", "recalled")

    def __init__(self, shapes: Shapes, *, base: Initialiser | None = None):
        super().__init__(shapes)
        self.base = base or KaimingNormalInitialiser(a=0.01)

    def _variance(self, name: str, shape: tuple[int, ...], width: int) -> float:
        return 0.0

    def bias_variance(self, n: int) -> Tensor:
        """That of the tensors' usual values, ``(n,)``."""
        return torch.cat([self._base_variance(name, shape).flatten() for name, shape in self.shapes.items()])

    def _base_variance(self, name: str, shape: Sequence[int]) -> Tensor:
        return torch.zeros(*shape) if is_bias(name) else self.base.variance(shape).expand(*shape)

    def _fill_bias(self, bias: Tensor, generator: torch.Generator | None) -> None:
        for name, block in self._blocks(bias):
            if is_bias(name):
                block.zero_()
            else:
                self.base(block.view(self.shapes[name]), generator)

    def options(self) -> dict[str, Any]:
        """Shapes and base."""
        return {"shapes": self.shapes, "base": self.base}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """The usual base."""
        return ({"shapes": {"conv.weight": (4, 2, 3), "conv.bias": (4,), "fc.weight": (3, 5)}},)
