"""The idx format of MNIST and its relatives."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np

from replank.datasets._card import Arrays, Pixels
from replank.errors import DataError

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


def parse_idx(content: bytes, name: str) -> Pixels:
    """The array in an idx file of unsigned bytes.

    The file starts with two zero bytes, the type code 8 and the number of axes; then the length of each axis as a
    big-endian 32-bit integer; then the values, last axis fastest.

    Args:
        content: the unpacked file.
        name: of the file, for messages.

    Raises:
        DataError: this is no such file, or it is not whole.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DataError(
            f"{name}: an idx file of bytes starts with 00 00 08, got {content[:3].hex(' ')}. Replace the file."
        )
    start = 4 + 4 * content[3]
    shape = struct.unpack_from(f">{content[3]}I", content, 4) if len(content) >= start else None
    if shape is None or len(content) - start != math.prod(shape):
        raise DataError(
            f"{name}: the header announces an array of shape {shape}, got a file of {len(content)} bytes. "
            "It is cut short or damaged: replace it."
        )
    # a copy, because a view of bytes can't be written to, which torch warns about
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def read_idx(contents: Mapping[str, bytes]) -> Arrays:
    """The four idx files as arrays."""
    images = {name: parse_idx(contents[name], name)[:, None] for name in (TRAIN_IMAGES, TEST_IMAGES)}
    labels = {name: parse_idx(contents[name], name).astype(np.int64) for name in (TRAIN_LABELS, TEST_LABELS)}
    return Arrays(images[TRAIN_IMAGES], labels[TRAIN_LABELS], images[TEST_IMAGES], labels[TEST_LABELS])
