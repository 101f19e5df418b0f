"""JPEG files as pixels, decoded once and then kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Literal

import numpy as np
import PIL
from PIL import Image

from replank.datasets._card import Pixels
from replank.datasets._folders import decoded
from replank.errors import DataError

Mode = Literal["RGB", "L"]
"""Colour, three channels; or grey, one."""


def decode_jpegs(files: Iterable[bytes], name: str, mode: Mode = "RGB") -> Pixels:
    """Images (N, C, H, W) of equal size, one for each JPEG file.

    Args:
        files: their contents.
        name: of the archive that they are from, for messages.
        mode: the channels.

    Raises:
        DataError: an image can't be decoded, or the images differ in size.
    """
    images = []
    for i, file in enumerate(files):
        try:
            with Image.open(io.BytesIO(file), formats=["JPEG"]) as image:
                images.append(np.atleast_3d(np.asarray(image.convert(mode))))
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{name}: image {i} must be a JPEG file, got {error}. Replace the file.") from error
    if len({image.shape for image in images}) != 1:
        raise DataError(f"{name}: images must all have one size, got {len(images)} of several. Replace the file.")
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def kept_jpegs(content: bytes, files: Iterable[bytes], name: str, mode: Mode = "RGB") -> Pixels:
    """As :func:`decode_jpegs`, but taken from the user's cache the next time.

    Args:
        content: of the archive that the files are from.
        files: as for :func:`decode_jpegs`.
        name: as for :func:`decode_jpegs`.
        mode: as for :func:`decode_jpegs`.
    """
    # decoders may round differently, so what one Pillow decoded is not taken for another's
    key = f"{hashlib.sha256(content).hexdigest()}-pillow-{PIL.__version__}"
    return decoded(key, lambda: {"pixels": decode_jpegs(files, name, mode)})["pixels"]
