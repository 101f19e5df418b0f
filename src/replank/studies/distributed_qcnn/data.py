"""The images of a trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from replank.datasets import GENERATED, Arrays, Dataset
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.studies.distributed_qcnn.lesions import synthetic_lesions
from replank.studies.distributed_qcnn.settings import DistributedSettings

_EVALUATION_BATCH = 250


def source(data: Dataset, settings: DistributedSettings, seed: int) -> Dataset:
    """The classes asked for, and of them a part that the seed draws; or lesions drawn by it."""
    if data.card.name == GENERATED:
        return synthetic_lesions(settings.n_train, settings.n_test, seed)
    if settings.classes:
        data = data.of_classes(settings.classes)
    if settings.against_rest >= 0:
        data = against_rest(data, settings.against_rest)
    return data.subset(settings.n_train, settings.n_test, seed=seed)


def against_rest(data: Dataset, label: int) -> Dataset:
    """The class with that label as class 1, all others together as class 0."""
    train_y, test_y = ((y == label).astype(np.int64) for y in (data.train_y, data.test_y))
    card = replace(data.card, classes=("other", data.card.classes[label]))
    return Dataset.of(card, Arrays(data.train_x, train_y, data.test_x, test_y))


def feeds(
    data: Dataset, settings: DistributedSettings, device: torch.device, dtype: torch.dtype = torch.float32
) -> tuple[TensorFeed, TensorFeed]:
    """Training and test batches; pixels are in [0, 1]."""
    training, test = (
        TensorFeed(x.to(dtype), y, batch_size=settings.batch_size, evaluation_batch_size=_EVALUATION_BATCH)
        for x, y in tensors(data, device)
    )
    return training, test
