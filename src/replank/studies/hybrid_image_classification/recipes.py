"""How the published networks are trained: the two recipes have nothing in common but batches, epochs and loss.

The classical one has two defects. Adam's ``weight_decay`` is *coupled*: it is added to the gradient, so that Adam
divides it by the size of the gradient like everything else, and weights that matter little shrink at full step size.
And the schedule, meant to restart every five epochs, is stepped after every batch: it restarts every five batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, LRScheduler, OneCycleLR

from replank.lab.training import Budget, OptimiserBuilder
from replank.studies.hybrid_image_classification.factors import Recipe

RESTART_AFTER = 5
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class RecipeFacts:
    """What a recipe consists of, for people and for the code.

    Args:
        optimiser: from parameters to an optimiser.
        schedule: from the optimiser, the number of all steps and the steps of an epoch to its schedule.
        clip: greatest norm of the gradient, if there is one.
        facts: its factors in words.
    """

    optimiser: OptimiserBuilder
    schedule: Callable[[torch.optim.Optimizer, int, int], LRScheduler]
    clip: float | None
    facts: dict[str, str]


def _one_cycle(optimiser: torch.optim.Optimizer, n_steps: int, steps_per_epoch: int) -> LRScheduler:
    return OneCycleLR(optimiser, max_lr=2e-3, total_steps=n_steps, pct_start=0.3)


def _restart_every_five_batches(optimiser: torch.optim.Optimizer, n_steps: int, steps_per_epoch: int) -> LRScheduler:
    return CosineAnnealingWarmRestarts(optimiser, T_0=RESTART_AFTER, eta_min=1e-5)


def _restart_every_five_epochs(optimiser: torch.optim.Optimizer, n_steps: int, steps_per_epoch: int) -> LRScheduler:
    return CosineAnnealingWarmRestarts(optimiser, T_0=RESTART_AFTER * steps_per_epoch, eta_min=1e-5)


def _adam(weight_decay: float) -> OptimiserBuilder:
    return partial(torch.optim.Adam, lr=3e-3, weight_decay=weight_decay)


_CLASSICAL = {
    "optimiser": "Adam",
    "step size": "3e-3, by cosine to 1e-5",
    "schedule": "restarts every 5 batches",
    "weight decay": "0.005, coupled to the gradient",
    "gradient clipping": "none",
}

RECIPES: dict[Recipe, RecipeFacts] = {
    "onecycle": RecipeFacts(
        partial(torch.optim.AdamW, lr=1e-3, weight_decay=0.01),
        _one_cycle,
        clip=1.0,
        facts={
            "optimiser": "AdamW",
            "step size": "up to 2e-3",
            "schedule": "one cycle over all batches",
            "weight decay": "0.01, decoupled",
            "gradient clipping": "norm 1",
        },
    ),
    "restarts": RecipeFacts(_adam(0.005), _restart_every_five_batches, clip=None, facts=_CLASSICAL),
    "undecayed": RecipeFacts(
        _adam(0.0), _restart_every_five_batches, clip=None, facts=_CLASSICAL | {"weight decay": "none"}
    ),
    "epochwise": RecipeFacts(
        _adam(0.005), _restart_every_five_epochs, clip=None, facts=_CLASSICAL | {"schedule": "restarts every 5 epochs"}
    ),
}


def budget(
    recipe: Recipe, epochs: int, *, optimiser: OptimiserBuilder | None = None, evaluate_every: int = 1
) -> Budget:
    """What the shared training loop needs to follow a recipe.

    Args:
        recipe: which one.
        epochs: passes over the training set.
        optimiser: builds the recipe's optimiser in a way of its own, say from a state that was kept.
        evaluate_every: epochs from one evaluation to the next.
    """
    chosen = RECIPES[recipe]
    clip = None if chosen.clip is None else partial(_clip, norm=chosen.clip)

    def schedule(optimiser: torch.optim.Optimizer, n_steps: int) -> LRScheduler:
        return chosen.schedule(optimiser, n_steps, n_steps // epochs)

    return Budget(epochs, optimiser or chosen.optimiser, schedule, clip, evaluate_every)


def differing_facts(recipe: Recipe, other: Recipe) -> list[str]:
    """In what two recipes differ: ``["optimiser: AdamW, not Adam", ...]``."""
    mine, theirs = RECIPES[recipe].facts, RECIPES[other].facts
    return [f"{name}: {mine[name]}, not {theirs[name]}" for name in mine if mine[name] != theirs[name]]


def _clip(parameters: Sequence[nn.Parameter], norm: float) -> None:
    nn.utils.clip_grad_norm_(parameters, max_norm=norm)
