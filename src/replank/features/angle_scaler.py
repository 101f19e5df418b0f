"""From features to angles: each component's training range becomes the range of an angle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from replank.features._fitted import FittedMap


class AngleScaler(FittedMap):
    """The smallest training value of each component goes to one end of a range, the largest to the other.

    Shape: ``(*, n_features) -> (*, n_features)``.

    Args:
        range: of the angles, in radians.
        clip: whether values beyond the training range go to its ends; else they go on in proportion.

    Raises:
        ValueError: the range is empty or not finite; in ``fit``, a component that is constant; before ``fit``, or with
            another number of features, in ``forward``.
    """

    _estimated: ClassVar = ("least", "greatest")
    least: Tensor
    greatest: Tensor

    def __init__(self, range: tuple[float, float] = (0.0, math.pi), clip: bool = True):
        super().__init__()
        low, high = range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"AngleScaler: `range` must be two finite numbers, the smaller first, got range={range}.")
        self.range, self.clip = (float(low), float(high)), clip

    def _estimate(self, training: Tensor) -> Mapping[str, Tensor]:
        least, greatest = training.aminmax(dim=0)
        constant = torch.nonzero(least == greatest).flatten().tolist()
        if constant:
            raise ValueError(
                f"AngleScaler.fit: each component must vary, got a constant one at {constant}. It has no range that "
                "could become angles; leave it out."
            )
        return {"least": least, "greatest": greatest}

    def forward(self, features: Tensor) -> Tensor:
        """Angles in the range, if they are clipped."""
        self._check(features)
        low, high = self.range
        angles = low + (features - self.least) * ((high - low) / (self.greatest - self.least))
        return angles.clamp(low, high) if self.clip else angles

    def inverse(self, angles: Tensor) -> Tensor:
        """The features that have these angles."""
        self._check(angles)
        low, high = self.range
        return self.least + (angles - low) * ((self.greatest - self.least) / (high - low))

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"range={self.range}, clip={self.clip}"
