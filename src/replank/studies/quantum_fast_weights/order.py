"""Whether a model knows in which order the earlier steps of a window came."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor, nn

from replank.measure.evaluation import evaluating


def largest_change_by_order(model: nn.Module, windows: Tensor) -> float:
    """How much the output moves at most when the steps before the last change places, over all ways to do so.

    Args:
        model: ``(B, T, F) -> (B, K)``, run in evaluation mode.
        windows: ``(B, T, F)``; the number of ways grows as ``(T - 1)!``.
    """
    n_steps = windows.shape[1]
    with evaluating(model):
        as_it_was = model(windows)
        changes = [
            (model(windows[:, [*order, n_steps - 1]]) - as_it_was).abs().max()
            for order in permutations(range(n_steps - 1))
        ]
    return float(torch.stack(changes).max())
