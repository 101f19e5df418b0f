"""Fan-out initialisation of a hypernetwork's last layer, for each predicted tensor by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

from replank.parts.initialiser._predicted import PredictedInitialiser, Shapes, is_bias
from replank.parts.papers import ORTIZ2024
from replank.sources import Source


class PerTensorFanOutInitialiser(PredictedInitialiser):
    """Kaiming's normal values by fan out, where only rows of the same predicted tensor count: all would mix tensors.

    Variance: ``gain^2 / n`` for the rows of a tensor of n entries, ``gain^2 = 2 / (1 + a^2)``; 0 for the rows of
    biases, unless ``zero_biases`` is off.

    Args:
        shapes: of the predicted tensors by name, in the order of the rows.
        a: slope of the leaky ReLU.
        zero_biases: whether predicted biases start at zero, as in the official code.

    Source: [ortiz2024mip]; the official library's last layer.
    """

    source = Source(ORTIZ2024, "hyperlight, HyperNet._init_output_split", "official code")

    def __init__(self, shapes: Shapes, *, a: float = 0.01, zero_biases: bool = True):
        super().__init__(shapes)
        self.a, self.zero_biases = a, zero_biases

    def _variance(self, name: str, shape: tuple[int, ...], width: int) -> float:
        if self.zero_biases and is_bias(name):
            return 0.0
        return nn.init.calculate_gain("leaky_relu", self.a) ** 2 / math.prod(shape)

    def options(self) -> dict[str, Any]:
        """Shapes, slope and biases."""
        return {"shapes": self.shapes, "a": self.a, "zero_biases": self.zero_biases}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without biases of zero."""
        shapes = {"conv.weight": (4, 2, 3), "conv.bias": (8,), "fc.weight": (3, 5)}
        return {"shapes": shapes}, {"shapes": shapes, "a": 0.2, "zero_biases": False}
