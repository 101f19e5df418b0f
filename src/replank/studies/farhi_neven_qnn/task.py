"""Labels +1 and -1 from a score: the paper's loss and two others, for several starts side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from replank.errors import DataError, UnknownName

Loss = Literal["linear", "hinge", "logistic"]
"""Of label times score m: ``1 - m`` (the paper's), ``max(0, 1 - m)``, ``ln(1 + exp(-m))``.

The first two differ only for scores outside [-1, 1], which no circuit gives: there hinge asks for a margin of 1 that
is never exceeded, so that a margin of 1/2 is used instead, ``max(0, 1 - 2 m)``.
"""

_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda margin: 1 - margin,
    "hinge": lambda margin: functional.relu(1 - 2 * margin),
    "logistic": lambda margin: functional.softplus(-margin),
}


class SignedLabels:
    """Scores ``(n, n_starts)`` whose sign is the predicted label; targets ``(n,)`` are +1 and -1.

    The loss is summed over starts, so that each has the gradient that it would have alone.

    Args:
        loss: which.

    Raises:
        UnknownName: no such loss.
    """

    headline: ClassVar[str] = "accuracy"

    def __init__(self, loss: Loss = "linear"):
        if loss not in get_args(Loss):
            raise UnknownName("loss", str(loss), get_args(Loss))
        self._loss = _LOSSES[loss]

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean loss of each start, ``(n_starts,)``."""
        return self._loss(output * target[:, None]).mean(0)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Sum of the starts' mean losses."""
        return self.losses(output, target).sum()

    def accuracies(self, output: Tensor, target: Tensor) -> Tensor:
        """Of each start, ``(n_starts,)``; a score of 0 predicts nothing and is wrong."""
        return (output.sign() == target[:, None]).double().mean(0)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss and accuracy, means over starts."""
        return {
            "loss": float(self.losses(output, target).mean()),
            "accuracy": float(self.accuracies(output, target).mean()),
        }

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Scores must have two dimensions, and labels be +1 or -1."""
        if output.ndim != 2 or target.shape != output.shape[:1]:
            raise DataError(
                f"SignedLabels: {name} scores must have shape (n, n_starts) and labels (n,), got "
                f"{tuple(output.shape)} and {tuple(target.shape)}."
            )
        wrong = target[(target != 1) & (target != -1)]
        if len(wrong):
            raise DataError(
                f"SignedLabels: {name} labels must be +1 or -1, got {torch.unique(wrong).tolist()[:5]}. Map the "
                "classes to signs first."
            )
