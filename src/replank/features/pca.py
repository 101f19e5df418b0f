"""Principal components: the directions in which training data vary most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from replank.features._fitted import FittedMap


class PCAProjector(FittedMap):
    """Projection on the first principal components of the training data, without whitening.

    Components are orthonormal rows, of descending variance. A direction has no sign of its own: in each the loading of
    largest magnitude is positive, so that equal data give equal features everywhere.

    Shape: ``(*, n_features) -> (*, n_components)``.

    Args:
        n_components: number of components.

    Raises:
        ValueError: there is no component; in ``fit``, more components than features or samples; before ``fit``, or with
            another number of features, in ``forward``.
    """

    _estimated: ClassVar = ("components", "mean", "explained_variance", "total_variance")
    components: Tensor
    mean: Tensor
    explained_variance: Tensor
    total_variance: Tensor

    def __init__(self, n_components: int):
        super().__init__()
        if n_components < 1:
            raise ValueError(f"PCAProjector: there must be at least one component, got n_components={n_components}.")
        self.n_components = n_components

    def _estimate(self, training: Tensor) -> Mapping[str, Tensor]:
        n_samples, n_features = training.shape
        if self.n_components > min(n_samples, n_features):
            raise ValueError(
                f"PCAProjector.fit: there can't be more components than features or samples, got n_components="
                f"{self.n_components} for {n_features} features of {n_samples} samples."
            )
        mean = training.mean(dim=0)
        _, singular, rows = torch.linalg.svd(training - mean, full_matrices=False)
        variance = singular.square() / max(1, n_samples - 1)
        components = rows[: self.n_components]
        largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))
        return {
            "components": components * largest.sign(),
            "mean": mean,
            "explained_variance": variance[: self.n_components],
            "total_variance": variance.sum(),
        }

    @property
    def explained_variance_ratio(self) -> Tensor:
        """The part of the training data's variance along each component, ``(n_components,)``."""
        return self.explained_variance / self.total_variance

    def forward(self, features: Tensor) -> Tensor:
        """Coordinates along the components, relative to the mean of the training data."""
        self._check(features)
        return (features - self.mean) @ self.components.mT

    def inverse(self, coordinates: Tensor) -> Tensor:
        """The point of these coordinates in the space of the components: what is nearest to the features."""
        if not self.is_fitted:
            self._check(coordinates)
        return coordinates @ self.components + self.mean

    def extra_repr(self) -> str:
        """The constructor's argument."""
        return f"n_components={self.n_components}"
