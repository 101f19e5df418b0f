"""From a data set to the images that models see: some classes, split by the seed, padded to a power of two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from replank.circuits.image_hamiltonian import pad_to_power_of_two
from replank.datasets import Arrays, Dataset
from replank.errors import DataError
from replank.seeding import numpy_stream
from replank.studies.hamiltonian_embedding.settings import EmbeddingSettings


def selected(data: Dataset, settings: EmbeddingSettings, seed: int) -> Dataset:
    """The classes that are told apart, split as the settings say.

    Raises:
        DataError: there are fewer classes or images than asked for, or images have colours.
    """
    if data.card.shape[0] != 1:
        raise DataError(f"hamiltonian-embedding: images must be grey, got {data.card.shape[0]} channels.")
    if settings.n_classes < len(data.card.classes):
        data = data.of_classes(range(settings.n_classes))
    if settings.split == "random":
        return split_anew(data, settings.n_train, settings.n_test, seed)
    return data.subset(settings.n_train, settings.n_test, seed=seed)


def split_anew(data: Dataset, n_train: int, n_test: int, seed: int) -> Dataset:
    """Training and test images thrown together, and split at random by the seed; what is not asked for is left out.

    Raises:
        DataError: there are not so many images.
    """
    x, y = np.concatenate((data.train_x, data.test_x)), np.concatenate((data.train_y, data.test_y))
    if not (n_train and n_test) or n_train + n_test > len(x):
        raise DataError(
            f"split_anew: `n_train` and `n_test` must be at least 1 and at most {len(x)} together for "
            f"{data.card.title}, got n_train={n_train} and n_test={n_test}."
        )
    order = numpy_stream(seed, "data split", data.card.name).permutation(len(x))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    card = replace(
        data.card,
        title=f"{data.card.title}, {n_train:,} / {n_test:,} anew",
        n_train=n_train,
        n_test=n_test,
        split=f"all images thrown together; {n_train:,} and {n_test:,} of them at random with seed {seed}",
    )
    return Dataset.of(card, Arrays(x[train], y[train], x[test], y[test]))


def framed(images: Tensor) -> Tensor:
    """Grey images, not centred, in the middle of a black square whose side is a power of two: ``(n, N, N)``."""
    return pad_to_power_of_two(images[:, 0])
