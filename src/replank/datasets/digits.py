"""digits: the 1,797 handwritten digits that scikit-learn carries, 8x8 grey."""

from __future__ import annotations

import numpy as np

from replank.datasets._card import Card, Labels, Pixels
from replank.datasets._recipe import Embedded

_CARD = Card(
    name="digits",
    title="digits (1,797 handwritten 8x8 digits carried by scikit-learn; 1,437 / 360 stratified split)",
    about="UCI optical digits",
    licence="CC BY 4.0 (UCI Machine Learning Repository)",
    source="https://archive.ics.uci.edu/dataset/80, sklearn.datasets.load_digits()",
    citation="Alpaydin, Kaynak (1998), Optical recognition of handwritten digits, UCI Machine Learning Repository",
    n_train=1_437,
    n_test=360,
    shape=(1, 8, 8),
    classes=tuple("0123456789"),
    split="stratified and random with a fixed seed, made by replank",
    known_differences=(
        "the test part of the UCI set only, which scikit-learn carries; pixels count set points in 4x4 blocks, 0 to 16",
    ),
    pixel_max=16,
)


def _read() -> tuple[Pixels, Labels]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.data.astype(np.uint8).reshape(-1, *_CARD.shape), bunch.target.astype(np.int64)


SET = Embedded(_CARD, "scikit-learn", _read, sha256="3bdcbf898d4e4ae2f3de959032fd61698f9cfd69ee85a8f024b3c115d56ec81a")
