"""A common law of motion and a small correction for each environment."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.errors import DataError
from replank.parts.forecaster._interface import Forecaster, States
from replank.parts.forecaster._packages import package
from replank.parts.forecaster._training import Trainer, by_lbfgs
from replank.parts.papers import YIN2021LEADS
from replank.seeding import isolated
from replank.sources import Source

INITIAL = 0.05
"""Standard deviation of initial weights."""
N_LAYERS = 4


class LEADSForecaster(Forecaster):
    """Neural ordinary differential equations ``x' = f(x) + g_e(x)`` of several environments, by torchdiffeq.

    ``f`` is common to all environments, ``g_e`` belongs to one and is kept small: that much is LEADS. A context is the
    number of the environment, from 0 on. Whole trajectories are fitted from their first states; all must be equally
    long.

    Args:
        n_environments: how many there are.
        hidden: width of the hidden layers.
        size_weight: of the penalty on the corrections, ``lambda_inv`` in the official code.
        lipschitz_weight: within it, of the corrections' spectral norms, ``factor_lip``.
        train: trains the network on ``(n, d + 1)``, states and environment, and paths ``(n, T - 1, d)``; all samples at
            once by L-BFGS if not given.
        seed: of initial values.

    Raises:
        ValueError: sizes below 1 or negative weights.
        DataError (when fitted): trajectories of several lengths, or contexts that are no environment.
        MissingExtra: torchdiffeq is not installed.

    Source: [yin2021leads]. Width, constants, initial values and solver are the official code's; four layers with SiLU
        and the exact form of the penalty are recalled.
    """

    source = Source(YIN2021LEADS, "official code; layers and the form of the penalty recalled", "official code")

    def __init__(
        self,
        *,
        n_environments: int = 1,
        hidden: int = 64,
        size_weight: float = 1 / 5e3,
        lipschitz_weight: float = 1e-2,
        train: Trainer = by_lbfgs,
        seed: int = 0,
    ):
        super().__init__(history=1)
        if n_environments < 1 or hidden < 1 or size_weight < 0 or lipschitz_weight < 0:
            raise ValueError(
                "LEADSForecaster: sizes must be at least 1 and weights not negative, got "
                f"n_environments={n_environments}, hidden={hidden}, size_weight={size_weight}, "
                f"lipschitz_weight={lipschitz_weight}."
            )
        self.n_environments, self.hidden, self.seed, self.train = n_environments, hidden, seed, train
        self.size_weight, self.lipschitz_weight = size_weight, lipschitz_weight

    def _fit(self, trajectories: list[States], contexts: States) -> None:
        lengths = sorted({len(each) for each in trajectories})
        if len(lengths) > 1:
            raise DataError(f"LEADSForecaster: trajectories must be equally long, got lengths {lengths}.")
        paths = np.stack(trajectories)
        environments = self._environments(contexts)
        x = torch.from_numpy(np.concatenate((paths[:, 0], environments[:, None]), axis=1)).float()
        with isolated(self.seed, "host"):
            self.network = LEADSNetwork(
                paths.shape[2], self.n_environments, self.hidden, self.dt, lengths[0] - 1,
                self.size_weight, self.lipschitz_weight,
            )  # fmt: skip
        with isolated(self.seed, "noise"):
            self.train(self.network, x, torch.from_numpy(paths[:, 1:]).float())
        self.network.path = None
        self._double = copy.deepcopy(self.network).double().eval().requires_grad_(False)

    def _environments(self, contexts: States) -> States:
        if contexts.shape[1] == 0 and self.n_environments == 1:
            return np.zeros(len(contexts))
        known = contexts.shape[1] == 1 and np.isin(contexts, np.arange(self.n_environments)).all()
        if not known:
            raise DataError(
                f"LEADSForecaster: a context must be one environment's number, from 0 to {self.n_environments - 1}, "
                f"got {np.unique(contexts, axis=0).tolist()}."
            )
        return contexts[:, 0]

    def _rollout(self, history: States, steps: int, contexts: States) -> States:
        environments = torch.from_numpy(self._environments(contexts)).long()
        starts = torch.from_numpy(history[:, -1])
        path = torch.empty(len(starts), steps, starts.shape[1], dtype=starts.dtype)
        with torch.no_grad():
            for one in torch.unique(environments):  # together, so that weights are not copied for each of them
                path[environments == one] = self._double.solved(starts[environments == one], one, steps)
        return path.numpy()

    @property
    def n_parameters(self) -> int:
        """Of the common network and of all corrections."""
        return sum(each.numel() for each in self.network.parameters())

    @property
    def step_flops(self) -> int:
        """Four evaluations of both networks, and the method's sums."""
        weights = sum(each.numel() for name, each in self.network.common.named_parameters() if "weight" in name)
        return 4 * (2 * 2 * weights + self.n_states) + 13 * self.n_states

    def options(self) -> dict[str, Any]:
        """All arguments."""
        names = ("n_environments", "hidden", "size_weight", "lipschitz_weight", "train", "seed")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One environment, tiny."""
        return ({"n_environments": 1, "hidden": 4, "train": partial(by_lbfgs, iterations=3)},)


class LEADSNetwork(nn.Module):
    """From states with the number of their environment, ``(n, d + 1)``, to the paths that begin there, ``(n, T, d)``.

    Args:
        n_states: d.
        n_environments: how many.
        hidden: width.
        dt: time between two states of a path.
        n_steps: T.
        size_weight: of the penalty.
        lipschitz_weight: within it.
    """

    def __init__(
        self,
        n_states: int,
        n_environments: int,
        hidden: int,
        dt: float,
        n_steps: int,
        size_weight: float,
        lipschitz_weight: float,
    ):
        super().__init__()
        widths = [n_states, *[hidden] * (N_LAYERS - 1), n_states]
        self.common, self.own = _Networks(widths, 1), _Networks(widths, n_environments)
        self.dt, self.n_steps = dt, n_steps
        self.size_weight, self.lipschitz_weight = size_weight, lipschitz_weight
        self.path: tuple[Tensor, Tensor] | None = None

    def forward(self, starts: Tensor) -> Tensor:
        """Solve, and keep the path for the penalty."""
        environments = starts[:, -1].long()
        path = self.solved(starts[:, :-1], environments, self.n_steps)
        self.path = (path, environments)
        return path

    def solved(self, starts: Tensor, environments: Tensor, n_steps: int) -> Tensor:
        """Paths ``(n, n_steps, d)``, by one Runge-Kutta step for each state.

        Args:
            starts: ``(n, d)``.
            environments: ``(n,)``, or one number for all.
            n_steps: length of the paths.
        """
        odeint = package("torchdiffeq", "LEADSForecaster").odeint
        common, own = self.common.chosen(torch.tensor(0)), self.own.chosen(environments)
        times = self.dt * torch.arange(n_steps + 1, dtype=starts.dtype, device=starts.device)
        found: Tensor = odeint(
            lambda _, states: applied(common, states) + applied(own, states), starts, times, method="rk4"
        )
        return found[1:].swapaxes(0, 1)

    def penalty(self) -> Tensor:
        """How large corrections are where the last paths went, next to the states, and their layers' norms."""
        if self.path is None:
            raise RuntimeError("LEADSNetwork: a forward pass must come before penalty().")
        path, environments = self.path
        states = path.detach()[:, :: max(1, self.n_steps // 4)].swapaxes(0, 1)
        corrections = applied(self.own.chosen(environments), states)
        size = (corrections.square().sum(-1) / states.square().sum(-1).clamp(min=1e-12)).mean()
        norms = sum(torch.linalg.matrix_norm(weight, 2).square().mean() for weight in self.own.weights)
        return self.size_weight * (size + self.lipschitz_weight * norms)


Layers = list[tuple[Tensor, Tensor]]


class _Networks(nn.Module):
    """Several networks of the same widths, with SiLU between layers."""

    def __init__(self, widths: list[int], n: int):
        super().__init__()
        both = list(itertools.pairwise(widths))
        self.weights = nn.ParameterList(nn.Parameter(INITIAL * torch.randn(n, out, inner)) for inner, out in both)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(n, out)) for _, out in both)

    def chosen(self, number: Tensor) -> Layers:
        """For each sample the layers of its network, or those of one for all."""
        return [(weight[number], bias[number]) for weight, bias in zip(self.weights, self.biases, strict=True)]


def applied(layers: Layers, states: Tensor) -> Tensor:
    """What the networks of each sample, or one of all, give for states ``(*, n, d)``."""
    values = states
    for number, (weight, bias) in enumerate(layers):
        values = F.linear(values, weight, bias) if weight.ndim == 2 else (weight @ values[..., None])[..., 0] + bias
        if number < len(layers) - 1:
            values = F.silu(values)
    return values
