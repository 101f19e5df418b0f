"""What may be judged: predictions and truths that fit each other."""

from __future__ import annotations

import torch
from torch import Tensor


def checked_logits(caller: str, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and labels on the CPU in float64 and int64, so that a measure does not suffer from half precision.

    Raises:
        TypeError: logits are not real floating point, or labels are not integers.
        ValueError: shapes do not fit, there are no samples or fewer than two classes, a logit is not finite, or a label
            is not a class.
    """
    if not logits.is_floating_point():
        raise TypeError(f"{caller}: `logits` must be real floating point, got dtype={logits.dtype}.")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"{caller}: `labels` must be class numbers, got dtype={labels.dtype}. Pass integers.")
    if logits.ndim != 2 or len(logits) == 0 or logits.shape[1] < 2:
        raise ValueError(
            f"{caller}: `logits` must have shape (n_samples >= 1, n_classes >= 2), got shape={tuple(logits.shape)}."
        )
    if labels.shape != logits.shape[:1]:
        raise ValueError(
            f"{caller}: `labels` must have shape {tuple(logits.shape[:1])}, one for each row of `logits`, "
            f"got shape={tuple(labels.shape)}."
        )
    logits, labels = logits.detach().cpu().double(), labels.detach().cpu().long()
    if not logits.isfinite().all():
        raise ValueError(
            f"{caller}: `logits` must be finite, got {int((~logits.isfinite()).sum())} values of {logits.numel()} that "
            f"are not."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= logits.shape[1]:
        raise ValueError(
            f"{caller}: `labels` must lie in 0..{logits.shape[1] - 1}, the classes of `logits`, got {low}..{high}."
        )
    return logits, labels


def checked_targets(caller: str, predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions and targets of one shape, on the CPU in float64.

    Raises:
        TypeError: one of them is complex.
        ValueError: shapes differ (they are never broadcast: ``(n,)`` against ``(n, 1)`` would compare all pairs), there
            are no samples, or a value is not finite.
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"{caller}: `predictions` and `targets` must have one shape, got {tuple(predictions.shape)} and "
            f"{tuple(targets.shape)}. Reshape one of them."
        )
    if predictions.ndim == 0 or predictions.numel() == 0:
        raise ValueError(f"{caller}: there must be at least one sample, got shape={tuple(predictions.shape)}.")
    for name, values in (("predictions", predictions), ("targets", targets)):
        if values.is_complex():
            raise TypeError(f"{caller}: `{name}` must be real, got dtype={values.dtype}.")
        if not values.isfinite().all():
            raise ValueError(
                f"{caller}: `{name}` must be finite, got {int((~values.isfinite()).sum())} values of {values.numel()} "
                f"that are not."
            )
    return predictions.detach().cpu().double(), targets.detach().cpu().double()
