"""One trial on the line: Fourier features of a band, whose least error is known in closed form."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from replank.features import LeastSquares
from replank.lab.trial import Measurements, Trial
from replank.measure import gaussian_floor, out_of_band_error, relative_error, slepian_dimension
from replank.studies.bandlimited_random_features.nodes import random_net
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings
from replank.studies.bandlimited_random_features.targets import F64, N_TEST, midpoints

HALF_LENGTH, N_GRID = 400.0, 2**16
"""Of the grid that stands for the line."""
PAIRS = ((1.0, 1.0), (0.25, 8.0), (0.5, 1.0), (1.0, 1.5))
"""Widths of the Gaussian, and bands."""
WIDTH = 1.0


def gaussian(x: Tensor, s: float = WIDTH) -> Tensor:
    """``exp(-x^2 / (2 s^2))``."""
    return torch.exp(-(x**2) / (2 * s * s))


def gaussian_hat(w: float, s: float = WIDTH) -> float:
    """Its Fourier transform ``s sqrt(2 pi) exp(-s^2 w^2 / 2)``."""
    return s * math.sqrt(2 * math.pi) * math.exp(-((s * w) ** 2) / 2)


def on_line(trial: Trial) -> Measurements:
    """The ideal projection, or least squares on intervals."""
    settings: RandomFeatureSettings = trial.settings
    metrics = low_pass() if settings.model == "low-pass" else on_intervals(settings, trial.seed)
    return Measurements(metrics | {"floor": gaussian_floor(WIDTH, settings.lams[0])})


def low_pass() -> dict[str, float]:
    """Relative errors of what an ideal low-pass filter leaves of Gaussians, and how far they are from the floor."""
    metrics: dict[str, float] = {}
    deviations, residuals = [], []
    for s, lam in PAIRS:
        error, floor = low_pass_error(s, lam), gaussian_floor(s, lam)
        metrics[f"line_error_at_s_{s:g}_lambda_{lam:g}"] = error
        deviations.append(abs(error / floor - 1))
        residuals.append(abs(out_of_band_error(partial(gaussian_hat, s=s), lam) - floor))
    metrics["line_error"] = metrics["line_error_at_s_1_lambda_1"]
    return {**metrics, "largest_deviation": max(deviations), "largest_integral_deviation": max(residuals)}


def low_pass_error(s: float, lam: float) -> float:
    """Of a Gaussian that is sampled on a long grid, the relative norm of all frequencies above the band."""
    x = 2 * HALF_LENGTH * (torch.arange(N_GRID, dtype=F64) / N_GRID - 0.5)
    frequencies = 2 * math.pi * torch.fft.fftfreq(N_GRID, 2 * HALF_LENGTH / N_GRID, dtype=F64)
    spectrum = torch.fft.fft(gaussian(x, s))
    kept = torch.where(frequencies.abs() <= lam, spectrum, 0)
    return relative_error(torch.fft.ifft(kept).real, gaussian(x, s))


def on_intervals(settings: RandomFeatureSettings, seed: int) -> dict[str, float]:
    """Errors on longer and longer intervals, beside the floor of the whole line."""
    (lam,) = settings.lams
    metrics: dict[str, float] = {}
    errors = []
    for length in settings.lengths:
        x, test_x = torch.linspace(-length, length, settings.n, dtype=F64), midpoints(-length, length, N_TEST)
        net = random_net(settings, lam, x[:, None], settings.width, seed).draw(x[:, None])
        solver = LeastSquares(net.transform(x[:, None]))
        weight = solver.solve(gaussian(x), settings.line_rcond)
        errors.append(relative_error(net.transform(test_x[:, None]) @ weight, gaussian(test_x)))
        metrics |= {
            f"line_error_at_L_{length:g}": errors[-1],
            f"rank_at_L_{length:g}": float(solver.rank(settings.line_rcond)),
            f"dimension_at_L_{length:g}": slepian_dimension(length, lam),
        }
    floor = gaussian_floor(WIDTH, lam)
    rises = [after - before for before, after in pairwise(errors)]
    return {
        **metrics,
        "line_error": errors[-1],
        "least_distance_below_floor": min(floor - error for error in errors),
        "least_rise": min(rises, default=0.0),
    }
