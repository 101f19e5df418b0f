"""How fast solutions part, and for how long a prediction is any good."""

from __future__ import annotations

import math

import numpy as np

from replank.dynamics._states import Flow, States
from replank.dynamics.lorenz import LYAPUNOV
from replank.dynamics.simulate import runge_kutta
from replank.errors import DataError


def largest_lyapunov(
    flow: Flow,
    starts: States,
    *,
    dt: float = 0.01,
    duration: float = 100.0,
    transient: float = 30.0,
    separation: float = 1e-8,
) -> float:
    """The largest Lyapunov exponent: the mean rate at which neighbours part, whose distance is set back each time.

    Solutions from all starts run side by side, and their rates are averaged.

    Args:
        flow: how fast states change.
        starts: ``(n, d)``.
        dt: step of a Runge-Kutta method of fourth order, and time between two resets.
        duration: over which rates are averaged.
        transient: before that, until solutions are near the attractor; Lorenz's may stay near a fixed point for 20.
        separation: distance to which neighbours are set back.

    Raises:
        ValueError: a time or a distance is not positive.
        DataError: solutions do not stay finite.

    Source: Benettin, Galgani, Giorgilli and Strelcyn, Meccanica 15 (1980) 9.

    Example:
        >>> round(largest_lyapunov(lambda state: -0.5 * state, np.ones((1, 2)), duration=5.0, transient=1.0), 6)
        -0.5
    """
    for name, value in (("dt", dt), ("duration", duration), ("separation", separation)):
        if not value > 0:
            raise ValueError(f"largest_lyapunov: `{name}` must be positive, got {name}={value}.")
    states = np.asarray(starts, np.float64)
    direction = np.ones_like(states) / math.sqrt(states.shape[-1])
    total, n_steps, n_transient = np.zeros(len(states)), round(duration / dt), round(transient / dt)
    for step in range(n_transient + n_steps):
        both = runge_kutta(flow, np.stack((states, states + separation * direction)), dt)
        states, gap = both[0], both[1] - both[0]
        distance = np.linalg.norm(gap, axis=-1, keepdims=True)
        if not (np.isfinite(states).all() and (distance > 0).all()):
            raise DataError(f"largest_lyapunov: solutions must stay finite and apart, got {states[0].tolist()}.")
        direction = gap / distance
        if step >= n_transient:
            total += np.log(distance[:, 0] / separation)
    return float(total.mean() / (n_steps * dt))


def valid_prediction_time(
    predicted: States,
    true: States,
    dt: float,
    *,
    threshold: float = 0.4,
    lyapunov: float = LYAPUNOV,
    scale: States | None = None,
) -> States:
    """For how many Lyapunov times a prediction stays near the truth.

    The error at a time is the root of the mean square over components, each divided by its scale. What is not finite is
    an error larger than any. A prediction that stays near to the end is given the whole time.

    Shape: ``predicted`` and ``true`` ``(*, T, d)``, the first row a step after the last known state, to ``(*,)``.

    Args:
        predicted: states; they may be infinite.
        true: likewise, finite.
        dt: time between rows.
        threshold: error from which on a prediction is no longer valid.
        lyapunov: largest exponent: the inverse of the unit in which the time is told.
        scale: of the components, ``(d,)``; by default their standard deviations over all of ``true``.

    Raises:
        ValueError: shapes differ, or the truth is not finite.
    """
    if predicted.shape != true.shape or true.ndim < 2:
        raise ValueError(
            f"valid_prediction_time: shapes must be (*, T, d) and equal, got {predicted.shape} and {true.shape}."
        )
    if not np.isfinite(true).all():
        raise ValueError("valid_prediction_time: the truth must be finite, got NaN or infinity.")
    unit = true.reshape(-1, true.shape[-1]).std(0) if scale is None else scale
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.sqrt(np.square((predicted - true) / unit).mean(-1))
    wrong = ~(error <= threshold)
    n_valid = np.where(wrong.any(-1), wrong.argmax(-1), true.shape[-2])
    return n_valid * dt * lyapunov
