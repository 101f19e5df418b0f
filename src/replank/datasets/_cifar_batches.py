"""The official forms of CIFAR-10 and CIFAR-100: Python batches, binary batches, and archives of either."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from replank.datasets._archive import archived_files
from replank.datasets._card import Arrays, Labels, Pixels
from replank.errors import DataError

Batch = tuple[Pixels, Labels]

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


@dataclass(frozen=True)
class CifarFiles:
    """What one of the CIFAR sets calls its files, and how it labels its images.

    Args:
        title: of the set, for messages.
        batches: names of the Python batches; the last one holds the test images.
        python_folder: of the Python batches, also in their archive.
        binary_folder: likewise of the binary batches, whose names are the same with ``.bin``.
        labels: key of the labels in a Python batch.
        label_bytes: number of label bytes ahead of each image in a binary batch; the last of them is the label.
    """

    title: str
    batches: tuple[str, ...]
    python_folder: str
    binary_folder: str
    labels: bytes = b"labels"
    label_bytes: int = 1

    def parse_python_batch(self, content: bytes, name: str) -> Batch:
        """Images and labels of one pickled batch: ``data`` holds red, green and blue planes in a row for each image.

        Raises:
            DataError: this is no such batch, or it holds anything but arrays.
        """
        try:
            batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
            pixels = np.ascontiguousarray(batch[b"data"]).reshape(-1, *_SHAPE)
            return pixels, np.array(batch[self.labels], dtype=np.int64)
        except Exception as error:  # a broken pickle can raise nearly anything
            raise DataError(f"{name}: must be a pickled {self.title} batch, got {error}. Replace the file.") from error

    def parse_binary_batch(self, content: bytes, name: str) -> Batch:
        """Images and labels of one binary batch: for each image its label bytes, then red, green and blue planes.

        Raises:
            DataError: the length is not a whole number of images.
        """
        width = self.label_bytes + _PIXELS
        if not content or len(content) % width:
            raise DataError(
                f"{name}: a binary {self.title} batch has {width} bytes an image, got {len(content)} bytes. "
                "It is cut short or damaged: replace it."
            )
        rows = np.frombuffer(content, np.uint8).reshape(-1, width)
        pixels, labels = rows[:, self.label_bytes :], rows[:, self.label_bytes - 1]
        return pixels.reshape(-1, *_SHAPE), labels.astype(np.int64)

    def read_python_batches(self, contents: Mapping[str, bytes]) -> Arrays:
        """The files of the folder of Python batches."""
        return _joined([self.parse_python_batch(contents[name], name) for name in self.batches])

    def read_binary_batches(self, contents: Mapping[str, bytes]) -> Arrays:
        """The files of the folder of binary batches."""
        return _joined([self.parse_binary_batch(contents[f"{name}.bin"], f"{name}.bin") for name in self.batches])

    def read_python_archive(self, contents: Mapping[str, bytes]) -> Arrays:
        """The archive of the Python batches."""
        ((name, content),) = contents.items()
        return self.read_python_batches(archived_files(content, name, self.python_folder, self.batches))

    def read_binary_archive(self, contents: Mapping[str, bytes]) -> Arrays:
        """The archive of the binary batches."""
        ((name, content),) = contents.items()
        files = tuple(f"{batch}.bin" for batch in self.batches)
        return self.read_binary_batches(archived_files(content, name, self.binary_folder, files))


def _joined(batches: list[Batch]) -> Arrays:
    *train, (test_x, test_y) = batches
    train_x, train_y = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    # a copy of the test batch: a view of bytes can't be written to, which torch warns about
    return Arrays(train_x, train_y, test_x.copy(), test_y)
