"""Steady states and evolutions of densities: what is minimised, and how a step follows the last one."""

from __future__ import annotations

import copy
from functools import partial

import torch

from replank.open_systems.descent import Descended, Descent, Sampler, Trainable, descend
from replank.open_systems.generator import Density, LocalGenerator
from replank.open_systems.residuals import steady_residual, step_residual
from replank.open_systems.strings import count
from replank.open_systems.vector import Scheme, check_tau


class SteadyStateSolver:
    """Minimises ``sum_a |(L p)(a)|``, which is 0 for the steady state alone.

    Args:
        generator: L.
        descent: how.

    Source: [luo2022autoregressive], official code.
    """

    def __init__(self, generator: LocalGenerator, descent: Descent):
        self.generator, self.descent = generator, descent

    def solve(self, density: Trainable, sampler: Sampler, stream: torch.Generator | None = None) -> Descended:
        """Train a density in place; see :func:`~replank.open_systems.descent.descend`."""
        loss = partial(steady_residual, density, self.generator)
        return descend(density, loss, self.descent, sampler, stream)


class _Remembered:
    """A density that does not change any more: what it says of all strings is asked for once."""

    def __init__(self, density: Density):
        self.density, self.normalised = density, density.normalised
        self.n_sites, self.n_outcomes = density.n_sites, density.n_outcomes
        self._of_all: torch.Tensor | None = None

    def log_weight(self, a: torch.Tensor) -> torch.Tensor:
        """As of the density."""
        if len(a) < count(self.n_sites, self.n_outcomes):
            return self.density.log_weight(a)
        if self._of_all is None:  # as many distinct strings as there are: all of them, in their order
            self._of_all = self.density.log_weight(a)
        return self._of_all


class TrapezoidEvolver:
    """Advances a density by ``2 tau`` a step: the new parameters minimise the residual of the step's equation.

    Args:
        generator: L.
        tau: half of the time of a step.
        descent: how each step is made; it begins with the parameters of the last one and a fresh optimiser.
        scheme: ``"trapezoid"``, as published, or ``"euler"``.

    Raises:
        ValueError: ``tau`` is not positive.

    Source: [luo2022autoregressive], official code.
    """

    def __init__(self, generator: LocalGenerator, tau: float, descent: Descent, scheme: Scheme = "trapezoid"):
        check_tau(tau)
        self.generator, self.tau, self.descent, self.scheme = generator, tau, descent, scheme

    def step(self, density: Trainable, sampler: Sampler, stream: torch.Generator | None = None) -> Descended:
        """Train a density in place; see :func:`~replank.open_systems.descent.descend`."""
        old = _Remembered(copy.deepcopy(density))

        def loss(a: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
            return step_residual(density, old, self.generator, self.tau, a, shares, scheme=self.scheme)

        return descend(density, loss, self.descent, sampler, stream)
