"""Solutions of ordinary differential equations at given times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp

from replank.dynamics._states import Flow, States
from replank.errors import DataError


def simulate(
    flow: Flow,
    start: Sequence[float] | States,
    times: Sequence[float] | States,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-10,
    method: str = "DOP853",
) -> States:
    """The solution that begins at a state, ``(T, d)``.

    Args:
        flow: how fast a state changes; its ``check_start``, if there is one, is asked whether it can begin there.
        start: the state at the first time, ``(d,)``.
        times: rising; the first is the start's.
        rtol: relative tolerance of a step.
        atol: absolute tolerance of a step.
        method: of :func:`scipy.integrate.solve_ivp`.

    Raises:
        DataError: the start is not finite, times don't rise, or the solver does not reach the last time.

    Example:
        >>> simulate(lambda state: -state, [1.0], [0.0, 1.0])[-1].round(6).tolist()
        [0.367879]
    """
    first, grid = np.asarray(start, np.float64), np.asarray(times, np.float64)
    if first.ndim != 1 or not np.isfinite(first).all():
        raise DataError(f"simulate: the start must be finite and of shape (d,), got {first.tolist()}.")
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise DataError(f"simulate: there must be two times or more, each later than the last, got {grid.shape}.")
    if (check := getattr(flow, "check_start", None)) is not None:
        check(first)
    with np.errstate(over="ignore", invalid="ignore"):
        found = solve_ivp(
            lambda _, state: flow(state), (grid[0], grid[-1]), first, method, t_eval=grid, rtol=rtol, atol=atol
        )
    if found.status != 0 or not np.isfinite(found.y).all():
        raise DataError(f"simulate: the solution must exist until t={grid[-1]:g}, got: {found.message}")
    return np.ascontiguousarray(found.y.T)


def runge_kutta(flow: Flow, states: States, dt: float, substeps: int = 1) -> States:
    """States ``(*, d)`` some time later, by the classical method of fourth order.

    Args:
        flow: how fast they change.
        states: now.
        dt: how much later.
        substeps: into how many steps the time is cut.

    Raises:
        ValueError: no substep.
    """
    if substeps < 1:
        raise ValueError(f"runge_kutta: `substeps` must be at least 1, got substeps={substeps}.")
    h = dt / substeps
    for _ in range(substeps):
        one = flow(states)
        two = flow(states + h / 2 * one)
        three = flow(states + h / 2 * two)
        states = states + h / 6 * (one + 2 * two + 2 * three + flow(states + h * three))
    return states
