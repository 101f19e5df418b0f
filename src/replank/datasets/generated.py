"""generated: no files; the trials of a study make their data themselves, from settings and seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from replank.datasets._card import Card, Dataset, fingerprint
from replank.datasets._recipe import Info, Verification

_CARD = Card(
    name="generated",
    title="generated (each trial makes its own data, from its settings and its seed)",
    about="generated data",
    licence="none needed",
    source="replank",
    citation="",
    n_train=0,
    n_test=0,
    shape=(0, 0, 0),
    classes=(),
    split="made by each trial",
)


class Generated:
    """A set without samples, so that trials which make their own have a name for what they ran on."""

    @property
    def info(self) -> Info:
        """What is known without loading."""
        return Info(_CARD.name, _CARD.title, _CARD.licence, _CARD.shape, files=(), urls=(), embedded=True)

    def load(self, folder: Path | None) -> Dataset:
        """The empty set; it needs no folder."""
        images, labels = np.empty((0, *_CARD.shape), np.uint8), np.empty(0, np.int64)
        card = replace(_CARD, sha256=fingerprint(images, labels))
        return Dataset(card, images, labels, images, labels)

    def verify(self, folder: Path | None) -> Verification:
        """There is nothing that could be missing."""
        return Verification(_CARD.name, _CARD.title, None, ())

    def fetch(self, folder: Path | None) -> Verification:
        """Nothing has to be downloaded."""
        return self.verify(folder)


SET = Generated()
