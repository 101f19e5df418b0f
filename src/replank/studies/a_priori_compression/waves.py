"""FE data generated here with our parameters: waves from a bump, over a disc in which they are faster or slower."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replank.datasets.simulations import Arrays, kept_simulation
from replank.dynamics.wave_fe import Field, WaveFE2D
from replank.seeding import numpy_stream
from replank.studies.a_priori_compression.settings import World

Floats = NDArray[Any]
DRAWN = ("x0", "y0", "width", "disc_x", "disc_y", "disc_radius", "disc_speed")
"""What a simulation is drawn by, in the order of the array ``parameters``."""
_LOW = (0.25, 0.25, 0.06, 0.3, 0.3, 0.1, 0.5)
_HIGH = (0.75, 0.75, 0.12, 0.7, 0.7, 0.2, 1.5)


class Waves(NamedTuple):
    """Simulations.

    Args:
        start: the first frames ``(N, n + 1, n + 1)``.
        speed: at the nodes, ``(N, n + 1, n + 1)``: the mean of the elements around each.
        frames: the others ``(N, F, n + 1, n + 1)``.
        parameters: what they were drawn by ``(N, 7)``.
    """

    start: Floats
    speed: Floats
    frames: Floats
    parameters: Floats

    def some(self, first: int, last: int) -> Waves:
        """Some of the simulations."""
        return Waves(*(each[first:last] for each in self))


class Split(NamedTuple):
    """Training, validation and test simulations."""

    train: Waves
    validation: Waves
    test: Waves


@lru_cache(maxsize=2)
def waves(world: World) -> Split:
    """The simulations of a world, computed once and then kept in the user's cache."""
    arrays = kept_simulation("wave-fe", about(world), lambda: simulated(world))
    whole = Waves(*(arrays[name] for name in Waves._fields))
    first, second = world.n_train, world.n_train + world.n_validation
    return Split(whole.some(0, first), whole.some(first, second), whole.some(second, second + world.n_test))


def about(world: World) -> dict[str, Any]:
    """All that the simulations depend on."""
    return {
        **asdict(world),
        "drawn": {name: [low, high] for name, low, high in zip(DRAWN, _LOW, _HIGH, strict=True)},
        "equation": "u_tt = div(c^2 grad u) on the unit square, u = 0 on the boundary, u_t(0) = 0",
        "mesh": f"{world.n}x{world.n} bilinear elements, consistent mass",
        "scheme": "Newmark, beta = 1/4, gamma = 1/2",
        "solver": {name: version(name) for name in ("scikit-fem", "scipy", "numpy")},
    }


def simulated(world: World) -> Arrays:
    """Draw and solve."""
    n_all = world.n_train + world.n_validation + world.n_test
    parameters = numpy_stream(world.seed, "waves").uniform(_LOW, _HIGH, (n_all, len(DRAWN)))
    solved = [_solved(world, *drawn) for drawn in parameters]
    start, speed, frames = (np.stack(each).astype(np.float32) for each in zip(*solved, strict=True))
    return {"start": start, "speed": speed, "frames": frames, "parameters": parameters}


def _solved(world: World, x0: float, y0: float, width: float, *disc: float) -> tuple[Field, Field, Field]:
    speed = element_speed(world.n, *disc)
    x, y = np.meshgrid(*[np.linspace(0, 1, world.n + 1)] * 2)
    bubble = 16 * x * (1 - x) * y * (1 - y)
    start = bubble * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * width**2))
    motion = WaveFE2D(world.n, speed).newmark(start, np.zeros_like(start), world.dt, world.n_steps)
    return start, at_nodes(speed), motion.displacement[world.every :: world.every]


def element_speed(n: int, x: float, y: float, radius: float, speed: float) -> Field:
    """The speed in each element ``(n, n)``: 1, but another where its centre lies in a disc."""
    centre_x, centre_y = np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2)
    return np.where((centre_x - x) ** 2 + (centre_y - y) ** 2 <= radius**2, speed, 1.0)


def at_nodes(speed: Field) -> Field:
    """The mean of the four elements around each node; those on the boundary count their own twice or more."""
    padded = np.pad(speed, 1, mode="edge")
    return (padded[1:, 1:] + padded[1:, :-1] + padded[:-1, 1:] + padded[:-1, :-1]) / 4
