"""Extrapolators that are linear in the values: a fixed weight for each scale."""

from __future__ import annotations

import abc

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import Extrapolator


class WeightedExtrapolator(Extrapolator):
    """``E(at) = sum_k w_k E(scale_k)``, whatever the values are; the weights sum to 1."""

    @abc.abstractmethod
    def weights(self, scale: Tensor, at: float = 0.0) -> Tensor:
        """The weights of values at ascending scales, ``(m,)``."""

    def variance_factor(self, scale: Tensor) -> float:
        """By how much the variance of independent shots grows: the sum of squared weights."""
        return float(self.weights(scale.sort().values).square().sum())

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        self._scale, self._rows = scale, rows

    def _predict(self, at: float) -> Tensor:
        return self._rows @ self.weights(self._scale, at)


def lagrange_weights(nodes: Tensor, at: float) -> Tensor:
    """Of the polynomial through all nodes: ``w_k = prod_{j != k} (at - x_j) / (x_k - x_j)``."""
    differences = nodes[:, None] - nodes
    differences.fill_diagonal_(1)
    numerators = (at - nodes).expand(len(nodes), -1).clone().fill_diagonal_(1)
    return (numerators / differences).prod(1)


def least_squares_weights(scale: Tensor, degree: int, at: float) -> Tensor:
    """Of the least-squares polynomial of a degree.

    It is taken in a variable that runs from -1 to 1, in which monomials are well told apart.
    """
    middle, half = (scale[-1] + scale[0]) / 2, ((scale[-1] - scale[0]) / 2).clamp(min=torch.finfo(scale.dtype).tiny)
    powers = torch.arange(degree + 1).to(scale)
    table = ((scale - middle) / half)[:, None] ** powers
    row = ((at - middle) / half) ** powers
    weights: Tensor = row @ torch.linalg.pinv(table)
    return weights
