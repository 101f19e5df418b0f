"""Images as torch takes them."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.datasets._card import Dataset

Pair = tuple[Tensor, Tensor]


def tensors(data: Dataset, device: torch.device | None = None) -> tuple[Pair, Pair]:
    """Training and test images with their labels.

    Args:
        data: the set.
        device: where to.

    Returns:
        Twice images ``(n, channels, height, width)``, float32, from 0 to 1, and labels ``(n,)``, int64.
    """
    halves = (data.train_x, data.train_y), (data.test_x, data.test_y)
    train, test = (
        ((torch.from_numpy(x).float() / data.card.pixel_max).to(device), torch.from_numpy(y).to(device))
        for x, y in halves
    )
    return train, test
