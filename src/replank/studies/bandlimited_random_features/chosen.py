"""Sizes and penalties that are chosen on held-out training samples; never on test samples."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from replank.features import LeastSquares
from replank.seeding import stream_seed, torch_stream
from replank.studies.bandlimited_random_features.nodes import held_out, random_net, size_of, spread_for_kernel
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings

Features = Callable[[Tensor], Tensor]
"""From inputs ``(n, m)`` to features ``(n, d)``."""
LEAST_KERNEL_PENALTY = 1e-8
"""Below it, the kernel matrix of a thousand near points is singular to double precision."""


class Chosen(NamedTuple):
    """A model that has been fitted to all training samples.

    Args:
        predict: from inputs to outputs.
        strength: of its weights.
        alpha: its penalty.
        norm: of its read-out.
        fitted: how many numbers were fitted.
    """

    predict: Callable[[Tensor], Tensor]
    strength: float
    alpha: float
    norm: float
    fitted: int


def chosen_features(settings: RandomFeatureSettings, x: Tensor, y: Tensor, seed: int) -> Chosen:
    """The arm's features of the size, and a ridge of the penalty, that predict held-out samples best."""
    build = _rbf_sampler if settings.model == "rbf-sampler" else _random_nodes
    fitted, kept = held_out(x, settings.held_out, torch_stream(seed, "held out"))
    errors = {}
    for strength in _strengths(settings):
        features = build(settings, strength, x[fitted], y[fitted], seed)
        solver, shown = LeastSquares(features(x[fitted])), features(x[kept])
        for alpha in settings.alphas:
            errors[strength, alpha] = float((shown @ solver.ridge(y[fitted], alpha) - y[kept]).square().mean())
    strength, alpha = min(errors, key=lambda pair: errors[pair])
    features = build(settings, strength, x, y, seed)
    weight = LeastSquares(features(x)).ridge(y, alpha)
    return Chosen(lambda inputs: features(inputs) @ weight, strength, alpha, float(weight.norm()), weight.numel())


def kernel_ridge(settings: RandomFeatureSettings, x: Tensor, y: Tensor, seed: int) -> Chosen:
    """Ridge regression with a Gaussian kernel, its width and penalty chosen on held-out samples."""
    from sklearn.kernel_ridge import KernelRidge

    fitted, kept = held_out(x, settings.held_out, torch_stream(seed, "held out"))

    def fit(strength: float, alpha: float, index: Tensor) -> KernelRidge:
        model = KernelRidge(alpha=alpha, kernel="rbf", gamma=spread_for_kernel(strength, x))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nearly singular kernels are what small penalties ask for
            return model.fit(x[index].numpy(), y[index].numpy())

    def error(pair: tuple[float, float]) -> float:
        return float(np.square(fit(*pair, fitted).predict(x[kept].numpy()) - y[kept].numpy()).mean())

    penalties = sorted({max(alpha, LEAST_KERNEL_PENALTY) for alpha in settings.alphas})
    strength, alpha = min(itertools.product(settings.strengths, penalties), key=error)
    model = fit(strength, alpha, torch.arange(len(x)))
    return Chosen(
        lambda inputs: torch.from_numpy(model.predict(inputs.numpy())),
        strength,
        alpha,
        float(np.linalg.norm(model.dual_coef_)),
        model.dual_coef_.size,
    )


def _strengths(settings: RandomFeatureSettings) -> Sequence[float]:
    """Points of the data tell a data-driven sampler how large weights are."""
    return settings.strengths if settings.sampler != "data-driven" else (1.0,)


def _random_nodes(settings: RandomFeatureSettings, strength: float, x: Tensor, y: Tensor, seed: int) -> Features:
    return random_net(settings, size_of(settings, strength, x), x, settings.width, seed).draw(x, y).transform


def _rbf_sampler(settings: RandomFeatureSettings, strength: float, x: Tensor, y: Tensor, seed: int) -> Features:
    from sklearn.kernel_approximation import RBFSampler

    own = stream_seed(seed, "part", "rbf") % 2**32
    made = RBFSampler(gamma=spread_for_kernel(strength, x), n_components=settings.width, random_state=own)
    made.fit(x.numpy())
    return lambda inputs: torch.from_numpy(made.transform(inputs.numpy()))
