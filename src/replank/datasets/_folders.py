"""Where data lie on this machine."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pooch
from numpy.typing import NDArray


def cache_folder() -> Path:
    """The user's cache folder for replank."""
    return Path(pooch.os_cache("replank"))


def data_folder(folder: Path | None = None) -> Path:
    """Where data sets are read from and downloaded to: the given folder, else ``REPLANK_DATA``, else the cache."""
    if folder is None and (named := os.environ.get("REPLANK_DATA")):
        folder = Path(named)
    return folder.expanduser() if folder is not None else cache_folder() / "data"


def decoded(key: str, decode: Callable[[], Mapping[str, NDArray[np.uint8]]]) -> Mapping[str, NDArray[np.uint8]]:
    """What ``decode`` returns, kept in the user's cache for the next time.

    Args:
        key: file name that tells the content and its decoder apart from all others.
        decode: the slow way.
    """
    path = cache_folder() / "decoded" / f"{key}.npz"
    try:
        # stored uncompressed: quick to read, and the archive's CRC-32 reveals damage
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        arrays = decode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            whole = Path(scratch) / path.name
            np.savez(whole, allow_pickle=False, **arrays)
            whole.replace(path)
    except OSError:
        pass  # a cache that can't be written costs time, not truth
    return arrays
