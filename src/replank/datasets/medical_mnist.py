"""Medical MNIST (MedNIST): 58,954 grey radiographs and slices of six kinds, 64x64; or 12,000 of them, which says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from replank.datasets._archive import archived
from replank.datasets._card import Arrays, Card, Labels, Pixels, stratified_split
from replank.datasets._files import DataFile, Edition
from replank.datasets._jpeg import kept_jpegs
from replank.datasets._npz import parse_jpeg_npz
from replank.datasets._recipe import FromFiles
from replank.errors import DataError
from replank.seeding import numpy_stream

_SPLIT = "stratified and random with a fixed seed, made by replank; an image that occurs twice is a training image"

_CARD = Card(
    name="medical_mnist",
    title="Medical MNIST",
    about="Medical MNIST",
    licence="CC BY-SA 4.0 (B. J. Erickson, Mayo Clinic)",
    source="https://github.com/Project-MONAI/MONAI-extra-test-data, the data of MONAI's MedNISTDataset",
    citation="Erickson, MedNIST, gathered from TCIA, the RSNA Bone Age challenge and the NIH Chest X-ray data set",
    n_train=47_163,
    n_test=11_791,
    shape=(1, 64, 64),
    classes=("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT"),
    split=_SPLIT,
    known_differences=(
        "no official split; patients are not known, so neighbouring slices of one may be on both sides: in 12,000 "
        "images 31 % of AbdomenCT, 15 % of ChestCT and 2 % of BreastMRI are nearly equal to another one",
        "shortcuts: JPEG quality and background differ between the classes, so near-perfect accuracy means little",
    ),
)

_PART_CARD = replace(
    _CARD,
    title="Medical MNIST 12k (2,000 of about 10,000 images of each class; 9,600 / 2,400 split)",
    source="https://github.com/apolanco3225/Medical-MNIST-Classification",
    n_train=9_600,
    n_test=2_400,
    known_differences=(
        "12,000 of the 58,954 images: accuracies are not those of the whole set",
        *_CARD.known_differences,
    ),
)

FOLDER = "MedNIST"
SHORTCUTS = ("mean intensity", "mean intensity of the border", "share of DCT coefficients that are 0")


def shortcuts(images: Pixels) -> NDArray[np.float64]:
    """What tells the classes apart without looking at anatomy: the features of a baseline that a model should beat.

    The third is a mark of the JPEG quality, which is constant within a class: compression set these coefficients to 0.

    Args:
        images: (N, 1, H, W), with H and W multiples of 8.

    Returns:
        (N, 3), one column for each of :data:`SHORTCUTS`.
    """
    grey = images[:, 0].astype(np.float64)
    n, height, width = grey.shape
    rim = np.ones((height, width), dtype=bool)
    rim[1:-1, 1:-1] = False
    blocks = grey.reshape(n, height // 8, 8, width // 8, 8)
    zero = np.abs(dctn(blocks, axes=(2, 4), norm="ortho")) < 1  # pixels are rounded, so coefficients are nearly 0
    return np.stack([grey.mean((1, 2)), grey[:, rim].mean(1), zero.mean((1, 2, 3, 4))], axis=1)


def split_without_repeats(images: Pixels, labels: Labels, n_test: int) -> Arrays:
    """A stratified split in which no test image equals another image, pixel for pixel.

    Raises:
        DataError: too many images are repeated.
    """
    keys = [image.tobytes() for image in images]
    n_of = Counter(keys)
    single = np.flatnonzero([n_of[key] == 1 for key in keys])
    if len(single) < n_test:
        raise DataError(
            f"{_CARD.name}: at least {n_test} images must occur once, got {len(single)} of {len(images)}. "
            "The files are not this data set's."
        )
    stream = numpy_stream(0, "data split", _CARD.name)
    test = single[stratified_split(labels[single], n_test, stream)[0]]
    train = stream.permutation(np.setdiff1d(np.arange(len(images)), test))
    return Arrays(images[train], labels[train], images[test], labels[test])


def read_part(contents: Mapping[str, bytes], n_test: int = _PART_CARD.n_test) -> Arrays:
    """The archive of 12,000 JPEG files joined into one array."""
    ((name, content),) = contents.items()
    return split_without_repeats(*parse_jpeg_npz(content, name, mode="L"), n_test)


def read_archive(contents: Mapping[str, bytes], n_test: int = _CARD.n_test) -> Arrays:
    """``MedNIST.tar.gz``, a folder of JPEG files for each class.

    Raises:
        DataError: this is no such archive.
    """
    ((name, content),) = contents.items()
    label_of = {f"{FOLDER}/{kind}": label for label, kind in enumerate(_CARD.classes)}
    files = sorted(
        (label_of[path.rpartition("/")[0]], path, file)
        for path, file in archived(content, name, lambda path: path.rpartition("/")[0] in label_of)
    )
    if not files:
        raise DataError(f"{name}: must have JPEG files in {', '.join(label_of)}, got none. Replace the file.")
    images = kept_jpegs(content, (file for _, _, file in files), name, mode="L")
    return split_without_repeats(images, np.array([label for label, _, _ in files]), n_test)


_ARCHIVE = DataFile(
    "MedNIST.tar.gz",
    "md5:0bc7306e7427e00ad1c5526a6677552d",
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/MedNIST.tar.gz",
)
_PART = DataFile(
    "medical_mnist_12k_jpeg.npz",
    "sha256:9cb5a08b2663d43fa2cb86d7d46fda5b03f5a56121eb2f086b317a3c616926a2",
)

SET = FromFiles(
    (
        Edition(_CARD, (_ARCHIVE,), read_archive, ("", "medical_mnist", "MedNIST")),
        Edition(_PART_CARD, (_PART,), read_part),
    )
)
