"""The accuracy that no function of the inputs can exceed, where inputs repeat with different labels."""

from __future__ import annotations

import torch
from torch import Tensor


def label_counts(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct inputs, and how often each occurs with each label.

    Args:
        inputs: shape ``(n, ...)``.
        labels: class numbers, shape ``(n,)``, integers from 0.

    Returns:
        The distinct inputs ``(m, ...)``, sorted, and counts ``(m, n_classes)``, int64.

    Raises:
        TypeError: labels are not integers.
        ValueError: shapes do not fit, there is no sample, or a label is negative.
    """
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(f"label_counts: `labels` must be class numbers, got dtype={labels.dtype}. Pass integers.")
    if labels.ndim != 1 or not len(labels) or inputs.shape[:1] != labels.shape or int(labels.min()) < 0:
        raise ValueError(
            f"label_counts: needs labels >= 0 of shape (n,) and inputs of shape (n, ...) for n >= 1, got "
            f"{tuple(labels.shape)} and {tuple(inputs.shape)}."
        )
    real = torch.view_as_real(inputs) if inputs.is_complex() else inputs  # unique() knows no complex numbers
    distinct, which = torch.unique(real, dim=0, return_inverse=True)
    counts = torch.zeros(len(distinct), int(labels.max()) + 1, dtype=torch.int64, device=labels.device)
    counts.index_put_((which, labels.long()), torch.ones_like(which), accumulate=True)
    return torch.view_as_complex(distinct) if inputs.is_complex() else distinct, counts


def majority_vote_ceiling(inputs: Tensor, labels: Tensor) -> float:
    """The greatest accuracy that any function of the inputs reaches on these samples: the majority label of each.

    Args:
        inputs: shape ``(n, ...)``.
        labels: class numbers, shape ``(n,)``.

    Returns:
        A number in (0, 1]; 1 if no input occurs with two labels.

    Raises:
        TypeError: as :func:`label_counts`.
        ValueError: as :func:`label_counts`.
    """
    _, counts = label_counts(inputs, labels)
    return float(counts.amax(1).sum() / counts.sum())
