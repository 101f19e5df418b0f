"""The random networks of an arm."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from replank.features import RandomFeatureNet
from replank.parts.sampler import Sampler
from replank.parts.sampler.data_driven import DataDrivenSampler
from replank.parts.sampler.disc import DiscSampler
from replank.parts.sampler.fourier import FourierSampler
from replank.parts.sampler.kink import KinkSampler
from replank.parts.sampler.normal import NormalSampler
from replank.parts.sampler.orthogonal import OrthogonalSampler
from replank.parts.sampler.uniform_band import UniformBandSampler
from replank.seeding import stream_seed
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings


def sampler(settings: RandomFeatureSettings, lam: float, x: Tensor) -> Sampler:
    """The distribution of nodes of an arm, of a given size, for inputs ``(n, m)``."""
    match settings.sampler:
        case "uniform":
            return UniformBandSampler(lam, sobol=settings.sobol)
        case "kink":
            return KinkSampler.around(lam, x, sobol=settings.sobol)
        case "fourier":
            return FourierSampler(lam, sobol=settings.sobol)
        case "disc":
            return DiscSampler(lam, sobol=settings.sobol)
        case "normal":
            return NormalSampler(lam, sobol=settings.sobol)
        case "orthogonal":
            return OrthogonalSampler(lam)
        case "data-driven":
            # where a hyperbolic tangent goes from -1/2 to 1/2, a logistic function goes from 1/4 to 3/4
            return DataDrivenSampler(first=-math.log(3), last=math.log(3))


def random_net(settings: RandomFeatureSettings, lam: float, x: Tensor, width: int, seed: int) -> RandomFeatureNet:
    """The arm's network, not fitted yet."""
    return RandomFeatureNet(
        width,
        sampler(settings, lam, x),
        activation=settings.activation,
        solve=settings.solve,
        rcond=settings.rcond,
        alpha=settings.alpha,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=stream_seed(seed, "part", "nodes"),
    )


def size_of(settings: RandomFeatureSettings, strength: float, x: Tensor) -> float:
    """The size of weights with which ``a x`` has a given standard deviation, for inputs of the typical length."""
    length = float(x.square().sum(1).mean().sqrt())
    n_inputs = x.shape[1]
    by_spread = strength / length
    match settings.sampler:
        case "normal" | "orthogonal":
            return by_spread
        case "disc":  # a number of a point of the ball has the variance lam^2 / (m + 2)
            return by_spread * math.sqrt(n_inputs + 2)
        case _:
            return by_spread * math.sqrt(3)


def spread_for_kernel(strength: float, x: Tensor) -> float:
    """Gamma of the Gaussian kernel that normal weights of that strength approach."""
    return (strength / float(x.square().sum(1).mean().sqrt())) ** 2 / 2


def held_out(x: Tensor, share: float, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which training samples are fitted, and which are kept to choose on."""
    order = torch.randperm(len(x), generator=stream)
    n = max(1, round(share * len(x)))
    return order[n:], order[:n]
