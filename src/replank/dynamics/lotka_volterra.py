"""Prey and predators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replank.dynamics._states import Any_, States, stacked
from replank.errors import DataError


@dataclass(frozen=True)
class LotkaVolterra:
    """``x' = alpha x - beta x y, y' = delta x y - gamma y``, of arrays or tensors ``(*, 2)``.

    Args:
        alpha: growth of prey.
        beta: how much prey is eaten.
        gamma: death of predators.
        delta: how many are born from what is eaten.
    """

    alpha: float = 0.5
    beta: float = 0.5
    gamma: float = 0.5
    delta: float = 0.5

    def __call__(self, state: Any_) -> Any_:
        """How fast a state changes."""
        prey, predators = state[..., 0], state[..., 1]
        met = prey * predators
        return stacked(self.alpha * prey - self.beta * met, self.delta * met - self.gamma * predators)

    def invariant(self, state: States) -> States:
        """What stays constant along a solution, ``delta x - gamma ln x + beta y - alpha ln y``.

        Raises:
            DataError: a state that is not positive.
        """
        self.check_start(state)
        prey, predators = state[..., 0], state[..., 1]
        found: States = self.delta * prey - self.gamma * np.log(prey) + self.beta * predators
        return found - self.alpha * np.log(predators)

    def check_start(self, state: States) -> None:
        """Refuse numbers of animals that are none.

        Raises:
            DataError: a state that is not positive.
        """
        if not (np.asarray(state) > 0).all():
            raise DataError(f"LotkaVolterra: states must be positive, got {np.asarray(state).min():g} among them.")
