"""Data sets as NumPy archives: plain pixel arrays, or JPEG files joined into one array."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from replank.datasets._card import Arrays, Labels, Pixels
from replank.datasets._folders import decoded
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


def decode_jpegs(jpeg: NDArray[np.uint8], offsets: NDArray[np.int64], name: str) -> Pixels:
    """RGB images (N, 3, H, W) of equal size; image ``i`` is the JPEG file ``jpeg[offsets[i]:offsets[i + 1]]``.

    Raises:
        DataError: an image can't be decoded, or the images differ in size.
    """
    images = []
    for i, (start, stop) in enumerate(pairwise(offsets)):
        try:
            with Image.open(io.BytesIO(jpeg[start:stop].tobytes()), formats=["JPEG"]) as image:
                images.append(np.asarray(image.convert("RGB")))
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{name}: image {i} must be a JPEG file, got {error}. Replace the file.") from error
    if len({image.shape for image in images}) != 1:
        raise DataError(f"{name}: images must all have one size, got {len(images)} of several. Replace the file.")
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def read_jpeg_npz(contents: Mapping[str, bytes]) -> Arrays:
    """Two archives, training and test, with ``jpeg``, ``offsets`` and ``labels``; decoded once, then kept."""
    train, test = (_read_jpeg_part(name, content) for name, content in contents.items())
    return Arrays(*train, *test)


def _read_jpeg_part(name: str, content: bytes) -> tuple[Pixels, Labels]:
    jpeg, offsets, labels = parse_npz(content, ("jpeg", "offsets", "labels"), name)
    # decoders may round differently, so what one Pillow decoded is not taken for another's
    key = f"{hashlib.sha256(content).hexdigest()}-pillow-{PIL.__version__}"
    pixels = decoded(key, lambda: {"pixels": decode_jpegs(jpeg, offsets, name)})["pixels"]
    return pixels, labels.astype(np.int64)
