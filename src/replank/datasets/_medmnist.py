"""MedMNIST v2: small medical images, each set one NumPy archive ``<name>.npz`` with three parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replank.datasets._card import Arrays, Card, Labels, Pixels
from replank.datasets._files import DataFile, Edition
from replank.datasets._npz import parse_npz
from replank.errors import DataError, MissingData

SOURCE = "https://zenodo.org/record/6496656, see https://medmnist.com"
PLACES = ("medmnist", ".medmnist", "MedMNIST")
_PARTS = ("train", "val", "test")
_KEYS = tuple(f"{part}_{what}" for part in _PARTS for what in ("images", "labels"))


class Splits(NamedTuple):
    """All three official parts: images (N, C, H, W), uint8, with their labels (N,), int64."""

    train_x: Pixels
    train_y: Labels
    validation_x: Pixels
    validation_y: Labels
    test_x: Pixels
    test_y: Labels


def load_medmnist(name: str, root: Path) -> Splits:
    """A MedMNIST set of one label an image from a local folder, with its validation part; no checksum is asked for.

    Args:
        name: of the set, e.g. ``"breastmnist"``; the file is ``<name>.npz``.
        root: the folder.

    Raises:
        MissingData: the file is not there; the message says where to get it.
        DataError: it lacks a key, or its arrays do not fit each other.
    """
    path = Path(root).expanduser() / f"{name}.npz"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingData(
            f"load_medmnist: {name} needs {path}, got none ({error.strerror}). Get {path.name} from {SOURCE}, or by "
            "the package medmnist."
        ) from None
    return parse_medmnist(content, path.name)


def parse_medmnist(content: bytes, name: str) -> Splits:
    """The six arrays of an archive.

    Raises:
        DataError: it is damaged, lacks a key, has more than one label an image, or its arrays do not fit each other.
    """
    arrays = dict(zip(_KEYS, parse_npz(content, _KEYS, name), strict=True))
    pairs = [_pair(arrays[f"{part}_images"], arrays[f"{part}_labels"], part, name) for part in _PARTS]
    if len({images.shape[1:] for images, _ in pairs}) != 1:
        raise DataError(
            f"{name}: images of all parts must have one size, got {[images.shape for images, _ in pairs]}. "
            "Replace the file."
        )
    return Splits(*pairs[0], *pairs[1], *pairs[2])


def official_edition(name: str, md5: str, card: Card) -> Edition[Arrays]:
    """The file as MedMNIST publishes it; its validation part is left out."""
    url = f"https://zenodo.org/record/6496656/files/{name}.npz?download=1"
    return Edition(card, (DataFile(f"{name}.npz", f"md5:{md5}", url),), without_validation, PLACES)


def without_validation(contents: Mapping[str, bytes]) -> Arrays:
    """Training and test images of one archive."""
    ((name, content),) = contents.items()
    found = parse_medmnist(content, name)
    return Arrays(found.train_x, found.train_y, found.test_x, found.test_y)


def _pair(images: NDArray[np.uint8], labels: NDArray[np.integer], part: str, name: str) -> tuple[Pixels, Labels]:
    n = len(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[-1] != 3):
        raise DataError(
            f"{name}: {part}_images must be uint8 of shape (N, H, W) or (N, H, W, 3), got {images.dtype} of shape "
            f"{images.shape}. Replace the file."
        )
    if labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "iu":
        raise DataError(
            f"{name}: {part}_labels must be {n} integers, one an image, got {labels.dtype} of shape {labels.shape}. "
            "Sets of several labels an image can't be used."
        )
    planes = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(planes), labels.reshape(n).astype(np.int64)
