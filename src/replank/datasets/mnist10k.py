"""mnist10k: the first 10,000 training images of MNIST with the official test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from replank.datasets._card import Arrays
from replank.datasets._files import Edition
from replank.datasets._recipe import FromFiles
from replank.datasets.mnist import CARD as MNIST
from replank.datasets.mnist import EDITIONS

_N_TRAIN = 10_000

_CARD = replace(
    MNIST,
    name="mnist10k",
    title="mnist10k (first 10,000 training images of MNIST; official 10,000 test images)",
    n_train=_N_TRAIN,
    split="the first 10,000 of the official training images; the official test images",
    known_differences=("a sixth of MNIST's training images: accuracies are not those of MNIST",),
)


def _shortened(edition: Edition[Arrays]) -> Edition[Arrays]:
    def read(contents: Mapping[str, bytes]) -> Arrays:
        whole = edition.read(contents)
        return whole._replace(train_x=whole.train_x[:_N_TRAIN].copy(), train_y=whole.train_y[:_N_TRAIN].copy())

    return replace(edition, card=_CARD, read=read)


SET = FromFiles(tuple(_shortened(edition) for edition in EDITIONS))
