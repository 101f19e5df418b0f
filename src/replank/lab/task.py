"""What a supervised model is trained for: its loss, and the metrics of its outputs."""

from __future__ import annotations

from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from replank.errors import DataError
from replank.measure.calibration import expected_calibration_error
from replank.measure.classification import accuracy, negative_log_likelihood
from replank.measure.regression import mean_absolute_error, mean_squared_error, r2


class Task(Protocol):
    """A loss, and what is measured on a set."""

    headline: ClassVar[str]
    """The metric that tables lead with."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean loss of a batch."""

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Metrics of a whole set, by name; one of them is ``loss``."""

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Refuse targets that do not fit the model's output."""


class Classification:
    """Outputs ``(n, n_classes)`` are logits, targets ``(n,)`` are class indices; cross-entropy in nats.

    Args:
        label_smoothing: what share of each training target is spread over all classes; metrics do not know of it.
    """

    headline: ClassVar[str] = "accuracy"

    def __init__(self, label_smoothing: float = 0.0):
        self.label_smoothing = label_smoothing

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy."""
        return functional.cross_entropy(output, target, label_smoothing=self.label_smoothing)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Accuracy, negative log-likelihood (as ``loss``) and expected calibration error."""
        return {
            "loss": negative_log_likelihood(output, target),
            "accuracy": accuracy(output, target),
            "ece": expected_calibration_error(output, target),
        }

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Labels must be integers from 0 to the number of outputs minus one."""
        if output.ndim != 2:
            raise DataError(
                f"compare: a classifier must map a batch to (n, n_classes) logits, got shape {tuple(output.shape)}."
            )
        if target.dtype != torch.int64 or target.ndim != 1:
            raise DataError(
                f"compare: {name} labels must be int64 of shape (n,), got {target.dtype} of {tuple(target.shape)}."
            )
        low, high, n_classes = int(target.min()), int(target.max()), output.shape[1]
        if low < 0 or high >= n_classes:
            raise DataError(
                f"compare: {name} labels must lie in 0..{n_classes - 1}, the outputs of the model, "
                f"got {low}..{high}. Renumber them or give the model more outputs."
            )


class Regression:
    """Outputs and targets have one shape; mean squared error."""

    headline: ClassVar[str] = "r2"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean squared error."""
        return functional.mse_loss(output, target)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Mean squared error (as ``loss``), mean absolute error and coefficient of determination."""
        return {
            "loss": mean_squared_error(output, target),
            "mae": mean_absolute_error(output, target),
            "r2": r2(output, target),
        }

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Targets must have the shape of the outputs: torch would broadcast (n,) against (n, 1) without a word."""
        if output.shape[1:] != target.shape[1:]:
            raise DataError(
                f"compare: {name} targets must have the shape of the model's output {('n', *output.shape[1:])}, "
                f"got {('n', *target.shape[1:])}. Reshape one of the two, or pass integer labels for a classification."
            )
        if not target.is_floating_point():
            raise DataError(f"compare: {name} targets of a regression must be floating point, got {target.dtype}.")


TASKS: dict[str, type[Classification] | type[Regression]] = {
    "classification": Classification,
    "regression": Regression,
}
