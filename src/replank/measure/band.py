"""What a function has outside of a band of frequencies, and how much fits into one."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import integrate

_EXACT = {"epsabs": 0.0, "epsrel": 1e-11, "limit": 500}


def out_of_band_energy(f_hat: Callable[[float], complex], lam: float) -> float:
    r"""``1 / (2 pi) int_{|w| > lam} |f_hat(w)|^2 dw``: the square of the least error in L2 of the line.

    It is what functions of the band ``[-lam, lam]``, such as any number of Fourier features with bounded weights, can't
    reach. On a bounded interval there is no such floor: there they are dense, see :func:`slepian_dimension`.

    Args:
        f_hat: the Fourier transform ``int f(x) exp(-i w x) dx``, as a function of one number.
        lam: largest frequency of the band.

    Raises:
        ValueError: ``lam`` is not positive and finite.

    Example:
        >>> from math import exp, pi
        >>> round(out_of_band_energy(lambda w: (2 * pi) ** 0.5 * exp(-w * w / 2), 1.0), 6)
        0.278806
    """
    _check(lam=lam)
    return _energy(f_hat, lam, math.inf) + _energy(f_hat, -math.inf, -lam)


def out_of_band_error(f_hat: Callable[[float], complex], lam: float) -> float:
    """The least relative error in L2 of the line: the root of the share of energy outside of the band.

    Args:
        f_hat: the Fourier transform, as a function of one number.
        lam: largest frequency of the band.

    Raises:
        ValueError: ``lam`` is not positive and finite, or the function is 0.
    """
    outside = out_of_band_energy(f_hat, lam)
    total = outside + _energy(f_hat, -lam, 0.0) + _energy(f_hat, 0.0, lam)
    if not total > 0:
        raise ValueError(f"out_of_band_error: the function must have energy, got {total}.")
    return math.sqrt(outside / total)


def gaussian_floor(s: float, lam: float) -> float:
    """``sqrt(erfc(s lam))``: the least relative error of ``exp(-x^2 / (2 s^2))`` from functions of the band.

    Args:
        s: width of the Gaussian.
        lam: largest frequency of the band.

    Raises:
        ValueError: one of them is not positive and finite.
    """
    _check(s=s, lam=lam)
    return math.sqrt(math.erfc(s * lam))


def slepian_dimension(half_width: float, lam: float) -> float:
    """``2 lam T / pi``: about so many independent functions of the band ``[-lam, lam]`` live on ``[-T, T]``.

    More of them take part in a numerical rank, by a number that grows with the logarithm of the cut-off.

    Args:
        half_width: T.
        lam: largest frequency of the band.

    Raises:
        ValueError: one of them is not positive and finite.

    Source: Landau, Pollak, Slepian (1961-64), Prolate spheroidal wave functions.
    """
    _check(half_width=half_width, lam=lam)
    return 2 * lam * half_width / math.pi


def _energy(f_hat: Callable[[float], complex], low: float, high: float) -> float:
    value, _ = integrate.quad(lambda w: abs(f_hat(w)) ** 2, low, high, **_EXACT)
    return float(value) / (2 * math.pi)


def _check(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"band: `{name}` must be positive and finite, got {name}={value}.")
