"""STL-10: 13,000 colour photographs, 96x96, the official split; its 100,000 unlabelled images are not read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from replank.datasets._archive import archived_files
from replank.datasets._card import Arrays, Card, Labels, Pixels
from replank.datasets._files import DataFile, Edition, inside
from replank.datasets._recipe import FromFiles
from replank.errors import DataError

_CARD = Card(
    name="stl10",
    title="STL-10",
    about="STL-10",
    licence="none stated by the authors; the images were taken from ImageNet, which is for research",
    source="https://cs.stanford.edu/~acoates/stl10/",
    citation="Coates, Lee, Ng (2011), An analysis of single-layer networks in unsupervised feature learning, AISTATS",
    n_train=5_000,
    n_test=8_000,
    shape=(3, 96, 96),
    classes=("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"),
    split="official; the 100,000 unlabelled images are left out",
)

FOLDER = "stl10_binary"
_PIXELS = 3 * 96 * 96

# MD5 as torchvision knows them, SHA-256 of the archive as TensorFlow Datasets does
_FILES = (
    DataFile("train_X.bin", "md5:918c2871b30a85fa023e0c44e0bee87f"),
    DataFile("train_y.bin", "md5:5a34089d4802c674881badbb80307741"),
    DataFile("test_X.bin", "md5:7f263ba9f9e0b06b93213547f721ac82"),
    DataFile("test_y.bin", "md5:36f9794fa4beb8a2c72628de14fa638e"),
)
_ARCHIVE = DataFile(
    "stl10_binary.tar.gz",
    "sha256:f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
    "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
)

_PLACES = ("", "stl10", "STL10", "stl-10")


def parse_images(content: bytes, name: str) -> Pixels:
    """Images (N, 3, 96, 96) of a file of red, green and blue planes, each of them column by column.

    Raises:
        DataError: the length is not a whole number of images.
    """
    if not content or len(content) % _PIXELS:
        raise DataError(
            f"{name}: an STL-10 file has {_PIXELS} bytes an image, got {len(content)} bytes. "
            "It is cut short or damaged: replace it."
        )
    columns = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96)
    return np.ascontiguousarray(columns.swapaxes(2, 3))


def parse_labels(content: bytes) -> Labels:
    """Labels, which the file counts from 1."""
    return np.frombuffer(content, np.uint8).astype(np.int64) - 1


def read_files(contents: Mapping[str, bytes]) -> Arrays:
    """The four files with labelled images and their labels."""
    return Arrays(
        parse_images(contents["train_X.bin"], "train_X.bin"),
        parse_labels(contents["train_y.bin"]),
        parse_images(contents["test_X.bin"], "test_X.bin"),
        parse_labels(contents["test_y.bin"]),
    )


def read_archive(contents: Mapping[str, bytes]) -> Arrays:
    """``stl10_binary.tar.gz``; unpacked to disk the set loads many times faster."""
    ((name, content),) = contents.items()
    return read_files(archived_files(content, name, FOLDER, tuple(file.name for file in _FILES)))


SET = FromFiles(
    (
        Edition(_CARD, _FILES, read_files, inside(_PLACES, FOLDER)),
        Edition(_CARD, (_ARCHIVE,), read_archive, _PLACES),
    )
)
