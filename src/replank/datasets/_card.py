"""What a data set is: arrays and a card that says where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replank.errors import DataError
from replank.seeding import numpy_stream

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Card:
    """Provenance of a data set; reports print it.

    Args:
        name: as typed at the command line.
        title: as reports print it; a part of a set never carries the whole set's name alone.
        about: the family that statements may be about, e.g. ``"MNIST"``.
        licence: what is known of it.
        source: where the data come from.
        citation: what to cite.
        n_train: number of training images; 0 of what is not images, as are shape and classes.
        n_test: number of test images.
        shape: (channels, height, width).
        classes: names, in the order of the labels.
        split: how training and test images were told apart.
        known_differences: from the official copy, or from what a reader would expect.
        pixel_max: the value of full brightness.
        sha256: fingerprint over the arrays, see :func:`fingerprint`; empty until they are loaded.
    """

    name: str
    title: str
    about: str
    licence: str
    source: str
    citation: str
    n_train: int = 0
    n_test: int = 0
    shape: tuple[int, int, int] = (0, 0, 0)
    classes: tuple[str, ...] = ()
    split: str = ""
    known_differences: tuple[str, ...] = ()
    pixel_max: int = 255
    sha256: str = ""


class Arrays(NamedTuple):
    """Training and test images (N, C, H, W), uint8, with their labels (N,), int64."""

    train_x: Pixels
    train_y: Labels
    test_x: Pixels
    test_y: Labels

    def described(self, card: Card) -> Dataset:
        """The data set of these arrays, checked against its card."""
        return Dataset.of(card, self)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images for classification, split into training and test, with their card.

    Args:
        card: provenance and fingerprint.
        train_x: uint8, (n_train, C, H, W), 0 to ``card.pixel_max``.
        train_y: int64, (n_train,), 0 to ``len(card.classes) - 1``.
        test_x: as ``train_x``.
        test_y: as ``train_y``.
    """

    kind: ClassVar[str] = "images with labels"

    card: Card
    train_x: Pixels = field(repr=False)
    train_y: Labels = field(repr=False)
    test_x: Pixels = field(repr=False)
    test_y: Labels = field(repr=False)

    @classmethod
    def of(cls, card: Card, arrays: Arrays) -> Dataset:
        """The data set of these arrays, checked against the card and with its fingerprint.

        Raises:
            DataError: the arrays are not what the card says.
        """
        _check(card, "training", card.n_train, arrays.train_x, arrays.train_y)
        _check(card, "test", card.n_test, arrays.test_x, arrays.test_y)
        return cls(replace(card, sha256=fingerprint(*arrays)), *arrays)

    def subset(self, n_train: int, n_test: int, seed: int) -> Dataset:
        """A stratified random part, the same for the same seed; all of it is the set itself.

        Args:
            n_train: number of training images; 0 means all.
            n_test: number of test images; 0 means all.
            seed: of the draw.

        Raises:
            DataError: more is asked for than there is, or less than none.
        """
        card = self.card
        n_train, n_test = n_train or card.n_train, n_test or card.n_test
        for argument, n, there_are in (("n_train", n_train, card.n_train), ("n_test", n_test, card.n_test)):
            if not 1 <= n <= there_are:
                raise DataError(
                    f"subset: `{argument}` must be in 0..{there_are} for {card.title}, got {argument}={n}. "
                    "Ask for fewer, or load a larger set."
                )
        if (n_train, n_test) == (card.n_train, card.n_test):
            return self
        stream = numpy_stream(seed, "data subset", card.name)
        train, _ = stratified_split(self.train_y, n_train, stream)
        test, _ = stratified_split(self.test_y, n_test, stream)
        part = f"{n_train:,} / {n_test:,} of it"
        smaller = replace(
            card,
            title=f"{card.title}, {part}",
            n_train=n_train,
            n_test=n_test,
            split=f"{card.split}; {part}, a stratified draw with seed {seed}",
        )
        return Dataset.of(
            smaller, Arrays(self.train_x[train], self.train_y[train], self.test_x[test], self.test_y[test])
        )

    def of_classes(self, labels: Sequence[int]) -> Dataset:
        """The samples with these labels, in the order they have; the labels become 0, 1, ... in the order given.

        Raises:
            DataError: fewer than two labels, one twice, or one that the set does not have.
        """
        classes = self.card.classes
        if len(labels) < 2 or len(set(labels)) < len(labels) or not set(labels) <= set(range(len(classes))):
            raise DataError(
                f"of_classes: `labels` must be two or more different ones of 0..{len(classes) - 1} for "
                f"{self.card.title}, got {list(labels)}."
            )
        new = np.full(len(classes), -1)
        new[list(labels)] = np.arange(len(labels))
        train, test = (new[y] >= 0 for y in (self.train_y, self.test_y))
        chosen = tuple(classes[label] for label in labels)
        part = replace(
            self.card,
            title=f"{self.card.title}, classes {', '.join(chosen)}",
            n_train=int(train.sum()),
            n_test=int(test.sum()),
            classes=chosen,
        )
        return Dataset.of(
            part,
            Arrays(self.train_x[train], new[self.train_y[train]], self.test_x[test], new[self.test_y[test]]),
        )


def fingerprint(*arrays: NDArray[np.uint8] | NDArray[np.int64] | NDArray[np.float64]) -> str:
    """SHA-256 over the arrays in order: dtype, shape and bytes of each."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def stratified_split(
    labels: Labels, n: int, stream: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of ``n`` random samples with the class proportions of all, and of the rest; both in random order.

    Each class gives its proportional share, rounded down; the largest remainders give one more until there are ``n``.
    """
    counts = np.bincount(labels)
    share = counts * n / len(labels)
    quota = np.floor(share).astype(np.int64)
    by_remainder = np.argsort(quota - share, kind="stable")
    quota[by_remainder[: n - quota.sum()]] += 1

    order = stream.permutation(len(labels))
    shuffled = labels[order]
    chosen = np.zeros(len(labels), dtype=bool)
    for label, n_of_class in enumerate(quota):
        chosen[np.flatnonzero(shuffled == label)[:n_of_class]] = True
    return order[chosen], order[~chosen]


def _check(card: Card, which: str, n: int, x: Pixels, y: Labels) -> None:
    expected = (n, *card.shape)
    if x.dtype != np.uint8 or x.shape != expected:
        raise DataError(
            f"{card.name}: {which} images must be uint8 of shape {expected}, got {x.dtype} of shape {x.shape}. "
            "The files are not this data set's."
        )
    if y.dtype != np.int64 or y.shape != (n,):
        raise DataError(
            f"{card.name}: {which} labels must be int64 of shape ({n},), got {y.dtype} of shape {y.shape}. "
            "The files are not this data set's."
        )
    last = len(card.classes) - 1
    if y.min() < 0 or y.max() > last:
        raise DataError(
            f"{card.name}: {which} labels must be in 0..{last}, got {y.min()}..{y.max()}. The files are damaged."
        )
    if x.max() > card.pixel_max:
        raise DataError(
            f"{card.name}: {which} pixels must be in 0..{card.pixel_max}, got {x.max()}. The files are damaged."
        )
