from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from replank.datasets import Card
from replank.datasets._image_folder import ImageFolder
from replank.errors import DataError, MissingData

SET = ImageFolder(
    Card("skin", "Skin", "skin", "none", "https://example.org", "nobody", shape=(3, 4, 6), classes=("mole", "other")),
    ("mol", "oth"),
)
COUNTS = {("train", "mol"): 2, ("train", "oth"): 3, ("test", "mol"): 1, ("test", "oth"): 2}


@pytest.fixture
def folder(tmp_path):
    """Images of one colour each, of several sizes and formats."""
    for (part, name), n in COUNTS.items():
        place = tmp_path / "skin" / part / name
        place.mkdir(parents=True)
        for number in range(n):
            colour = (10 * number, 100 if name == "mol" else 200, 7)
            Image.new("RGB", (20 + number, 11), colour).save(place / f"{number}.{'png' if number % 2 else 'PNG'}")
        (place / "notes.txt").write_text("not an image")
    return tmp_path


def test_images_are_resized_and_labelled_by_folder(folder):
    data = SET.load(folder)
    assert (data.card.n_train, data.card.n_test) == (5, 3)
    assert data.train_x.shape == (5, 3, 4, 6)
    np.testing.assert_array_equal(data.train_y, [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(data.test_y, [0, 1, 1])
    np.testing.assert_array_equal(data.train_x[:, 0, 0, 0], [0, 10, 0, 10, 20])
    np.testing.assert_array_equal(data.train_x[:, 1].reshape(5, -1).max(1), [100, 100, 200, 200, 200])
    assert SET.load(folder).card.sha256 == data.card.sha256  # from the cache


def test_an_empty_class_is_missed_by_name(folder):
    for path in (folder / "skin" / "test" / "mol").iterdir():
        path.unlink()
    assert [state.name for state in SET.verify(folder).files if state.state == "missing"] == ["test/mol"]
    with pytest.raises(MissingData, match=r"got none in test/mol\. Get the set from https://example\.org"):
        SET.load(folder)


def test_nothing_there(tmp_path):
    assert not SET.verify(tmp_path).ok
    with pytest.raises(FileNotFoundError, match="train/mol, train/oth, test/mol, test/oth"):
        SET.load(tmp_path)
    with pytest.raises(DataError, match="fetch: a set must have an address, got skin"):
        SET.fetch(tmp_path)


def test_a_set_that_is_there_need_not_be_fetched(folder):
    assert SET.fetch(folder).ok
    assert SET.info.files[0][0] == "skin/train/mol/"


def test_a_damaged_image(folder):
    (folder / "skin" / "train" / "oth" / "9.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"9\.jpg: must be an image that Pillow reads"):
        SET.load(folder)
