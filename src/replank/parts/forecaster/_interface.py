"""The contract of the slot *forecaster*: trajectories go in, and then a few states; those that follow come out."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from replank.dynamics.delay import uniform_step
from replank.errors import DataError
from replank.sources import Source

__all__ = ["Forecaster", "States", "StepForecaster"]

States = NDArray[np.float64]
Times = float | Sequence[float] | States

LIMIT = 1000.0
"""A state so many times as large as any that was fitted has diverged."""


class Forecaster(abc.ABC):
    """From the last few states of a system to those that follow, at equal distances in time.

    A trajectory may have a *context*: numbers that stay what they are all along it, such as a parameter of the system
    or the number of an environment. Forecasters that don't look at it say so in their documentation.

    A roll-out that diverges is no error: from the first state on that is not finite, or 1,000 times as large as any
    that was fitted, all states are infinite. Whoever averages over roll-outs can't overlook it.

    Nothing random is drawn from global state. What a constructor takes is keyword-only. A part of the group derives
    from this class, gives :meth:`_fit` and :meth:`_rollout`, and small ``examples`` of itself for the contract suite.

    Args:
        history: how many states a forecast begins with.

    Raises:
        ValueError: fewer than one.
    """

    source: ClassVar[Source]

    def __init__(self, *, history: int = 1):
        if history < 1:
            raise ValueError(f"{type(self).__name__}: `history` must be at least 1, got history={history}.")
        self.history = history

    @abc.abstractmethod
    def _fit(self, trajectories: list[States], contexts: States) -> None:
        """Fit trajectories ``(T, d)`` with contexts ``(n, k)``; ``self.dt`` is known."""

    @abc.abstractmethod
    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        """From ``(B, q, d)`` and contexts ``(B, k)`` to ``(B, steps, d)``; numbers may overflow."""

    @property
    @abc.abstractmethod
    def n_parameters(self) -> int:
        """How many numbers a fitted one knows."""

    @property
    @abc.abstractmethod
    def step_flops(self) -> int:
        """Operations of a fitted one for the next state, 2 for a multiply-add; functions such as tanh not counted."""

    @abc.abstractmethod
    def options(self) -> dict[str, Any]:
        """The constructor's arguments, for the printed name."""

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""

    @property
    def least_states(self) -> int:
        """How many states a trajectory must have to be fitted."""
        return self.history + 1

    def fit(self, trajectories: Sequence[States], dt: Times, contexts: States | None = None) -> Self:
        """Fit trajectories.

        Shape: each ``(T, d)``, ``contexts`` ``(n, k)``.

        Args:
            trajectories: at equal distances in time; they need not be equally long.
            dt: that distance, or the times of the longest of them.
            contexts: of each trajectory.

        Raises:
            DataError: there are none, they are too short, not finite or of different systems, times are not equally far
                from each other, or there is not one context for each.
        """
        name = type(self).__name__
        known = [np.asarray(each, np.float64) for each in trajectories]
        if not known or any(each.ndim != 2 or each.shape[1] != known[0].shape[-1] for each in known):
            raise DataError(
                f"{name}: trajectories must be (T, d) with one d, got shapes {[each.shape for each in known]}."
            )
        for each in known:
            if len(each) < self.least_states:
                raise DataError(
                    f"{name}: a trajectory must have at least {self.least_states} states for history={self.history}, "
                    f"got {len(each)}."
                )
            if not np.isfinite(each).all():
                raise DataError(f"{name}: states must be finite, got NaN or infinity.")
        given = np.zeros((len(known), 0)) if contexts is None else np.asarray(contexts, np.float64)
        if given.ndim != 2 or len(given) != len(known) or not np.isfinite(given).all():
            raise DataError(
                f"{name}: contexts must be finite and (n, k) for n={len(known)} trajectories, got shape {given.shape}."
            )
        self.dt = uniform_step(dt)
        self._fit(known, given)
        self.n_states, self.n_contexts = known[0].shape[1], given.shape[1]
        self._limit = LIMIT * max(float(np.abs(each).max()) for each in known)
        return self

    def rollout(self, history: States, steps: int, *, dt: float | None = None, context: States | None = None) -> States:
        """The states that follow.

        Shape: ``history`` ``(q, d)`` or ``(B, q, d)`` to ``(steps, d)`` or ``(B, steps, d)``; ``context`` ``(k,)`` or
        ``(B, k)``.

        Args:
            history: the last states in the order of time; ``q`` is :attr:`history`, longer ones are cut.
            steps: how many follow.
            dt: their distance in time, if it is to be checked that it is the fitted one.
            context: of the trajectory, if such were fitted.

        Raises:
            DataError: nothing has been fitted, too few states, NaN, another distance in time or another context.
            ValueError: no step.
        """
        name = type(self).__name__
        if not hasattr(self, "_limit"):
            raise DataError(f"{name}: fit(trajectories, dt) must come before rollout().")
        if steps < 1:
            raise ValueError(f"{name}: `steps` must be at least 1, got steps={steps}.")
        states = np.asarray(history, np.float64)
        batch = states[None] if states.ndim == 2 else states
        if batch.ndim != 3 or batch.shape[1] < self.history or batch.shape[2] != self.n_states:
            raise DataError(
                f"{name}: the history must be (q, d) with q={self.history} states of {self.n_states} components, got "
                f"shape {states.shape}."
            )
        if not np.isfinite(batch).all():
            raise DataError(f"{name}: states must be finite, got NaN or infinity.")
        if dt is not None and not np.isclose(dt, self.dt, rtol=1e-6, atol=0):
            raise DataError(f"{name}: it was fitted to steps of dt={self.dt:g}, got dt={dt:g}. Fit it again.")
        with np.errstate(all="ignore"):
            found = self._rollout(batch[:, -self.history :], steps, self._contexts(context, len(batch)))
        lost = ~(np.isfinite(found) & (np.abs(found) <= self._limit)).all(-1)
        found = np.where(np.logical_or.accumulate(lost, axis=1)[..., None], np.inf, found)
        return found[0] if states.ndim == 2 else found

    def _contexts(self, context: States | None, n: int) -> States:
        given = np.zeros(0) if context is None else np.asarray(context, np.float64)
        if given.shape not in ((self.n_contexts,), (n, self.n_contexts)):
            raise DataError(
                f"{type(self).__name__}: it was fitted with contexts of {self.n_contexts} numbers, got shape "
                f"{given.shape} for {n} histories."
            )
        return np.broadcast_to(given, (n, self.n_contexts)).copy()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"


class StepForecaster(Forecaster):
    """A forecaster that knows one step, and slides its window along."""

    @abc.abstractmethod
    def _next(self, windows: States, contexts: States) -> States:
        """The states ``(B, d)`` behind windows ``(B, q, d)``."""

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        n, q, d = history.shape
        path = np.concatenate((history, np.empty((n, steps, d))), axis=1)
        for step in range(steps):
            path[:, q + step] = self._next(path[:, step : q + step], contexts)
        return path[:, q:]


def pairs(trajectories: Sequence[States], contexts: States, q: int) -> tuple[States, States, States]:
    """All windows ``(n, q, d)`` with the states behind them ``(n, d)`` and contexts ``(n, k)``."""
    views = [np.lib.stride_tricks.sliding_window_view(each, q, axis=0)[:-1].swapaxes(1, 2) for each in trajectories]
    counts = [len(each) for each in views]
    return (
        np.concatenate(views),
        np.concatenate([each[q:] for each in trajectories]),
        np.repeat(contexts, counts, axis=0),
    )
