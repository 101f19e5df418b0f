"""How many directions features have that a computer can tell from rounding."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def numerical_rank(features: Tensor, rcond: float = 1e-10) -> int:
    """The number of singular values above ``rcond`` times the largest.

    Args:
        features: ``(n, d)``.
        rcond: the cut-off.

    Raises:
        ValueError: features are no finite matrix, or a cut-off that is not in [0, 1).
    """
    if features.ndim != 2 or not features.numel() or not features.isfinite().all():
        raise ValueError(
            f"numerical_rank: features must be finite, (n >= 1, d >= 1), got shape {tuple(features.shape)}."
        )
    if not 0 <= rcond < 1:
        raise ValueError(f"numerical_rank: `rcond` must be in [0, 1), got rcond={rcond}.")
    values = torch.linalg.svdvals(features)
    return int((values > rcond * values[0]).sum())
