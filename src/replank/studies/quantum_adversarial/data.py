"""Two classes of images, resized, as training and test batches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from replank.datasets import Dataset
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.studies.quantum_adversarial.settings import ImageSettings


def pair(data: Dataset, settings: ImageSettings, seed: int) -> Dataset:
    """The images of the two classes, or a part of them that the seed draws."""
    return data.of_classes(settings.classes).subset(settings.n_train, settings.n_test, seed=seed)


def feeds(data: Dataset, settings: ImageSettings, device: torch.device) -> tuple[TensorFeed, TensorFeed]:
    """Training and test images, pixels in [0, 1], with labels 0 and 1."""
    train, test = (
        TensorFeed(_framed(x, settings), y, batch_size=settings.batch_size) for x, y in tensors(data, device)
    )
    return train, test


def _framed(x: Tensor, settings: ImageSettings) -> Tensor:
    small = resized(x, settings.side, settings.resize)
    return small.mT.contiguous() if settings.pixel_order == "columns" else small


def resized(x: Tensor, side: int, how: str) -> Tensor:
    """Grey images of another size, pixels still in [0, 1].

    Args:
        x: ``(n, 1, height, width)``.
        side: of the result.
        how: ``"area"``: means over what a pixel covers; ``"bilinear"``: between the middles of pixels.
    """
    if how == "area":
        return functional.interpolate(x, (side, side), mode="area")
    return functional.interpolate(x, (side, side), mode="bilinear", align_corners=False).clamp(0, 1)
