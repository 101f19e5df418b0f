from __future__ import annotations

import gzip
import io
from dataclasses import replace

import numpy as np
import pytest
from tiny_set import sha256

from replank import datasets
from replank.datasets import DataFile, Edition, Embedded, FromFiles
from replank.datasets._idx import TRAIN_IMAGES, TRAIN_LABELS, read_idx
from replank.datasets._npz import read_images_npz
from replank.errors import DataError


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("place", ["", "tiny", "TINY/raw"])
def test_files_are_found_in_each_place_and_form(tiny, tmp_path, place, packed):
    tiny.write(tmp_path / place, packed)
    loaded = tiny.recipe().load(tmp_path)
    for array, expected in zip(
        (loaded.train_x, loaded.train_y, loaded.test_x, loaded.test_y), read_idx(tiny.contents), strict=True
    ):
        np.testing.assert_array_equal(array, expected)
    assert tiny.recipe().verify(tmp_path).ok


def test_a_missing_file_is_named_with_the_place_and_the_way_to_get_it(tiny, tmp_path):
    tiny.write(tmp_path)
    (tmp_path / TRAIN_LABELS).unlink()
    with pytest.raises(DataError) as error:
        tiny.recipe("https://example.org").load(tmp_path)
    for hint in (str(tmp_path), TRAIN_LABELS, "in tiny/: ", "replank data fetch tiny", "--data", "REPLANK_DATA"):
        assert hint in str(error.value)
    states = {file.name: file.state for file in tiny.recipe().verify(tmp_path).files}
    assert states == {name: "missing" if name == TRAIN_LABELS else "ok" for name in tiny.contents}


def test_a_folder_that_does_not_exist_holds_no_files(tiny, tmp_path):
    with pytest.raises(DataError, match="got none of them"):
        tiny.recipe().load(tmp_path / "nowhere")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_a_damaged_file_is_refused_with_both_hashes(tiny, tmp_path, packed):
    tiny.write(tmp_path, packed)
    other = tiny.contents[TRAIN_IMAGES][:-1] + b"!"
    path = tmp_path / (f"{TRAIN_IMAGES}.gz" if packed else TRAIN_IMAGES)
    path.write_bytes(gzip.compress(other) if packed else other)
    with pytest.raises(DataError) as error:
        tiny.recipe("https://example.org").load(tmp_path)
    for hint in (str(path), sha256(tiny.contents[TRAIN_IMAGES]), sha256(other), "replank data fetch tiny"):
        assert hint in str(error.value)
    report = tiny.recipe().verify(tmp_path)
    assert not report.ok
    assert [file.name for file in report.files if file.state == "damaged"] == [TRAIN_IMAGES]


@pytest.mark.parametrize("kept", [0.5, 0.0], ids=["cut short", "empty"])
def test_a_gzip_file_that_is_not_whole_is_refused(tiny, tmp_path, kept):
    tiny.write(tmp_path, packed=True)
    path = tmp_path / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DataError, match=TRAIN_IMAGES):
        tiny.recipe().load(tmp_path)


@pytest.fixture
def two_editions(tiny):
    """The tiny set as one archive, then as four files whose card owns up to a difference."""
    arrays = read_idx(tiny.contents)
    file = io.BytesIO()
    keys = ("train_images", "train_labels", "test_images", "test_labels")
    np.savez(file, **{key: array.squeeze() for key, array in zip(keys, arrays, strict=True)})
    content = file.getvalue()
    archive = Edition(tiny.card, (DataFile("tiny.npz", sha256(content)),), read_images_npz)
    lesser = replace(tiny.recipe().editions[0], card=replace(tiny.card, title="Tiny (lesser)"))
    return FromFiles((archive, lesser)), content


def test_the_first_complete_edition_is_read_under_its_own_title(tiny, tmp_path, two_editions):
    recipe, content = two_editions
    tiny.write(tmp_path)
    assert recipe.load(tmp_path).card.title == "Tiny (lesser)"
    (tmp_path / "tiny.npz").write_bytes(content)
    assert recipe.load(tmp_path).card.title == "Tiny"


def test_a_damaged_edition_is_not_replaced_by_another_one(tiny, tmp_path, two_editions):
    recipe, content = two_editions
    tiny.write(tmp_path)
    (tmp_path / "tiny.npz").write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"tiny\.npz"):
        recipe.load(tmp_path)


@pytest.mark.parametrize("name", ["mnist", "mnist10k", "fashion_mnist"])
def test_hosted_sets_refuse_small_files_in_the_official_format(name, tiny, tmp_path):
    tiny.write(tmp_path)
    with pytest.raises(DataError, match=TRAIN_IMAGES) as error:
        datasets.load(name, tmp_path)
    assert sha256(tiny.contents[TRAIN_IMAGES]) in str(error.value)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("mnist", ("mnist.npz", "train-images-idx3-ubyte")),
        ("mnist10k", ("mnist.npz", "t10k-labels-idx1-ubyte")),
        ("fashion_mnist", ("fashion_mnist.npz", "train-labels-idx1-ubyte")),
        ("cifar10", ("cifar-10-python.tar.gz", "data_batch_5", "data_batch_5.bin", "cifar10_train_jpeg.npz")),
        ("cifar100", ("cifar-100-python.tar.gz", "cifar-100-binary.tar.gz", "in cifar-100-python/: train, test")),
        ("stl10", ("stl10_binary.tar.gz", "in stl10_binary/: train_X.bin", "test_y.bin")),
        ("medical_mnist", ("MedNIST.tar.gz", "medical_mnist_12k_jpeg.npz")),
    ],
)
def test_hosted_sets_that_are_not_there_say_what_to_do(name, files, tmp_path):
    with pytest.raises(DataError, match=f"replank data fetch {name}") as error:
        datasets.load(name, tmp_path)
    for hint in (*files, str(tmp_path), "--data", "REPLANK_DATA", "https://"):
        assert hint in str(error.value)
    assert not datasets.verify(name, tmp_path).ok


def test_an_embedded_set_whose_package_has_changed_is_refused(tiny):
    images, labels = np.zeros((10, 1, 3, 2), np.uint8), np.arange(10) % 3
    recipe = Embedded(tiny.card, "somepackage", lambda: (images, labels), sha256=datasets.fingerprint(images, labels))
    assert recipe.verify(None).ok
    assert recipe.load(None).train_x.shape == (6, 1, 3, 2)
    images[3] += 1
    with pytest.raises(DataError, match="somepackage has changed"):
        recipe.load(None)
    assert not recipe.verify(None).ok
