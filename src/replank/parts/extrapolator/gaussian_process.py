"""A Gaussian process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.extrapolator._interface import Extrapolator, Range
from replank.parts.extrapolator._standard import Standardised
from replank.sources import Source

_LENGTHS = tuple(0.5 * 2 ** (k / 2) for k in range(12))
"""Of the kernel, in standard deviations of the scales."""
_NOISES = tuple(10.0**k for k in range(-8, 1))
"""Variances of noise, relative to that of the process."""


class GaussianProcessExtrapolator(Extrapolator):
    """Mean and standard deviation of a Gaussian process with a squared-exponential kernel.

    Values are standardised. The kernel's variance is set to its maximum-likelihood value, which has a closed form; its
    length and the noise are those of a grid that give each circuit's values the largest likelihood. So all circuits are
    fitted at once.

    Args:
        range: which scales may be fitted.

    Source: our own, after Rasmussen and Williams (2006), chapters 2 and 5.
    """

    source = Source(None, "a rival that has error bars", "ours")

    def __init__(self, *, range: Range = "device"):
        super().__init__(range=range)

    @property
    def least_points(self) -> int:
        """Two."""
        return 2

    def _fit(self, scale: Tensor, rows: Tensor, descriptors: Tensor | None) -> None:
        self._dtype = rows.dtype
        self._standard = Standardised(scale.double(), rows.double())  # kernels of smooth curves are nearly singular
        x, y = self._standard.x, self._standard.y
        pairs = [(length, noise) for length in _LENGTHS for noise in _NOISES]
        self._lengths, noises = torch.tensor(pairs, dtype=x.dtype, device=x.device).unbind(1)
        kernels = self._kernel(x[:, None] - x) + noises[:, None, None] * torch.eye(len(x)).to(x)
        self._factors = torch.linalg.cholesky(kernels)
        self._solved = torch.cholesky_solve(y.mT.expand(len(pairs), -1, -1), self._factors)  # (G, m, B)
        # the likelihood's own maximum over the kernel's variance; values that don't vary have none to speak of
        variances = ((y.mT * self._solved).sum(1) / len(x)).clamp(min=torch.finfo(x.dtype).tiny)
        log_determinants = 2 * self._factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        likelihoods = -0.5 * (len(x) * (variances.log() + math.log(2 * math.pi) + 1) + log_determinants[:, None])
        self._best = likelihoods.argmax(0)
        self._variance = variances.gather(0, self._best[None])[0]

    def _predict(self, at: float) -> Tensor:
        x = self._standard.x
        cross = self._kernel(self._standard.input(at) - x)  # (G, m)
        means = torch.einsum("gm,gmb->gb", cross, self._solved)
        explained = torch.linalg.solve_triangular(self._factors, cross[..., None], upper=False)
        left = (1 - explained.square().sum((1, 2))).clamp(min=0)
        mean = means.gather(0, self._best[None])[0]
        self.std = ((left[self._best] * self._variance).sqrt() * self._standard.spread).to(self._dtype)
        return self._standard.output(mean).to(self._dtype)

    def _kernel(self, distance: Tensor) -> Tensor:
        """For each length of the grid."""
        lengths = self._lengths.reshape(-1, *[1] * distance.ndim)
        return torch.exp(-0.5 * (distance / lengths).square())

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Both ranges."""
        return ({}, {"range": "full"})
