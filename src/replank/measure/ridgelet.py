r"""The ridgelet transform of functions of one variable: how much of each hidden node a function is made of.

``R[f; rho](a, b) = int f(x) conj(rho(a x - b)) dx``. A network ``int gamma(a, b) sigma(a x - b) da db`` with ``gamma =
R[f; rho]`` is f up to a factor, so that a function whose transform does not vanish outside of a box can't be written
with nodes of that box alone.

Source: Candès (1998), Ridgelets; Sonoda, Murata (2017), arXiv 1505.03654, for unbounded activations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

Profile = Callable[[Tensor], Tensor]
"""The function rho of one number, elementwise."""

_REACH = 16.0
"""A profile must have decayed there."""
_N_WEIGHTS, _PANEL, _N_IN_PANEL = 96, 4.0, 16
"""Nodes of Gauss's rule: for weights, and for offsets, along which transforms vary no faster than profiles."""


def mexican_hat(t: Tensor) -> Tensor:
    """``(t^2 - 1) exp(-t^2 / 2)``, the second derivative of a Gaussian: it has mean zero, as a profile must."""
    square = t * t
    return (square - 1) * torch.exp(-square / 2)


def ridgelet_transform(f_samples: Tensor, x: Tensor, rho: Profile, a_grid: Tensor, b_grid: Tensor) -> Tensor:
    """The transform by the trapezoidal rule.

    Args:
        f_samples: the function at ``x``, shape ``(n,)``; it counts as 0 elsewhere.
        x: where, rising, shape ``(n,)``.
        rho: the profile.
        a_grid: weights, shape ``(A,)``.
        b_grid: offsets, shape ``(B,)``.

    Returns:
        Shape ``(A, B)``.

    Raises:
        ValueError: shapes do not fit, ``x`` does not rise, values are not finite, or ``x`` is too coarse for the
            largest weight.
    """
    _check_samples(f_samples, x)
    _check_fine("ridgelet_transform", x, float(a_grid.abs().max()) if len(a_grid) else 0.0)
    rows = [torch.trapezoid(f_samples * rho(a * x - b_grid[:, None]).conj(), x, dim=1) for a in a_grid]
    return torch.stack(rows)


def ridgelet_transform_by_fourier(
    f_hat: Callable[[Tensor], Tensor], rho_hat: Callable[[Tensor], Tensor], w: Tensor, a_grid: Tensor, b_grid: Tensor
) -> Tensor:
    """The same by slices of Fourier transforms: ``1 / (2 pi) int f_hat(w a) conj(rho_hat(w)) exp(i w b) dw``.

    Args:
        f_hat: the function's Fourier transform ``int f(x) exp(-i w x) dx``, elementwise.
        rho_hat: the profile's.
        w: frequencies, rising, beyond which the profile has none, shape ``(n,)``.
        a_grid: weights, shape ``(A,)``.
        b_grid: offsets, shape ``(B,)``.

    Returns:
        Shape ``(A, B)``, complex.
    """
    slices = f_hat(a_grid[:, None] * w) * rho_hat(w).conj()
    waves = torch.exp(1j * b_grid[:, None] * w)
    return torch.trapezoid(slices[:, None] * waves, w, dim=2) / (2 * math.pi)


@cache
def plancherel_constant(rho: Profile) -> float:
    """``C = int |rho_hat(w)|^2 / |w| dw``, with which ``int int |R|^2 da db = C |f|^2``; 2 pi of the Mexican hat.

    Args:
        rho: the profile.

    Raises:
        ValueError: its mean is not 0, so that the integral has no end, or it has not decayed at 16.
    """
    t = torch.linspace(-_REACH, _REACH, 1025, dtype=torch.float64)
    values = rho(t)
    size = float(values.abs().max())
    if max(abs(complex(values[0])), abs(complex(values[-1]))) > 1e-8 * size:
        raise ValueError(f"plancherel_constant: the profile must have decayed at {_REACH:g}, got {values[0].item()}.")
    mean = abs(complex(torch.trapezoid(values, t)))
    if mean > 1e-8 * size:
        raise ValueError(
            f"plancherel_constant: the profile must have mean zero, got an integral of {mean:.3g}. A Gaussian is not "
            "admissible, its second derivative is."
        )
    w = torch.linspace(-24, 24, 1025, dtype=torch.float64)
    energy = torch.trapezoid(values * torch.exp(-1j * w[:, None] * t), t, dim=1).abs().square()
    inverse = torch.where(w == 0, 0.0, 1 / w.abs().clamp(min=float(w.abs()[w != 0].min())))
    return float(torch.trapezoid(energy * inverse, w))


