"""How far predictions of numbers are off."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.measure._predictions import checked_targets


def mean_squared_error(predictions: Tensor, targets: Tensor) -> float:
    """Mean of ``(prediction - target)²`` over samples and outputs, in squared units of the target.

    Args:
        predictions: any shape with at least one dimension.
        targets: the same shape.

    Raises:
        TypeError: values are complex.
        ValueError: shapes differ, there are no samples, or values are not finite.
    """
    predictions, targets = checked_targets("mean_squared_error", predictions, targets)
    return float((predictions - targets).square().mean())


def mean_absolute_error(predictions: Tensor, targets: Tensor) -> float:
    """Mean of ``|prediction - target|`` over samples and outputs, in units of the target.

    Args:
        predictions: any shape with at least one dimension.
        targets: the same shape.

    Raises:
        TypeError: values are complex.
        ValueError: shapes differ, there are no samples, or values are not finite.
    """
    predictions, targets = checked_targets("mean_absolute_error", predictions, targets)
    return float((predictions - targets).abs().mean())


def r2(predictions: Tensor, targets: Tensor) -> float:
    """Coefficient of determination ``1 - Σ(target - prediction)² / Σ(target - mean target)²``, mean over outputs.

    1 is perfect, 0 is as good as predicting the mean of these targets, and there is no lower bound. A constant output
    leaves nothing to explain and makes the quotient meaningless: it counts 1 if predicted exactly, else 0 (the rule of
    scikit-learn's ``r2_score``).

    Args:
        predictions: shape ``(n, *outputs)`` with at least two samples.
        targets: the same shape.

    Raises:
        TypeError: values are complex.
        ValueError: shapes differ, there are fewer than two samples, or values are not finite.
    """
    predictions, targets = checked_targets("r2", predictions, targets)
    if len(targets) < 2:
        raise ValueError(f"r2: there must be at least two samples, got n={len(targets)}.")
    unexplained = (targets - predictions).square().sum(dim=0)
    spread = (targets - targets.mean(dim=0)).square().sum(dim=0)
    # compared by value: the rounded mean of equal numbers may differ from them, which would leave a tiny spread
    constant = (targets == targets[0]).all(dim=0)
    scores = torch.where(constant, (unexplained == 0).double(), 1 - unexplained / torch.where(constant, 1.0, spread))
    return float(scores.mean())


def normalised_mean_squared_error(predictions: Tensor, targets: Tensor) -> float:
    """Mean squared error over the variance of the targets: 1 is as good as predicting their mean, ``1 - R^2``.

    Args:
        predictions: shape ``(n, *outputs)`` with at least two samples.
        targets: the same shape; outputs count alike, whatever their spread.

    Raises:
        TypeError: values are complex.
        ValueError: shapes differ, there are fewer than two samples, values are not finite, or an output is constant.
    """
    predictions, targets = checked_targets("normalised_mean_squared_error", predictions, targets)
    if len(targets) < 2 or (targets == targets[0]).all(dim=0).any():
        raise ValueError(
            "normalised_mean_squared_error: targets of each output must vary, got "
            f"{len(targets)} targets of which an output is constant. There is nothing to normalise by."
        )
    spread = (targets - targets.mean(dim=0)).square().mean(dim=0)
    return float(((predictions - targets).square().mean(dim=0) / spread).mean())


def relative_error(predictions: Tensor, targets: Tensor) -> float:
    """``|prediction - target| / |target|`` with Euclidean norms over samples and outputs: 1 is as good as 0.

    Args:
        predictions: any shape with at least one dimension.
        targets: the same shape.

    Raises:
        TypeError: values are complex.
        ValueError: shapes differ, there are no samples, values are not finite, or all targets are 0.
    """
    predictions, targets = checked_targets("relative_error", predictions, targets)
    if not targets.any():
        raise ValueError("relative_error: some target must not be 0, got none. There is nothing to relate errors to.")
    return float((predictions - targets).norm() / targets.norm())
