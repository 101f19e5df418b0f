"""Train, prune, reset, train again: the cycles of iterative pruning, of which each can be taken up again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from replank.lab.task import Task
from replank.parts.pruning import DisconnectedWarning, Pruner, disconnected, removed_count
from replank.parts.pruning.masking import apply_masks, full_masks, prunable_weights

Tensors = dict[str, Tensor]
Train = Callable[[nn.Module, dict[str, nn.Parameter], Tensors, int], None]
"""Trains a model with these weights under these masks in a cycle."""


@dataclass
class Pruning:
    """Where a run stands: all that the next cycle needs; ``torch.save`` keeps it.

    Args:
        cycle: how often has been pruned.
        masks: what is left.
        first: the state that surviving weights go back to.
        shortfall: how many weights too few have been removed in all.
    """

    cycle: int
    masks: Tensors
    first: Tensors
    shortfall: int = 0

    @classmethod
    def begin(cls, model: nn.Module, *, every_weight: bool = False) -> Pruning:
        """Before anything has been trained or pruned."""
        masks = full_masks(prunable_weights(model, every_weight=every_weight))
        return cls(0, masks, {name: value.clone() for name, value in model.state_dict().items()})

    @property
    def n_left(self) -> int:
        """How many weights are left."""
        return sum(int(mask.sum()) for mask in self.masks.values())

    @property
    def share_left(self) -> float:
        """Of all prunable weights."""
        return self.n_left / sum(mask.numel() for mask in self.masks.values())

    @property
    def is_disconnected(self) -> bool:
        """Whether a layer has no weight left."""
        return bool(disconnected(self.masks))

    def place(self, model: nn.Module, *, fresh: Tensors | None = None) -> dict[str, nn.Parameter]:
        """Put the first values, or fresh ones, under the masks into a model; its prunable weights."""
        model.load_state_dict(self.first if fresh is None else fresh)
        parameters = dict(model.named_parameters())
        weights = {name: parameters[name] for name in self.masks}
        apply_masks(weights, self.masks)
        return weights

    def next(
        self, pruner: Pruner, weights: Tensors, start: Tensors, p: float, gradients: Tensors | None, *, exact: bool
    ) -> Pruning:
        """After another pruning.

        Args:
            pruner: chooses.
            weights: after training.
            start: at the beginning of the cycle.
            p: share that goes.
            gradients: of the loss.
            exact: whether exactly ``floor(p R)`` must have gone, but for a shortfall that the pruner reports.
        """
        before = self.n_left
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DisconnectedWarning)  # `is_disconnected` says so in every record
            masks = pruner.select(weights, start, self.masks, p, gradients=gradients)
        short = getattr(pruner, "shortfall", 0)
        after = Pruning(self.cycle + 1, masks, self.first, self.shortfall + short)
        assert not exact or before - after.n_left == removed_count(p, before) - short
        return after


def loss_gradients(model: nn.Module, task: Task, x: Tensor, y: Tensor, weights: Tensors) -> Tensors:
    """Gradients of the loss of some samples, in evaluation mode."""
    was_training = model.training
    model.eval()
    found = torch.autograd.grad(task.loss(model(x), y), list(weights.values()))
    model.train(was_training)
    return dict(zip(weights, found, strict=True))
