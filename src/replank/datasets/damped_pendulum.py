"""damped_pendulum: the angular velocity of a pendulum with friction, as the code of quantum fast weights makes it."""

from __future__ import annotations

import numpy as np
from scipy.integrate import odeint

from replank.datasets._card import Card
from replank.datasets._series import Computed, Values


def pendulum_rates(
    state: Values, time: float, damping: float = 0.15, mass: float = 1.0, gravity: float = 9.81, length: float = 1.0
) -> list[float]:
    """How fast angle and angular velocity change: ``theta'' = -(b/m) theta' - (g/l) sin(theta)``."""
    angle, velocity = state
    return [velocity, -damping / mass * velocity - gravity / length * np.sin(angle)]


def damped_pendulum(
    n_points: int = 240,
    duration: float = 20.0,
    *,
    damping: float = 0.15,
    mass: float = 1.0,
    gravity: float = 9.81,
    length: float = 1.0,
    start: tuple[float, float] = (0.0, 3.0),
) -> Values:
    """The angular velocity of a pendulum with friction, in rad/s.

    Args:
        n_points: equally spaced times, both ends among them.
        duration: in seconds.
        damping: friction b.
        mass: m.
        gravity: g.
        length: l.
        start: angle and angular velocity at time 0.

    Source: the official code of [chen2024fastweights], whose constants are the defaults.

    Raises:
        ValueError: fewer than two points, or no time.
    """
    if n_points < 2 or not duration > 0:
        raise ValueError(
            f"damped_pendulum: there must be two points and some time between them, got n_points={n_points}, "
            f"duration={duration}."
        )
    times = np.linspace(0.0, duration, n_points)
    path = odeint(pendulum_rates, start, times, args=(damping, mass, gravity, length))
    return np.ascontiguousarray(path[:, 1])


SET = Computed(
    Card(
        name="damped_pendulum",
        title="Damped pendulum (angular velocity, 240 points)",
        about="the damped pendulum",
        licence="none needed",
        source="computed: theta'' = -0.15 theta' - 9.81 sin(theta) from (0, 3) for 20 s, by odeint",
        citation="Chen, Learning to Program Variational Quantum Circuits with Fast Weights, arXiv 2402.17760, its code",
        split="up to each study",
    ),
    damped_pendulum,
)
