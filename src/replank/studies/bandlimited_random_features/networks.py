"""Networks of the same width whose hidden nodes are trained."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from replank.features import Standardiser
from replank.lab.training import Budget
from replank.parts.activation import find_activation
from replank.parts.linear import RandomFeatureLinear
from replank.parts.sampler.uniform_band import UniformBandSampler
from replank.seeding import isolated
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings

N_EVALUATIONS = 20


def network(settings: RandomFeatureSettings, x: Tensor, n_outputs: int, seed: int) -> nn.Module:
    """The host with torch's initial values, or with nodes from the random arm's box, which are then trained, too."""
    n_inputs, width = x.shape[1], settings.width
    if settings.model == "trained":
        with isolated(seed, "part", "nodes"):
            return RandomFeatureLinear(
                n_inputs,
                n_outputs,
                n_nodes=width,
                sampler=UniformBandSampler(settings.start_lam),
                activation=settings.activation,
                frozen=False,
                dtype=x.dtype,
            )
    with isolated(seed, "host"):
        return nn.Sequential(
            Standardiser().fit(x),
            nn.Linear(n_inputs, width, dtype=x.dtype),
            find_activation(settings.activation),
            nn.Linear(width, n_outputs, dtype=x.dtype),
        )


def budget(settings: RandomFeatureSettings) -> Budget:
    """Adam with a step that goes to 0, or L-BFGS with a line search, 20 iterations an epoch."""
    if settings.optimiser == "adam":
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR
        adam = partial(torch.optim.Adam, lr=settings.lr)
        return Budget(settings.epochs, adam, schedule, evaluate_every=-(-settings.epochs // N_EVALUATIONS))
    lbfgs = partial(
        torch.optim.LBFGS, max_iter=20, history_size=50, tolerance_grad=0.0, tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip
    return Budget(settings.lbfgs_epochs, lbfgs, evaluate_every=-(-settings.lbfgs_epochs // N_EVALUATIONS))
