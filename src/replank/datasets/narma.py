"""Nonlinear autoregressive moving averages (NARMA): a system with memory, driven by an input."""

from __future__ import annotations

import warnings

import numpy as np

from replank.datasets._card import Card
from replank.datasets._series import Computed, Values
from replank.errors import DataError

USUAL, LARGEST = 1.0, 1e3
"""Values stay below the first as long as the recurrence is stable; above the second nothing brings them back."""


def narma_input(n_points: int = 300) -> Values:
    """The input of the quantum papers: ``0.1 (sin(2.11 s) sin(3.73 s) sin(4.11 s) + 1)`` with ``s = 2 pi t / 100``.

    Source: recalled from the papers of [chen2024fastweights]'s author.
    """
    time = 2 * np.pi * np.arange(n_points) / 100
    return np.asarray(0.1 * (np.sin(2.11 * time) * np.sin(3.73 * time) * np.sin(4.11 * time) + 1))


def narma(
    order: int,
    drive: Values | None = None,
    *,
    alpha: float = 0.3,
    beta: float = 0.05,
    gamma: float = 1.5,
    delta: float = 0.1,
) -> Values:
    """``y_{t+1} = alpha y_t + beta y_t sum_{j<order} y_{t-j} + gamma u_{t-order+1} u_t + delta``, from ``y_0 = 0``.

    Terms before the beginning are 0. The value at t depends on inputs before t alone.

    Args:
        order: how far it remembers.
        drive: the input u, ``(T,)``; 300 points of :func:`narma_input` if not given. Inputs above 0.5 make the
            recurrence of order 10 unstable.
        alpha: these four: constants, standard ones by default.
        beta: see ``alpha``.
        gamma: see ``alpha``.
        delta: see ``alpha``.

    Returns:
        y, as long as the input.

    Warns:
        RuntimeWarning: a value leaves the range in which the recurrence is stable.

    Raises:
        ValueError: an order below 1, an input that is not one finite number after the other.
        DataError: values grow without end.
    """
    drive = narma_input() if drive is None else np.asarray(drive, np.float64)
    if order < 1:
        raise ValueError(f"narma: it must remember at least one step, got order={order}.")
    if drive.ndim != 1 or not len(drive) or not np.isfinite(drive).all():
        raise ValueError(f"narma: `drive` must be finite numbers (T,), got shape {drive.shape}.")
    series = np.zeros(len(drive))
    for t in range(len(drive) - 1):
        past = series[max(0, t - order + 1) : t + 1].sum()
        delayed = drive[t - order + 1] if t >= order - 1 else 0.0
        series[t + 1] = alpha * series[t] + beta * series[t] * past + gamma * delayed * drive[t] + delta
        if abs(series[t]) <= USUAL < abs(series[t + 1]):
            warnings.warn(
                f"narma: |y| exceeds {USUAL:g} at step {t + 1}: the recurrence is about to blow up.",
                RuntimeWarning,
                stacklevel=2,
            )
        if abs(series[t + 1]) > LARGEST:
            raise DataError(
                f"narma: |y| must stay below {LARGEST:g}, got {series[t + 1]:.3g} at step {t + 1} with order={order}. "
                "Take a smaller input: the recurrence is unstable."
            )
    return series


def narma_set(order: int) -> Computed:
    """The recipe of the series of that order, driven as in the papers."""
    return Computed(
        Card(
            name=f"narma{order}",
            title=f"NARMA{order} (300 points)",
            about=f"NARMA{order}",
            licence="none needed",
            source="computed: the standard recurrence, driven by a product of three sines",
            citation="Atiya, Parlos, New Results on Recurrent Network Training, IEEE Trans. Neural Networks 11 (2000)",
            split="up to each study",
        ),
        lambda: narma(order),
    )
