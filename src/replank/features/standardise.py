"""Features of mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from replank.features._fitted import FittedMap


class Standardiser(FittedMap):
    """Features minus their training mean, over their training standard deviation.

    A feature that is constant in training is shifted only: it becomes 0 there.

    Shape: ``(*, n_features) -> (*, n_features)``.

    Raises:
        ValueError: before ``fit``, or with another number of features, in ``forward``.
    """

    _estimated: ClassVar = ("mean", "scale")
    mean: Tensor
    scale: Tensor

    def _estimate(self, training: Tensor) -> Mapping[str, Tensor]:
        scale = training.std(dim=0, correction=0)
        # compared by value: the rounded mean of equal numbers may differ from them, which would leave a tiny spread
        constant = (training == training[0]).all(dim=0)
        return {"mean": training.mean(dim=0), "scale": torch.where(constant, torch.ones_like(scale), scale)}

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features."""
        self._check(features)
        return (features - self.mean) / self.scale
