from __future__ import annotations

import numpy as np
import pytest
from tiny_set import sha256, tar_gz

from replank import datasets
from replank.datasets import Card, DataFile, Dataset, Edition, FromFiles
from replank.datasets.stl10 import FOLDER, SET, parse_images, read_archive, read_files
from replank.errors import DataError

N_TRAIN, N_TEST = 4, 3


def images(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 96, 96), dtype=np.uint8)


def column_by_column(pixels) -> bytes:
    """As MATLAB writes an array: for each image and colour one column after the other."""
    planes = pixels.reshape(-1, 96, 96)
    return b"".join(bytes(plane[row, column] for column in range(96) for row in range(96)) for plane in planes)


@pytest.fixture(scope="module")
def contents():
    return {
        "train_X.bin": column_by_column(images(N_TRAIN, 0)),
        "train_y.bin": bytes([1, 10, 5, 2]),
        "test_X.bin": column_by_column(images(N_TEST, 1)),
        "test_y.bin": bytes([3, 3, 1]),
    }


def expect_the_images(arrays):
    np.testing.assert_array_equal(arrays.train_x, images(N_TRAIN, 0))
    np.testing.assert_array_equal(arrays.test_x, images(N_TEST, 1))
    np.testing.assert_array_equal(arrays.train_y, [0, 9, 4, 1])
    np.testing.assert_array_equal(arrays.test_y, [2, 2, 0])
    assert arrays.train_y.dtype == np.int64
    assert arrays.train_x.flags.writeable
    assert arrays.test_x.flags.writeable


def test_files_give_back_upright_images_and_labels_from_0(contents):
    expect_the_images(read_files(contents))


def test_the_archive_gives_the_same_without_its_unlabelled_images(contents):
    whole = {"unlabeled_X.bin": bytes(1000), "class_names.txt": b"airplane\n", **dict(reversed(contents.items()))}
    expect_the_images(read_archive({"stl10_binary.tar.gz": tar_gz(FOLDER, whole)}))


def test_an_archive_without_a_file_is_refused(contents):
    part = {name: content for name, content in contents.items() if name != "test_y.bin"}
    with pytest.raises(DataError, match=r"stl10_binary\.tar\.gz: .*got one without test_y\.bin"):
        read_archive({"stl10_binary.tar.gz": tar_gz(FOLDER, part)})


@pytest.mark.parametrize("length", [0, 1, 3 * 96 * 96 - 1, 3 * 96 * 96 + 1])
def test_a_file_of_broken_length_is_refused(length):
    with pytest.raises(DataError, match=f"test_X.bin: .*27648 bytes an image, got {length} bytes"):
        parse_images(bytes(length), "test_X.bin")


def small_card() -> Card:
    card = SET.card
    return Card(**{**vars(card), "n_train": N_TRAIN, "n_test": N_TEST})


@pytest.mark.parametrize("label", [0, 11])
def test_a_label_that_no_class_has_is_refused(contents, label):
    broken = {**contents, "train_y.bin": bytes([1, 2, 3, label])}
    with pytest.raises(DataError, match=r"training labels must be in 0\.\.9"):
        Dataset.of(small_card(), read_files(broken))


@pytest.mark.parametrize("place", [FOLDER, f"stl10/{FOLDER}", f"STL10/{FOLDER}"])
def test_unpacked_files_are_found_where_others_put_them(contents, tmp_path, place):
    files = tuple(DataFile(name, sha256(content)) for name, content in contents.items())
    recipe = FromFiles((Edition(small_card(), files, read_files, SET.editions[0].subfolders),))
    (tmp_path / place).mkdir(parents=True)
    for name, content in contents.items():
        (tmp_path / place / name).write_bytes(content)
    expect_the_images(recipe.load(tmp_path))


def test_other_files_of_these_names_are_refused(contents, tmp_path):
    (tmp_path / FOLDER).mkdir()
    for name, content in contents.items():
        (tmp_path / FOLDER / name).write_bytes(content)
    with pytest.raises(DataError, match=r"train_X\.bin must have md5:918c2871b30a85fa023e0c44e0bee87f"):
        datasets.load("stl10", tmp_path)
