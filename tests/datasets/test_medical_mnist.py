from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from tiny_set import tar_gz

from replank import datasets
from replank.datasets.medical_mnist import (
    FOLDER,
    SET,
    SHORTCUTS,
    read_archive,
    read_part,
    shortcuts,
    split_without_repeats,
)
from replank.errors import DataError

CLASSES = SET.card.classes


def grey(n, seed=0, size=64):
    """Images of one random brightness each, which JPEG keeps as they are."""
    stream = np.random.default_rng(seed)
    return np.broadcast_to(stream.permutation(256)[:n, None, None].astype(np.uint8), (n, size, size))


def jpeg(pixels, quality=75) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture
def part() -> tuple[bytes, np.ndarray, np.ndarray]:
    """A small archive as the 12,000 images are kept, with what it holds."""
    images, labels = grey(30), np.arange(30, dtype=np.uint8) % 6
    files = [jpeg(image) for image in images]
    content = io.BytesIO()
    np.savez(
        content,
        jpeg=np.frombuffer(b"".join(files), np.uint8),
        offsets=np.cumsum([0, *map(len, files)]),
        labels=labels,
    )
    return content.getvalue(), images, labels


def expect_all_once(arrays, images, labels):
    x = np.concatenate([arrays.train_x, arrays.test_x])[:, 0]
    y = np.concatenate([arrays.train_y, arrays.test_y])
    label_of = dict(zip(images[:, 0, 0].tolist(), labels.tolist(), strict=True))
    assert sorted(x[:, 0, 0]) == sorted(label_of)
    assert [label_of[brightness] for brightness in x[:, 0, 0].tolist()] == y.tolist()
    assert arrays.train_y.dtype == arrays.test_y.dtype == np.int64
    assert arrays.train_x.shape[1:] == (1, 64, 64)


def test_the_part_is_split_with_each_image_once_and_under_its_label(part):
    content, images, labels = part
    arrays = read_part({"part.npz": content}, n_test=6)
    expect_all_once(arrays, images, labels)
    np.testing.assert_array_equal(np.bincount(arrays.test_y), [1] * 6)


def test_the_archive_of_the_whole_set_gives_labels_by_folder():
    images, labels = grey(30), np.arange(30) % 6
    files = {f"{CLASSES[y]}/{i:06}.jpeg": jpeg(image) for i, (image, y) in enumerate(zip(images, labels, strict=True))}
    content = tar_gz(FOLDER, {"README.md": b"text", **files, "Other/000000.jpeg": b"not read"})
    arrays = read_archive({"MedNIST.tar.gz": content}, n_test=6)
    expect_all_once(arrays, images, labels)


def test_an_archive_without_images_is_refused():
    with pytest.raises(DataError, match=r"MedNIST\.tar\.gz: must have JPEG files in MedNIST/AbdomenCT"):
        read_archive({"MedNIST.tar.gz": tar_gz(FOLDER, {"README.md": b"text"})})


def test_an_image_that_occurs_twice_is_never_a_test_image():
    images = np.ascontiguousarray(grey(60)[:, None])
    images[20:40] = images[:20]
    labels = np.arange(60) % 2
    arrays = split_without_repeats(images, labels, n_test=18)
    assert len(arrays.train_x) == 42
    train, test = ({image.tobytes() for image in x} for x in (arrays.train_x, arrays.test_x))
    assert len(test) == 18
    assert not train & test
    assert test <= {image.tobytes() for image in images[40:]}


def test_too_many_repeats_are_refused():
    with pytest.raises(DataError, match="at least 3 images must occur once, got 2 of 10"):
        split_without_repeats(grey(5)[[0, 1, 2, 2, 2, 3, 3, 3, 4, 4], None], np.zeros(10, np.int64), n_test=3)


def test_shortcuts_are_brightness_border_and_jpeg_quality():
    inside = np.zeros((1, 1, 16, 16), np.uint8)
    inside[..., 1:-1, 1:-1] = 100
    mean, border, _ = shortcuts(inside)[0]
    assert (mean, border) == (pytest.approx(100 * 14 * 14 / 256), 0)

    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    qualities = [10, 50, 90]
    decoded = np.stack([np.asarray(Image.open(io.BytesIO(jpeg(noise, quality)))) for quality in qualities])
    share = shortcuts(decoded[:, None])[:, 2]
    assert (np.diff(share) < 0).all()
    assert shortcuts(np.full((1, 1, 8, 8), 7, np.uint8))[0, 2] == 63 / 64  # all but the mean


@pytest.fixture(scope="module")
def real():
    if not (report := datasets.verify("medical_mnist")).ok:
        pytest.skip(f"no medical_mnist in {report.folder}: set REPLANK_DATA to test it")
    return datasets.load("medical_mnist")


def test_a_part_never_has_the_whole_sets_name(real):
    whole = real.card.n_train + real.card.n_test == 58_954
    assert (real.card.title == "Medical MNIST") == whole
    assert real.card.about == "Medical MNIST"
    assert any("shortcut" in each for each in real.card.known_differences)


def test_the_real_split_is_balanced_and_without_overlap(real):
    train, test = ({image.tobytes() for image in x} for x in (real.train_x, real.test_x))
    assert len(test) == real.card.n_test
    assert not train & test
    for y in (real.train_y, real.test_y):
        share = np.bincount(y) / len(y)
        np.testing.assert_allclose(share, 1 / 6, atol=0.03)


def test_three_numbers_an_image_are_enough_to_tell_the_classes(real):
    part = real.subset(1_500, 600, seed=0)
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1).fit(shortcuts(part.train_x), part.train_y)
    assert len(SHORTCUTS) == shortcuts(part.test_x).shape[1]
    assert forest.score(shortcuts(part.test_x), part.test_y) > 0.95


def test_nearly_equal_images_are_as_frequent_as_the_card_says(real):
    if real.card.n_train != 9_600:
        pytest.skip("the card's numbers are those of the 12,000 images")
    x, y = np.concatenate([real.train_x, real.test_x]), np.concatenate([real.train_y, real.test_y])
    for kind, share in (("AbdomenCT", 0.31), ("ChestCT", 0.15), ("BreastMRI", 0.02)):
        images = x[y == CLASSES.index(kind), 0].astype(np.float32)
        small = images.reshape(-1, 32, 2, 32, 2).mean((2, 4)).reshape(len(images), -1)
        squares = (small**2).sum(1)
        distances = squares[:, None] + squares - 2 * small @ small.T
        np.fill_diagonal(distances, np.inf)
        near = distances.min(1) < 4**2 * small.shape[1]  # 4 grey levels, root mean square
        assert near.mean() == pytest.approx(share, abs=0.006)
