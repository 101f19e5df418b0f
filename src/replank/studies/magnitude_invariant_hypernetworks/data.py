"""What a trial is trained, validated and tested on: images with labels, or pairs of images of one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from replank.datasets import Dataset
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.short_epochs import ShortEpochs
from replank.seeding import numpy_stream
from replank.studies.magnitude_invariant_hypernetworks.settings import HyperSettings

N_EVALUATED = 32
"""Training samples that are evaluated."""


@dataclass(frozen=True)
class Feeds:
    """What a trial is trained, validated and tested on."""

    training: ShortEpochs
    validation: TensorFeed
    test: TensorFeed


def feeds(data: Dataset, settings: HyperSettings, seed: int, device: torch.device) -> Feeds:
    """The parts of a trial: drawn by the seed, disjoint, the same for all arms.

    Args:
        data: images with labels.
        settings: sizes, and whether pairs are wanted.
        seed: of the draw.
        device: where to.
    """
    pairs = settings.problem in ("registration", "start")
    images = settings.n_train + settings.n_validation
    # as many pairs as images: each image is the fixed one of one pair
    (x, y), (test_x, test_y) = tensors(data.subset(images, settings.n_test, seed=seed), device)
    order = torch.from_numpy(numpy_stream(seed, "validation").permutation(images)).to(device)
    x, y = x[order], y[order]
    n = settings.n_train
    parts = {"training": (x[:n], y[:n]), "validation": (x[n:], y[n:]), "test": (test_x, test_y)}
    made = {name: _feed(*part, name, settings, seed, pairs) for name, part in parts.items()}
    return Feeds(ShortEpochs(made["training"], settings.every), made["validation"], made["test"])


def _feed(x: Tensor, y: Tensor, part: str, settings: HyperSettings, seed: int, pairs: bool) -> TensorFeed:
    x = framed(x, settings)
    if pairs:
        moving = partners(y.cpu().numpy(), numpy_stream(seed, "pairs", part))
        x = torch.cat((x[torch.from_numpy(moving).to(x.device)], x), 1)
    size = N_EVALUATED if part == "training" else 100
    return TensorFeed(x, y, batch_size=settings.batch_size, evaluation_batch_size=size)


def partners(labels: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """For each image the index of another one of its class, where there is one: a step along a random cycle."""
    found = np.arange(len(labels))
    for label in np.unique(labels):
        members = stream.permutation(np.flatnonzero(labels == label))
        found[members] = np.roll(members, 1)
    return found


def framed(x: Tensor, settings: HyperSettings) -> Tensor:
    """Images in [0, 1], halved if asked for, then padded with black."""
    if settings.halve:
        x = F.avg_pool2d(x, 2)
    room = settings.side - x.shape[-1] if settings.side else 0
    return F.pad(x, [room // 2, room - room // 2] * 2)
