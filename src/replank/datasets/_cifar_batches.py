"""The official forms of CIFAR-10: Python batches, binary batches, and archives of either."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from replank.datasets._card import Arrays, Labels, Pixels
from replank.errors import DataError

Batch = tuple[Pixels, Labels]

BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
PYTHON_FOLDER = "cifar-10-batches-py"
BINARY_FOLDER = "cifar-10-batches-bin"
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32

# How pickles spell NumPy's array factory, in the days of the official files and since NumPy 2.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads containers, numbers, strings and arrays; refuses to import anything else, so that no code can run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"a pickle that wants to import {module}.{name}")
        return _ADMITTED[module, name]


def parse_python_batch(content: bytes, name: str) -> Batch:
    """Images and labels of one pickled batch: ``data`` holds a row of red, green and blue planes for each image.

    Raises:
        DataError: this is no such batch, or it holds anything but arrays.
    """
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        pixels = np.ascontiguousarray(batch[b"data"]).reshape(-1, *_SHAPE)
        return pixels, np.array(batch[b"labels"], dtype=np.int64)
    except Exception as error:  # a broken pickle can raise nearly anything
        raise DataError(f"{name}: must be a pickled CIFAR-10 batch, got {error}. Replace the file.") from error


def parse_binary_batch(content: bytes, name: str) -> Batch:
    """Images and labels of one binary batch: for each image a label byte, then red, green and blue planes.

    Raises:
        DataError: the length is not a whole number of images.
    """
    if not content or len(content) % (1 + _PIXELS):
        raise DataError(
            f"{name}: a binary CIFAR-10 batch has {1 + _PIXELS} bytes an image, got {len(content)} bytes. "
            "It is cut short or damaged: replace it."
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + _PIXELS)
    return rows[:, 1:].reshape(-1, *_SHAPE), rows[:, 0].astype(np.int64)


def read_python_batches(contents: Mapping[str, bytes]) -> Arrays:
    """The six files of the folder ``cifar-10-batches-py``."""
    return _joined([parse_python_batch(contents[name], name) for name in BATCHES])


def read_binary_batches(contents: Mapping[str, bytes]) -> Arrays:
    """The six files of the folder ``cifar-10-batches-bin``."""
    return _joined([parse_binary_batch(contents[f"{name}.bin"], f"{name}.bin") for name in BATCHES])


def read_python_archive(contents: Mapping[str, bytes]) -> Arrays:
    """``cifar-10-python.tar.gz``, read in memory without unpacking it to disk."""
    return _from_archive(contents, PYTHON_FOLDER, BATCHES, read_python_batches)


def read_binary_archive(contents: Mapping[str, bytes]) -> Arrays:
    """``cifar-10-binary.tar.gz``, read in memory without unpacking it to disk."""
    return _from_archive(contents, BINARY_FOLDER, tuple(f"{name}.bin" for name in BATCHES), read_binary_batches)


def _from_archive(
    contents: Mapping[str, bytes],
    folder: str,
    members: tuple[str, ...],
    read: Callable[[Mapping[str, bytes]], Arrays],
) -> Arrays:
    ((name, content),) = contents.items()
    batches: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in members:
                file = archive.extractfile(f"{folder}/{member}")
                batches[member] = file.read() if file else b""
    except Exception as error:  # tarfile, gzip and zlib each have their own
        raise DataError(f"{name}: must be a gzipped tar archive of {folder}, got {error}. Replace the file.") from error
    return read(batches)


def _joined(batches: list[Batch]) -> Arrays:
    *train, (test_x, test_y) = batches
    train_x, train_y = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    # a copy of the test batch: a view of bytes can't be written to, which torch warns about
    return Arrays(train_x, train_y, test_x.copy(), test_y)
