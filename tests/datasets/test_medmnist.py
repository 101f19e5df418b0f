from __future__ import annotations

import io

import numpy as np
import pytest
from tiny_set import sha256

from replank import datasets
from replank.datasets import Card, DataFile, Edition, FromFiles
from replank.datasets._medmnist import SOURCE, load_medmnist, official_edition, without_validation
from replank.errors import DataError, MissingData

NUMBERS = {"train": 7, "val": 3, "test": 4}


def archive(*, colours: bool = False, columns: bool = True, leave_out: str = "", **replaced: np.ndarray) -> bytes:
    """An archive as MedMNIST publishes them, with labels in a column; and what differs from one."""
    stream = np.random.default_rng(0)
    arrays = {}
    for part, n in NUMBERS.items():
        arrays[f"{part}_images"] = stream.integers(0, 256, (n, 5, 6, 3) if colours else (n, 5, 6), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(n, dtype=np.uint8) % 2).reshape((n, 1) if columns else n)
    arrays = {name: array for name, array in {**arrays, **replaced}.items() if name != leave_out}
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


@pytest.mark.parametrize("columns", [True, False])
@pytest.mark.parametrize("colours", [True, False])
def test_all_three_parts_are_read(tmp_path, colours, columns):
    content = archive(colours=colours, columns=columns)
    (tmp_path / "some.npz").write_bytes(content)
    found = load_medmnist("some", tmp_path)
    with np.load(io.BytesIO(content)) as arrays:
        raw = dict(arrays)
    for part, x, y in (
        ("train", found.train_x, found.train_y),
        ("val", found.validation_x, found.validation_y),
        ("test", found.test_x, found.test_y),
    ):
        assert x.shape == (NUMBERS[part], 3 if colours else 1, 5, 6)
        images = raw[f"{part}_images"]
        np.testing.assert_array_equal(x.transpose(0, 2, 3, 1), images if colours else images[..., None])
        np.testing.assert_array_equal(y, raw[f"{part}_labels"].ravel())
        assert y.dtype == np.int64


def test_the_set_has_no_validation_image():
    content = archive()
    arrays = without_validation({"some.npz": content})
    assert [len(array) for array in arrays] == [7, 7, 4, 4]


def test_a_missing_file_says_where_to_get_it(tmp_path):
    for kind in (MissingData, FileNotFoundError, DataError):
        with pytest.raises(kind, match=r"needs .*breastmnist\.npz, got none.*zenodo.*package medmnist"):
            load_medmnist("breastmnist", tmp_path)


@pytest.mark.parametrize(
    ("content", "law"),
    [
        (archive(leave_out="val_labels"), "must be an .npz archive with train_images, train_labels, val_images, val_l"),
        (b"no archive", "must be an .npz archive"),
        (archive(train_images=np.zeros((7, 5, 6))), "train_images must be uint8 of shape.*got float64"),
        (archive(test_images=np.zeros((4, 5, 6, 2), np.uint8)), r"test_images must be uint8.*\(4, 5, 6, 2\)"),
        (archive(test_images=np.zeros((4, 5, 7), np.uint8)), "images of all parts must have one size"),
        (archive(val_labels=np.zeros((2, 1), np.uint8)), "val_labels must be 3 integers"),
        (archive(train_labels=np.zeros((7, 14), np.uint8)), r"train_labels must be 7 integers.*Sets of several labels"),
        (archive(train_labels=np.zeros((7, 1))), "train_labels must be 7 integers, one an image, got float64"),
    ],
)
def test_archives_that_are_none(tmp_path, content, law):
    (tmp_path / "some.npz").write_bytes(content)
    with pytest.raises(DataError, match=rf"some\.npz: {law}"):
        load_medmnist("some", tmp_path)


def test_the_official_file_is_preferred_to_a_copy(tmp_path):
    content, other = archive(), archive(columns=False)
    card = Card("some", "Some", "MedMNIST", "none", SOURCE, "nobody", 7, 4, (1, 5, 6), ("a", "b"), "official")
    official = official_edition("some", "0" * 32, card)
    assert official.files[0].url == "https://zenodo.org/record/6496656/files/some.npz?download=1"
    known = (DataFile("some.npz", sha256(content)),)
    recipe = FromFiles((Edition(card, known, official.read, official.subfolders), Edition(card, known, official.read)))
    (tmp_path / "some.npz").write_bytes(content)
    assert recipe.load(tmp_path).card.n_train == 7
    (tmp_path / "medmnist").mkdir()
    (tmp_path / "medmnist" / "some.npz").write_bytes(other)
    with pytest.raises(DataError, match=r"medmnist/some\.npz must have sha256"):
        recipe.load(tmp_path)


@pytest.fixture(scope="module")
def pneumonia():
    if not (report := datasets.verify("pneumoniamnist")).ok:
        pytest.skip(f"no pneumoniamnist in {report.folder}: set REPLANK_DATA to test it")
    return datasets.load("pneumoniamnist"), report


def test_pneumonia_has_the_published_counts_and_grey_levels(pneumonia):
    data, _ = pneumonia
    np.testing.assert_array_equal(np.bincount(data.train_y), [1214, 3494])
    np.testing.assert_array_equal(np.bincount(data.test_y), [234, 390])
    assert data.train_x.mean() / 255 == pytest.approx(0.5719, abs=1e-4)
    assert data.train_x.std() / 255 == pytest.approx(0.1684, abs=1e-4)


def test_pneumonia_repeats_images_as_its_card_says(pneumonia):
    data, report = pneumonia
    splits = load_medmnist("pneumoniamnist", report.files[0].path.parent)
    train, validation, test = (
        [image.tobytes() for image in x] for x in (splits.train_x, splits.validation_x, splits.test_x)
    )
    assert [len(each) - len(set(each)) for each in (train, validation, test)] == [18, 0, 3]
    assert len(set(train) & set(validation)) == 8
    assert not set(test) & (set(train) | set(validation))
    assert sorted(train) == sorted(image.tobytes() for image in data.train_x)
    np.testing.assert_array_equal(np.bincount(splits.validation_y), [135, 389])
    assert any("18 training and 3 test images occur twice" in each for each in data.card.known_differences)
