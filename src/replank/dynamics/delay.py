"""Delays: a state with those before it, which stands for what is not observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replank.dynamics._states import States
from replank.errors import DataError


def delay_embed(states: States, q: int, stride: int = 1) -> States:
    """Windows of ``q`` states in the order of time, ``(n, q, d)``: ``n = T - q + 1`` of them for a stride of 1.

    Args:
        states: at equal distances in time, ``(T, d)`` or ``(T,)``.
        q: states in a window.
        stride: from the beginning of a window to that of the next.

    Raises:
        ValueError: ``q`` or ``stride`` below 1.
        DataError: the trajectory is shorter than a window, or not finite.

    Example:
        >>> delay_embed(np.arange(4.0), 3)[..., 0].tolist()
        [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    """
    for name, value in (("q", q), ("stride", stride)):
        if value < 1:
            raise ValueError(f"delay_embed: `{name}` must be at least 1, got {name}={value}.")
    columns = states[:, None] if states.ndim == 1 else states
    if columns.ndim != 2 or len(columns) < q:
        raise DataError(
            f"delay_embed: a trajectory must be (T, d) with at least q={q} states, got shape {states.shape}. Take a "
            "longer one, or a shorter window."
        )
    if not np.isfinite(columns).all():
        raise DataError("delay_embed: states must be finite, got NaN or infinity.")
    windows = np.lib.stride_tricks.sliding_window_view(columns, q, axis=0)[::stride]
    return np.ascontiguousarray(windows.swapaxes(1, 2))


def hankel_matrix(states: States, q: int) -> States:
    """Windows as columns, ``(q d, T - q + 1)``: each row of blocks is the one above it, moved by one step.

    Args:
        states: at equal distances in time, ``(T, d)`` or ``(T,)``.
        q: states in a window.

    Raises:
        ValueError: ``q`` below 1.
        DataError: the trajectory is shorter than a window, or not finite.
    """
    windows = delay_embed(states, q)
    return np.ascontiguousarray(windows.reshape(len(windows), -1).T)


def uniform_step(times: float | Sequence[float] | States, rtol: float = 1e-6) -> float:
    """The time between two states: a number as it is, or that of a grid.

    Args:
        times: the step, or the times of the states.
        rtol: by how much steps may differ.

    Raises:
        DataError: the step is not positive and finite, or steps differ.
    """
    grid = np.asarray(times, np.float64)
    steps = np.diff(grid) if grid.ndim else grid[None]
    if grid.ndim > 1 or not len(steps) or not (np.isfinite(steps).all() and (steps > 0).all()):
        raise DataError(f"uniform_step: the time step must be positive and finite, got {times}.")
    if np.ptp(steps) > rtol * steps.mean():
        raise DataError(
            f"uniform_step: states must be at equal distances in time, got steps from {steps.min():g} to "
            f"{steps.max():g}. Interpolate them first."
        )
    return float(steps.mean())
