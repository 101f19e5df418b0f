"""How far a density is from a steady state, or from one step of the evolution: losses whose gradients can be sampled.

Both are L1 norms over all strings, ``sum_a |R(a)| = E_{a ~ p} |R(a)| / p(a)``. The strings a are given, with the share
that each of them counts; the distribution that they come from is not differentiated, which leaves the gradient of the
norm.
"""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from replank.open_systems.generator import Density, LocalGenerator
from replank.open_systems.vector import Scheme

LEAST_LOG = math.log(1e-30)


def steady_residual(density: Density, generator: LocalGenerator, a: Tensor, shares: Tensor) -> Tensor:
    """``sum_a |(L p)(a)|``, a scalar.

    Args:
        density: p.
        generator: L.
        a: strings, ``(B, n_sites)``.
        shares: what each counts, ``(B,)``: 1 / B for samples of p, p(a) for all strings.
    """
    coefficients, strings, own, place = generator.connected(a)
    log = _normalised(density, density.log_weight(strings), own, shares)
    here = _floored(log[own]).detach()
    moved = (coefficients * (log[place] - here[:, None]).exp()).sum(1)
    return (shares * moved.abs()).sum()


def step_residual(
    new: Density,
    old: Density,
    generator: LocalGenerator,
    tau: float,
    a: Tensor,
    shares: Tensor,
    *,
    scheme: Scheme = "trapezoid",
) -> Tensor:
    """``sum_a |(new - tau L new)(a) - (old + tau L old)(a)|``, or of Euler ``|new(a) - (old + 2 tau L old)(a)|``.

    Args:
        new: the density after the step; gradients reach it alone.
        old: the density before.
        generator: L.
        tau: half of the time of the step.
        a: strings, ``(B, n_sites)``.
        shares: what each counts, ``(B,)``: 1 / B for samples of ``new``, its probabilities for all strings.
        scheme: how the step is made.
    """
    back, forth = (tau, tau) if scheme == "trapezoid" else (0.0, 2 * tau)
    coefficients, strings, own, place = generator.connected(a)
    log = _normalised(new, new.log_weight(strings), own, shares)
    here = _floored(log[own]).detach()
    with torch.no_grad():
        log_old = old.log_weight(strings)
        if not old.normalised:  # the ratio of the two sums, from sum_a new(a) old(a) / new(a) = 1
            log_old = log_old - torch.logsumexp(shares.log() + log_old[own] - here, 0)
        target = _propagated(log_old, coefficients, own, place, here, forth)
    return (shares * (_propagated(log, coefficients, own, place, here, -back) - target).abs()).sum()


def _propagated(log: Tensor, coefficients: Tensor, own: Tensor, place: Tensor, here: Tensor, time: float) -> Tensor:
    """``(p + time L p)(a)`` in units of ``exp(here)``."""
    p = (log[own] - here).exp()
    return p + time * (coefficients * (log[place] - here[:, None]).exp()).sum(1) if time else p


def _normalised(density: Density, log: Tensor, own: Tensor, shares: Tensor) -> Tensor:
    """Logarithms whose gradients are those of probabilities: that of a sum over all strings is a mean over samples."""
    if density.normalised:
        return log
    total = (shares * log[own]).sum()
    return log - (total - total.detach())


def _floored(log: Tensor) -> Tensor:
    """What is divided by: a string that can't occur counts as one of probability 1e-30, with a warning."""
    impossible = log == -math.inf
    if impossible.any():
        warnings.warn(
            f"residual: {int(impossible.sum())} of {len(log)} strings have probability 0, which counts as 1e-30.",
            stacklevel=3,
        )
    return log.masked_fill(impossible, LEAST_LOG)
