"""A tiny data set in the official format of MNIST, and what makes files of other formats."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from replank.datasets import Card, DataFile, Edition, FromFiles
from replank.datasets._idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_idx


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def tar_gz(folder: str, contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Tiny:
    """A set of six and four 3x2 images in the official format of MNIST, with its files' contents."""

    card: Card
    contents: dict[str, bytes]

    def recipe(self, url: str | None = None) -> FromFiles:
        files = tuple(
            DataFile(name, sha256(content), f"{url}/{name}.gz" if url else None, sha256(self.packed(name)))
            for name, content in self.contents.items()
        )
        return FromFiles((Edition(self.card, files, read_idx, subfolders=("tiny", "TINY/raw", "")),))

    def packed(self, name: str) -> bytes:
        return gzip.compress(self.contents[name], mtime=0)

    def write(self, folder: Path, packed: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            if packed:
                (folder / f"{name}.gz").write_bytes(self.packed(name))
            else:
                (folder / name).write_bytes(content)


def tiny_set() -> Tiny:
    stream = np.random.default_rng(0)

    def images(n: int) -> bytes:
        return idx_bytes(stream.integers(0, 256, (n, 3, 2), dtype=np.uint8))

    contents = {
        TRAIN_IMAGES: images(6),
        TRAIN_LABELS: idx_bytes(np.array([0, 1, 2, 0, 1, 2], np.uint8)),
        TEST_IMAGES: images(4),
        TEST_LABELS: idx_bytes(np.array([0, 1, 2, 2], np.uint8)),
    }
    card = Card(
        name="tiny",
        title="Tiny",
        about="Tiny",
        licence="none",
        source="https://example.org/tiny",
        citation="nobody",
        n_train=6,
        n_test=4,
        shape=(1, 3, 2),
        classes=("a", "b", "c"),
        split="official",
    )
    return Tiny(card, contents)
