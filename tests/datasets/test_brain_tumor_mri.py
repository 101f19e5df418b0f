from __future__ import annotations

import io

import numpy as np
import pytest

from replank import datasets
from replank.datasets.brain_tumor_mri import one_of_each, read_grouped
from replank.datasets.leakage import shared_samples
from replank.errors import DataError

N_DIFFERENT = 40


def archive(**changes) -> bytes:
    """60 images of 40 different ones in two halves that share 20, as the published halves do."""
    stream = np.random.default_rng(0)
    different = stream.integers(0, 256, (N_DIFFERENT, 64, 64), dtype=np.uint8)
    groups = np.concatenate([np.arange(30), np.arange(10, N_DIFFERENT)])
    arrays = {}
    for half, part in (("train", groups[:30]), ("test", groups[30:])):
        arrays |= {
            f"{half}_images": different[part],
            f"{half}_labels": (part % 4).astype(np.uint8),
            f"{half}_group": part.astype(np.int32),
        }
    content = io.BytesIO()
    np.savez(content, **(arrays | changes))
    return content.getvalue()


def test_equal_images_are_on_one_side_and_none_is_lost():
    arrays = read_grouped({"brain.npz": archive()}, n_test=12)
    assert (len(arrays.train_x), len(arrays.test_x)) == (28, 12)
    assert shared_samples(arrays.test_x, arrays.train_x) == 0
    both = np.concatenate([arrays.train_x, arrays.test_x])
    assert len({image.tobytes() for image in both}) == N_DIFFERENT
    assert arrays.train_x.shape[1:] == (1, 64, 64)
    np.testing.assert_array_equal(np.bincount(arrays.test_y), [3] * 4)


def test_the_published_halves_share_images():
    arrays = np.load(io.BytesIO(archive()))
    assert shared_samples(arrays["test_images"], arrays["train_images"]) == 20


def test_labels_go_with_their_images():
    content = archive()
    known = np.load(io.BytesIO(content))
    label_of = {
        image.tobytes(): label
        for half in ("train", "test")
        for image, label in zip(known[f"{half}_images"], known[f"{half}_labels"], strict=True)
    }
    arrays = read_grouped({"brain.npz": content}, n_test=12)
    for x, y in ((arrays.train_x, arrays.train_y), (arrays.test_x, arrays.test_y)):
        assert [label_of[image.tobytes()] for image in x] == y.tolist()


def test_groups_of_different_images_or_labels_are_refused():
    images, labels, groups = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1]), np.array([5, 5])
    for wrong in ((images + np.arange(2, dtype=np.uint8)[:, None, None, None], labels * 0), (images, labels)):
        with pytest.raises(DataError, match="a group must hold equal images of one class"):
            one_of_each(*wrong, groups)


def test_a_file_without_groups_is_refused():
    content = io.BytesIO()
    np.savez(content, train_images=np.zeros((1, 64, 64), np.uint8))
    with pytest.raises(DataError, match=r"must be an \.npz archive with"):
        read_grouped({"brain.npz": content.getvalue()})


@pytest.fixture(scope="module")
def real():
    if not (report := datasets.verify("brain_tumor_mri")).ok:
        pytest.skip(f"no brain_tumor_mri in {report.folder}: set REPLANK_DATA to test it")
    return datasets.load("brain_tumor_mri")


def test_the_real_split_does_not_leak_as_the_published_one_does(real):
    assert shared_samples(real.test_x, real.train_x) == 0
    assert real.card.n_train + real.card.n_test == 2_870
    both = np.bincount(real.train_y) + np.bincount(real.test_y)
    np.testing.assert_array_equal(both, [886, 823, 327, 834])
    assert any("leaks" in each for each in real.card.known_differences)
