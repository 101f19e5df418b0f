"""Least squares by singular values: one decomposition, then any targets, cut-off and penalty."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class LeastSquares:
    """The singular value decomposition of features, and the linear read-outs that follow from it.

    There is no bias. Normal equations, which square the condition number, are never formed.

    Shape: features ``(n, d)``, targets ``(n,)`` or ``(n, k)``, read-outs ``(d,)`` or ``(d, k)``.

    Args:
        features: of the training samples.

    Raises:
        ValueError: they are no matrix, there are none, or there is NaN or infinity among them.

    Example:
        >>> features = torch.tensor([[1.0, 1.0], [2.0, 2.0]])
        >>> LeastSquares(features).solve(torch.tensor([1.0, 2.0]), rcond=1e-5)
        tensor([0.5000, 0.5000])
    """

    def __init__(self, features: Tensor):
        if features.ndim != 2 or not features.numel():
            raise ValueError(
                f"LeastSquares: features must be (n >= 1, d >= 1), got features of shape {tuple(features.shape)}."
            )
        if not features.isfinite().all():
            raise ValueError("LeastSquares: features must be finite, got NaN or infinity.")
        self._left, self.singular_values, self._right = torch.linalg.svd(features, full_matrices=False)

    def rank(self, rcond: float) -> int:
        """How many singular values are above ``rcond`` times the largest."""
        return int((self.singular_values > check_rcond(rcond) * self.singular_values[0]).sum())

    def solve(self, targets: Tensor, rcond: float = 1e-10) -> Tensor:
        """Of all read-outs that fit best, the one of least norm; singular values below the cut-off count as 0.

        Args:
            targets: of the training samples.
            rcond: the cut-off, relative to the largest singular value.

        Raises:
            ValueError: a cut-off that is not in [0, 1).
        """
        rank = self.rank(rcond)
        values = self.singular_values[:rank]
        return self._filtered(targets, 1 / values, rank)

    def ridge(self, targets: Tensor, alpha: float) -> Tensor:
        """The read-out ``c`` of least ``|features c - targets|^2 + alpha |c|^2``.

        Args:
            targets: of the training samples.
            alpha: the penalty; 0 is least squares with all singular values but those that are 0.

        Raises:
            ValueError: a penalty that is negative or not finite.
        """
        check_alpha(alpha)
        values = self.singular_values[: self.rank(0.0)]
        return self._filtered(targets, values / (values.square() + alpha), len(values))

    def _filtered(self, targets: Tensor, factors: Tensor, rank: int) -> Tensor:
        parts = self._left[:, :rank].mT @ targets
        return self._right[:rank].mT @ (factors.reshape(-1, *[1] * (parts.ndim - 1)) * parts)


def check_rcond(rcond: float) -> float:
    """Refuse a cut-off that leaves nothing."""
    if not 0 <= rcond < 1:
        raise ValueError(
            f"rcond: the cut-off is relative to the largest singular value and must be in [0, 1), got rcond={rcond}."
        )
    return rcond


def check_alpha(alpha: float) -> float:
    """Refuse a penalty that rewards."""
    if not 0 <= alpha < math.inf:
        raise ValueError(f"ridge: the penalty must be finite and not negative, got alpha={alpha}.")
    return alpha
