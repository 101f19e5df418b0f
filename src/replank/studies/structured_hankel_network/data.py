"""Trajectories of both systems, the same for all arms of a seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from replank.dynamics.lorenz import Lorenz63
from replank.dynamics.lotka_volterra import LotkaVolterra
from replank.dynamics.simulate import simulate
from replank.parts.forecaster import Forecaster
from replank.parts.forecaster._interface import States
from replank.seeding import numpy_stream
from replank.studies.structured_hankel_network.settings import HankelSettings

ENVIRONMENTS = (
    (0.5, 0.5), (0.25, 0.5), (0.75, 0.5), (1.0, 0.5), (0.5, 0.25),
    (0.5, 0.75), (0.5, 1.0), (0.25, 0.25), (0.75, 0.75), (1.0, 1.0),
)  # fmt: skip
"""Growth of prey and death of predators in LEADS's environments; the other two constants are 0.5."""

COMMON_GRID = 0.5
"""Distance of the times at which forecasts of animals are compared."""


@dataclass(frozen=True)
class Trajectories:
    """Some trajectories of a common length.

    Args:
        states: ``(n, T, d)``.
        contexts: ``(n, k)``: Rayleigh numbers, or numbers of environments; ``k = 0`` if there is but one.
    """

    states: States
    contexts: States


@dataclass(frozen=True)
class Split:
    """What is fitted, what is looked at and what is forecast."""

    train: Trajectories
    validation: Trajectories
    test: Trajectories

    @property
    def scale(self) -> States:
        """Standard deviations of the components, in what is fitted."""
        found: States = self.train.states.reshape(-1, self.train.states.shape[-1]).std(0)
        return found


def trajectories(settings: HankelSettings, seed: int) -> Split:
    """What the arms of a seed are given."""
    if settings.problem == "lotka-volterra":
        return _animals(settings.dt, settings.duration, settings.n_train, settings.n_validation, settings.n_test, seed)
    return _lorenz(
        settings.dt, settings.duration, settings.n_train, settings.n_validation, settings.n_test,
        settings.rhos, settings.test_rhos, seed,
    )  # fmt: skip


def times(dt: float, duration: float) -> States:
    """From 0 to the end, both among them."""
    return dt * np.arange(round(duration / dt) + 1, dtype=np.float64)


@lru_cache(maxsize=8)
def _lorenz(
    dt: float,
    duration: float,
    n_train: int,
    n_validation: int,
    n_test: int,
    rhos: tuple[float, ...],
    test_rhos: tuple[float, ...],
    seed: int,
) -> Split:
    grid, stream = times(dt, duration), numpy_stream(seed, "starts")
    told = len(set(rhos + test_rhos)) > 1

    def solved(n: int, numbers: tuple[float, ...]) -> Trajectories:
        drawn = [(rho, stream.uniform(-15, 15, 3)) for rho in numbers for _ in range(n)]
        states = np.stack([simulate(Lorenz63(rho=rho), start, grid) for rho, start in drawn])
        return Trajectories(states, np.array([[rho] if told else [] for rho, _ in drawn]))

    return Split(solved(n_train, rhos), solved(n_validation, rhos), solved(n_test, test_rhos))


@lru_cache(maxsize=8)
def _animals(dt: float, duration: float, n_train: int, n_validation: int, n_test: int, seed: int) -> Split:
    """The same starts in all environments; solved by the method of LEADS's code."""
    grid, stream = times(dt, duration), numpy_stream(seed, "starts")

    def solved(n: int) -> Trajectories:
        starts = stream.uniform(1, 2, (n, 2))
        states = [
            simulate(
                LotkaVolterra(alpha=alpha, beta=0.5, gamma=gamma, delta=0.5), start, grid,
                rtol=1e-8, atol=1e-8, method="RK45",
            )
            for alpha, gamma in ENVIRONMENTS
            for start in starts
        ]  # fmt: skip
        return Trajectories(np.stack(states), np.repeat(np.arange(float(len(ENVIRONMENTS))), n)[:, None])

    return Split(solved(n_train), solved(n_validation), solved(n_test))


@dataclass(frozen=True)
class Forecast:
    """What was forecast and what came, ``(n, T, d)`` each; a state that was lost is infinite."""

    predicted: States
    true: States


def forecast(forecaster: Forecaster, settings: HankelSettings, test: Trajectories, contexts: States) -> Forecast:
    """All that follows the first window, from it alone.

    Animals are compared on the common grid. From windows with a step of 0.05, which have seen times to 0.75, that is
    from time 1 on; and so it is for LEADS, which starts from the state at time 0.5.
    """
    states, q = test.states, settings.q
    path = forecaster.rollout(states[:, :q], states.shape[1] - q, dt=settings.dt, context=contexts)
    if settings.problem == "lorenz":
        return Forecast(path, states[:, q:])
    every = round(COMMON_GRID / settings.dt)
    chosen = [index for index in range(q, states.shape[1]) if index % every == 0]
    return Forecast(path[:, [index - q for index in chosen]], states[:, chosen])
