"""Initialisation of a hypernetwork's last layer for the activations of the network that it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from replank.parts.initialiser._interface import fans
from replank.parts.initialiser._predicted import PredictedInitialiser, Shapes, is_bias
from replank.parts.papers import CHANG2020
from replank.sources import Source


class HyperfanInInitialiser(PredictedInitialiser):
    """Values under which the *predicted* weights vary as by Kaiming's fan in, so that activations keep their variance.

    Variance: ``g / (s fan_in k v)`` for the rows of a weight, ``g / (s k v)`` for those of its bias. Here k is the
    width of the hidden layer, v the mean square of what it holds, g is 2 if the predicted network has rectifiers and 1
    if not, and s is 2 if biases are predicted too, which then give half of the variance, and 1 if not.

    Args:
        shapes: of the predicted tensors by name, in the order of the rows.
        square: v, the mean square of an entry of the last hidden layer.
        relu: whether the predicted network has rectifiers.

    Raises:
        ValueError: the mean square is not positive and finite, or a predicted weight has fewer than two dimensions.

    Source: [chang2020hypernetworks], with the mean square in the place of the variance of centred inputs.
    """

    source = Source(CHANG2020, "hyperfan-in, table of variances", "recalled")

    def __init__(self, shapes: Shapes, *, square: float = 1.0, relu: bool = True):
        super().__init__(shapes)
        if not 0 < square < inf:
            raise ValueError(f"HyperfanInInitialiser: `square` must be positive and finite, got square={square}.")
        for name, shape in self.shapes.items():
            if not is_bias(name) and len(shape) < 2:
                raise ValueError(
                    f"HyperfanInInitialiser: predicted weights must have at least two dimensions, got {name!r} of "
                    f"shape {shape}."
                )
        self.square, self.relu = square, relu

    def _variance(self, name: str, shape: tuple[int, ...], width: int) -> float:
        both = any(map(is_bias, self.shapes))
        share = (2 if self.relu else 1) / (2 if both else 1)
        return share / (width * self.square * (1 if is_bias(name) else fans(shape).fan_in))

    def options(self) -> dict[str, Any]:
        """Shapes, mean square and rectifiers."""
        return {"shapes": self.shapes, "square": self.square, "relu": self.relu}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With predicted biases and without."""
        weights = {"conv.weight": (4, 2, 3), "fc.weight": (3, 5)}
        return {"shapes": {**weights, "fc.bias": (9,)}, "square": 0.3}, {"shapes": weights, "relu": False}