def ridgelet_energy(f_samples: Tensor, x: Tensor, lam: float, rho: Profile = mexican_hat) -> float:
    """``int |R[f; rho]|^2 da db`` over the box ``|a|, |b| <= lam``.

    Args:
        f_samples: the function at ``x``, shape ``(n,)``; it counts as 0 elsewhere.
        x: equally far from each other, rising, shape ``(n,)``.
        lam: half the side of the box.
        rho: the profile.

    Raises:
        ValueError: as :func:`ridgelet_transform`, ``x`` is not equally spaced, or ``lam`` is not positive and finite.
    """
    _check_samples(f_samples, x)
    if not 0 < lam < math.inf:
        raise ValueError(f"ridgelet_energy: `lam` must be positive and finite, got lam={lam}.")
    spacing = x.diff()
    if not torch.allclose(spacing, spacing.mean(), rtol=1e-6, atol=0.0):
        raise ValueError("ridgelet_energy: `x` must be equally spaced, got other points.")
    _check_fine("ridgelet_energy", x, lam)
    # in t with a = lam sinh(4 t) / sinh(4): transforms vary with the logarithm of the weight
    nodes, weights = _gauss(_N_WEIGHTS)
    a_nodes, slopes = lam * np.sinh(4 * nodes) / np.sinh(4), 4 * lam * np.cosh(4 * nodes) / np.sinh(4)
    kept = nodes > 0 if _is_symmetric(rho) and not f_samples.is_complex() else nodes != 0
    energies = [_energy_of_weight(f_samples, x, float(a), lam, rho) for a in a_nodes[kept]]
    return float(np.sum((weights * slopes)[kept] * np.array(energies))) * len(nodes) / int(kept.sum())


def ridgelet_leakage(f_samples: Tensor, x: Tensor, lam: float, rho: Profile = mexican_hat) -> float:
    """The share of a function's ridgelet energy outside of the box ``|a|, |b| <= lam``.

    The whole is known from :func:`plancherel_constant`, so that no integral runs to infinity.

    Args:
        f_samples: the function at ``x``, shape ``(n,)``; it counts as 0 elsewhere.
        x: equally far from each other, rising, shape ``(n,)``.
        lam: half the side of the box.
        rho: the profile, of mean zero.

    Raises:
        ValueError: as :func:`ridgelet_energy` and :func:`plancherel_constant`, or the function is 0.
    """
    whole = plancherel_constant(rho) * float(torch.trapezoid(f_samples.abs().square(), x))
    if not whole > 0:
        raise ValueError("ridgelet_leakage: the function must not be 0, got no energy.")
    return max(0.0, 1 - ridgelet_energy(f_samples, x, lam, rho) / whole)


def _energy_of_weight(f_samples: Tensor, x: Tensor, a: float, lam: float, rho: Profile) -> float:
    """``int |R(a, b)|^2 db`` over ``|b| <= lam``; nothing beyond the reach of the profile."""
    ends = sorted((a * float(x[0]), a * float(x[-1])))
    low, high = max(-lam, ends[0] - _REACH), min(lam, ends[1] + _REACH)
    if high <= low:
        return 0.0
    n_panels = math.ceil((high - low) / _PANEL)
    width = (high - low) / n_panels
    nodes, weights = _gauss(_N_IN_PANEL)
    b = torch.from_numpy((low + width * (np.arange(n_panels)[:, None] + (nodes + 1) / 2)).ravel())
    energies = _at_offsets(f_samples, x, a, b, rho).abs().square().reshape(n_panels, -1)
    return float((energies @ torch.from_numpy(weights)).sum()) * width / 2


def _at_offsets(f_samples: Tensor, x: Tensor, a: float, b: Tensor, rho: Profile) -> Tensor:
    """``R(a, b)`` by the trapezoidal rule on equally spaced points, those within the profile's reach of each offset."""
    h, n = float(x[1] - x[0]), len(x)
    weighted = h * f_samples
    weighted[[0, -1]] *= 0.5
    window = min(n, math.ceil(2 * _REACH / (abs(a) * h)) + 2)
    nearest = (b - math.copysign(_REACH, a)) / a  # where the argument is -16 or 16, whichever comes first
    first = ((nearest - x[0]) / h).floor().clamp(0, n - window).long()
    arguments = a * x.unfold(0, window, 1)[first] - b[:, None]
    return (weighted.unfold(0, window, 1)[first] * rho(arguments).conj()).sum(1)


@cache
def _gauss(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in (-1, 1) and weights of Gauss's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return nodes, weights


@cache
def _is_symmetric(rho: Profile) -> bool:
    """Whether a real profile is even or odd: then weights of both signs have the same energy."""
    t = torch.linspace(0.01, _REACH, 500, dtype=torch.float64)
    right, left = rho(t), rho(-t)
    return not right.is_complex() and (bool(torch.equal(right, left)) or bool(torch.equal(right, -left)))


def _check_samples(f_samples: Tensor, x: Tensor) -> None:
    if x.ndim != 1 or len(x) < 2 or f_samples.shape != x.shape or not (x.diff() > 0).all():
        raise ValueError(
            "ridgelet: samples and points must be (n >= 2,), and points must rise, got shapes "
            f"{tuple(f_samples.shape)} and {tuple(x.shape)}."
        )
    if not (f_samples.isfinite().all() and x.isfinite().all()):
        raise ValueError("ridgelet: samples and points must be finite, got NaN or infinity.")


def _check_fine(asker: str, x: Tensor, largest: float) -> None:
    step = largest * float(x.diff().max())
    if step > 1:
        raise ValueError(
            f"{asker}: `x` must be fine enough for a profile of width 1 at the largest weight {largest:g}, got a step "
            f"of {step:.3g} in a x. Take {math.ceil(4 * step)} times as many points."
        )
