"""Brain tumour MRI: 2,870 different slices of four kinds, reduced to 64x64 grey, in a split of our own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from replank.datasets._card import Arrays, Card, Labels, Pixels, stratified_split
from replank.datasets._files import DataFile, Edition
from replank.datasets._npz import parse_npz
from replank.datasets._recipe import FromFiles
from replank.errors import DataError
from replank.seeding import numpy_stream

_CARD = Card(
    name="brain_tumor_mri",
    title="Brain tumour MRI 64x64 (2,870 different slices; 2,296 / 574 grouped split)",
    about="Brain tumour MRI",
    licence="no licence file in the repository; the author's data set page is said to be MIT (not checked)",
    source="https://github.com/SartajBhuvaji/Brain-Tumor-Classification-DataSet",
    citation="Bhuvaji, Kadam, Bhumkar, Dedge, Kanchan (2020), Brain Tumor Classification (MRI)",
    n_train=2_296,
    n_test=574,
    shape=(1, 64, 64),
    classes=("glioma", "meningioma", "no tumour", "pituitary"),
    split="stratified and random with a fixed seed, made by replank; of images that are equal pixel for pixel one is "
    "kept, so that none is on both sides",
    known_differences=(
        "not the published split, which leaks: 251 of its 394 test images are training images, pixel for pixel",
        "reduced to 64x64 from sizes that differ between the classes (512x512: no tumour 1 %, glioma 91 %), so margins "
        "and sharpness may tell a class",
        "patients are not known: neighbouring slices of one may be on both sides",
    ),
)


def one_of_each(images: Pixels, labels: Labels, groups: NDArray[np.integer]) -> tuple[Pixels, Labels]:
    """The first image of each group, in the order of the groups' numbers.

    Raises:
        DataError: a group holds different images or labels.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    if not (images[first[member]] == images).all() or not (labels[first[member]] == labels).all():
        raise DataError(
            f"{_CARD.name}: a group must hold equal images of one class, got groups that don't. The file is not this "
            "data set's."
        )
    return images[first], labels[first]


def read_grouped(contents: Mapping[str, bytes], n_test: int = _CARD.n_test) -> Arrays:
    """The archive, whose published halves are joined and split anew."""
    ((name, content),) = contents.items()
    what = ("images", "labels", "group")
    keys = tuple(f"{half}_{each}" for half in ("train", "test") for each in what)
    parts = parse_npz(content, keys, name)
    images, labels, groups = (np.concatenate([parts[i], parts[i + len(what)]]) for i in range(len(what)))
    x, y = one_of_each(images[:, None], labels.astype(np.int64), groups)
    test, train = stratified_split(y, n_test, numpy_stream(0, "data split", _CARD.name))
    return Arrays(x[train], y[train], x[test], y[test])


_FILE = DataFile(
    "brain_tumor_mri_64.npz",
    "sha256:8c75634d2bf29b2099eaf57d2d2036b000fc5fda7fcfaf2fd23fe1beca5c2826",
)

SET = FromFiles((Edition(_CARD, (_FILE,), read_grouped),))
