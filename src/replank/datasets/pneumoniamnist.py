"""PneumoniaMNIST: 5,856 chest radiographs of children, 28x28 grey, the official split."""

from __future__ import annotations

from dataclasses import replace

from replank.datasets._card import Card
from replank.datasets._files import DataFile, Edition
from replank.datasets._medmnist import SOURCE, official_edition, without_validation
from replank.datasets._recipe import FromFiles

_CARD = Card(
    name="pneumoniamnist",
    title="PneumoniaMNIST",
    about="MedMNIST",
    licence="CC BY 4.0",
    source=SOURCE,
    citation="Yang et al. (2023), MedMNIST v2; images of Kermany et al. (2018), Cell 172",
    n_train=4_708,
    n_test=624,
    shape=(1, 28, 28),
    classes=("normal", "pneumonia"),
    split="official; the 524 official validation images are left out, load_medmnist reads them",
    known_differences=(
        "repeats of the official set: 18 training and 3 test images occur twice, and 8 of the validation images are "
        "training images; no test image is one of either",
        "three quarters of the training images, but five eighths of the test images, are of the class pneumonia",
    ),
)

_COPY = replace(
    _CARD,
    title="PneumoniaMNIST (a copy in another order)",
    known_differences=("training images are in another order than the official one", *_CARD.known_differences),
)
_FILE = DataFile("pneumoniamnist.npz", "sha256:f8c103e1a61646e1cff42d1a361781cb2523b41eaf1e68f984713b92e247d051")

SET = FromFiles(
    (
        official_edition("pneumoniamnist", "28209eda62fecd6e6a2d98b1501bb15f", _CARD),
        Edition(_COPY, (_FILE,), without_validation),
    )
)
