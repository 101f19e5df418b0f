"""Data sets as NumPy archives: plain pixel arrays, or JPEG files joined into one array."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replank.datasets._card import Arrays, Labels, Pixels
from replank.datasets._jpeg import Mode, kept_jpegs
from replank.errors import DataError


def parse_npz(content: bytes, keys: tuple[str, ...], name: str) -> list[NDArray[Any]]:
    """Arrays of an ``.npz`` archive, by key; pickles are not admitted.

    Raises:
        DataError: the archive is damaged, or lacks a key.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return [archive[key] for key in keys]
    except Exception as error:  # zipfile, zlib and NumPy raise half a dozen kinds on broken archives
        raise DataError(
            f"{name}: must be an .npz archive with {', '.join(keys)}, got {error}. Replace the file."
        ) from error


def read_images_npz(contents: Mapping[str, bytes]) -> Arrays:
    """One archive with ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``."""
    ((name, content),) = contents.items()
    keys = ("train_images", "train_labels", "test_images", "test_labels")
    train_x, train_y, test_x, test_y = parse_npz(content, keys, name)
    return Arrays(train_x[:, None], train_y.astype(np.int64), test_x[:, None], test_y.astype(np.int64))


def read_jpeg_npz(contents: Mapping[str, bytes]) -> Arrays:
    """Two archives, training and test, of joined JPEG files with their labels."""
    train, test = (parse_jpeg_npz(content, name) for name, content in contents.items())
    return Arrays(*train, *test)


def parse_jpeg_npz(content: bytes, name: str, mode: Mode = "RGB") -> tuple[Pixels, Labels]:
    """Images and labels of an archive in which image ``i`` is the JPEG file ``jpeg[offsets[i]:offsets[i + 1]]``.

    Raises:
        DataError: the archive or an image is damaged.
    """
    jpeg, offsets, labels = parse_npz(content, ("jpeg", "offsets", "labels"), name)
    files = (jpeg[start:stop].tobytes() for start, stop in pairwise(offsets))
    return kept_jpegs(content, files, name, mode), labels.astype(np.int64)
