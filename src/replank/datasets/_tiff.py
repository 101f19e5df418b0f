"""Uncompressed grey TIFF files of any kind of number; Pillow does not read those with 64 bits a pixel."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _CHANNELS, _LENGTHS, _FORMAT = 273, 277, 279, 339
_DEFAULTS = {_BITS: (1,), _COMPRESSION: (1,), _CHANNELS: (1,), _FORMAT: (1,)}
_INTEGERS = {1: "B", 3: "H", 4: "I"}
"""How ``struct`` calls the TIFF types of whole numbers: byte, short, long."""
_KINDS = {1: "u", 2: "i", 3: "f"}


def parse_uncompressed_tiff(content: bytes) -> NDArray[Any] | None:
    """The first image (H, W) of such a file; ``None`` if this is another file, or it is damaged."""
    try:
        tags = _DEFAULTS | _tags(content)
        if (tags[_COMPRESSION], tags[_CHANNELS], tags[_PHOTOMETRIC]) != ((1,), (1,), (1,)):
            return None
        strips = zip(tags[_OFFSETS], tags[_LENGTHS], strict=True)
        raw = b"".join(content[start : start + length] for start, length in strips)
        number = f"{_order(content)}{_KINDS[tags[_FORMAT][0]]}{tags[_BITS][0] // 8}"
        return np.frombuffer(raw, number).reshape(tags[_HEIGHT][0], tags[_WIDTH][0])
    except (KeyError, ValueError, TypeError, struct.error):
        return None


def _order(content: bytes) -> str:
    return {b"II": "<", b"MM": ">"}[content[:2]]


def _tags(content: bytes) -> dict[int, tuple[int, ...]]:
    """The whole numbers of the first directory, by tag."""
    order = _order(content)
    magic, directory = struct.unpack_from(f"{order}HI", content, 2)
    if magic != 42:
        raise ValueError("no TIFF file")
    (n,) = struct.unpack_from(f"{order}H", content, directory)
    tags = {}
    for start in range(directory + 2, directory + 2 + 12 * n, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", content, start)
        if kind in _INTEGERS:
            numbers = f"{order}{count}{_INTEGERS[kind]}"
            # up to four bytes are kept in the entry itself
            (elsewhere,) = struct.unpack_from(f"{order}I", content, start + 8)
            tags[tag] = struct.unpack_from(numbers, content, start + 8 if struct.calcsize(numbers) <= 4 else elsewhere)
    return tags
