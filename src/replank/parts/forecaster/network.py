"""A network that reads a window and tells the next increment."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from replank.parts.forecaster._interface import States, StepForecaster, pairs
from replank.parts.forecaster._training import Trainer, by_lbfgs
from replank.parts.linear._structured import GeneratedLinear
from replank.parts.papers import ALUVIHARE2025
from replank.seeding import isolated
from replank.sources import Source


def small_network(n_in: int, n_out: int, hidden: int = 8) -> nn.Module:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_out))


class NetworkForecaster(StepForecaster):
    """A network from the standardised window to the standardised increment of the state.

    Windows are flattened component by component, contexts follow. It is trained in single precision and rolled out in
    double. Means and standard deviations are those of what is fitted.

    Args:
        build: makes the network, from the numbers of its inputs and outputs.
        train: trains it on ``(n, in)`` and ``(n, out)``; all samples at once by L-BFGS if not given.
        history: states in a window.
        seed: of the network's initial values, in the stream of hosts.

    Raises:
        ValueError: see the base class.

    Source: what [aluvihare2025stnn] does with a window of states; standardised increments are ours.
    """

    source = Source(ALUVIHARE2025, "abstract; increments and standardisation are ours", "ours")

    def __init__(
        self,
        *,
        build: Callable[[int, int], nn.Module] = small_network,
        train: Trainer = by_lbfgs,
        history: int = 1,
        seed: int = 0,
    ):
        super().__init__(history=history)
        self.build, self.train, self.seed = build, train, seed

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        windows, following, _ = pairs(trajectories, contexts, self.history)
        states = np.concatenate(trajectories)
        self._middle, self._spread = states.mean(0), _positive(states.std(0))
        self._usual, self._range = contexts.mean(0), _positive(contexts.std(0))
        increments = following - windows[:, -1]
        self._drift, self._jump = increments.mean(0), _positive(increments.std(0))
        x, y = self.samples(trajectories, contexts)
        with isolated(self.seed, "host"):
            self.network = self.build(x.shape[1], y.shape[1])
        with isolated(self.seed, "noise"):
            self.train(self.network, x, y)
        self._double = copy.deepcopy(self.network).double().eval().requires_grad_(False)

    def samples(self, trajectories: list[States], contexts: States) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the network, ``(n, in)`` and ``(n, d)`` in single precision, scaled as what was fitted.

        Args:
            trajectories: ``(T, d)`` each, the fitted ones or others.
            contexts: of each.
        """
        windows, following, known = pairs(trajectories, contexts, self.history)
        targets = (following - windows[:, -1] - self._drift) / self._jump
        return torch.from_numpy(self.inputs(windows, known)).float(), torch.from_numpy(targets).float()

    def inputs(self, windows: States, contexts: States) -> States:
        """What the network is shown for windows ``(B, q, d)`` and contexts ``(B, k)``, ``(B, d q + k)``."""
        flat = ((windows - self._middle) / self._spread).swapaxes(1, 2).reshape(len(windows), -1)
        return np.concatenate((flat, (contexts - self._usual) / self._range), axis=1)

    def _next(self, windows: States, contexts: States) -> States:
        with torch.no_grad():
            output: Tensor = self._double(torch.from_numpy(self.inputs(windows, contexts)))
        found: States = windows[:, -1] + self._drift + self._jump * output.numpy()
        return found

    @property
    def n_parameters(self) -> int:
        """Of the network."""
        return sum(each.numel() for each in self.network.parameters())

    @property
    def step_flops(self) -> int:
        """Matrix products as torch counts them, and structured layers by formula, generators' spectra being kept."""
        n_in = self.history * self.n_states + self.n_contexts
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            self._double(torch.zeros(1, n_in, dtype=torch.float64))
        structured = (each.flops(cached=True) for each in self.network.modules() if isinstance(each, GeneratedLinear))
        return int(counter.get_total_flops()) + sum(structured)

    def options(self) -> dict[str, Any]:
        """How the network is made and trained."""
        return {"build": self.build, "train": self.train, "history": self.history, "seed": self.seed}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One state and several."""
        return ({"history": 1, "train": partial(by_lbfgs, iterations=5)}, {"history": 4, "seed": 3})


def _positive(spread: States) -> States:
    """What never changes is not divided by zero."""
    return np.where(spread > 0, spread, 1.0)
