from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replank.datasets import Arrays, Dataset, fingerprint
from replank.datasets._card import stratified_split
from replank.datasets._idx import read_idx
from replank.errors import DataError


def set_of(tiny, n_train=60, n_test=30):
    stream = np.random.default_rng(1)
    arrays = Arrays(
        stream.integers(0, 256, (n_train, 1, 3, 2), dtype=np.uint8),
        np.arange(n_train) % 3,
        stream.integers(0, 256, (n_test, 1, 3, 2), dtype=np.uint8),
        np.arange(n_test) % 3,
    )
    return Dataset.of(replace(tiny.card, n_train=n_train, n_test=n_test), arrays)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.data())
def test_a_stratified_split_takes_each_sample_once_and_each_class_by_its_share(labels, data):
    labels = np.array(labels)
    n = data.draw(st.integers(0, len(labels)))
    chosen, rest = stratified_split(labels, n, np.random.default_rng(0))
    assert len(chosen) == n
    assert sorted([*chosen, *rest]) == list(range(len(labels)))
    share = np.bincount(labels) * n / len(labels)
    assert (np.abs(np.bincount(labels[chosen], minlength=len(share)) - share) < 1).all()


def test_a_stratified_split_is_in_random_order():
    labels = np.repeat(np.arange(5), 20)
    for part in stratified_split(labels, 50, np.random.default_rng(0)):
        assert (np.diff(labels[part]) < 0).any()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.arange(6, dtype=np.int64), id="dtype"),
        pytest.param(np.arange(6, dtype=np.uint8).reshape(2, 3), id="shape"),
        pytest.param(np.array([0, 1, 2, 3, 4, 6], np.uint8), id="value"),
        pytest.param(np.array([1, 0, 2, 3, 4, 5], np.uint8), id="order"),
    ],
)
def test_the_fingerprint_sees(other):
    assert fingerprint(other) != fingerprint(np.arange(6, dtype=np.uint8))


def test_the_fingerprint_does_not_see_the_memory_layout():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert fingerprint(array.transpose(2, 0, 1)) == fingerprint(array.transpose(2, 0, 1).copy())


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"train_x": np.zeros((5, 1, 3, 2), np.uint8)}, "training images must be uint8 of shape"),
        ({"test_x": np.zeros((4, 1, 3, 2), np.float32)}, "test images must be uint8 of shape"),
        ({"train_y": np.zeros(5, np.int64)}, "training labels must be int64 of shape"),
        ({"train_y": np.array([0, 1, 2, 3, 0, 1])}, r"training labels must be in 0\.\.2, got 0\.\.3"),
        ({"test_y": np.array([0, 1, 2, -1])}, r"test labels must be in 0\.\.2, got -1\.\.2"),
        ({"test_x": np.full((4, 1, 3, 2), 17, np.uint8)}, r"test pixels must be in 0\.\.16, got 17"),
    ],
    ids=["too few", "dtype", "unequal lengths", "label too large", "label negative", "pixel too bright"],
)
def test_arrays_that_are_not_what_the_card_says_are_refused(tiny, change, law):
    arrays = read_idx(tiny.contents)
    arrays = arrays._replace(train_x=arrays.train_x % 17, test_x=arrays.test_x % 17)
    card = replace(tiny.card, pixel_max=16)
    assert len(Dataset.of(card, arrays).card.sha256) == 64
    with pytest.raises(DataError, match=law):
        Dataset.of(card, arrays._replace(**change))


def test_a_subset_is_stratified_and_keeps_images_with_their_labels(tiny):
    whole = set_of(tiny)
    part = whole.subset(30, 9, seed=0)
    np.testing.assert_array_equal(np.bincount(part.train_y), [10, 10, 10])
    np.testing.assert_array_equal(np.bincount(part.test_y), [3, 3, 3])
    for x, y, all_x, all_y in (
        (part.train_x, part.train_y, whole.train_x, whole.train_y),
        (part.test_x, part.test_y, whole.test_x, whole.test_y),
    ):
        label_of = {image.tobytes(): label for image, label in zip(all_x, all_y, strict=True)}
        assert [label_of[image.tobytes()] for image in x] == list(y)


def test_a_subset_depends_on_its_seed_alone(tiny):
    whole = set_of(tiny)
    first = whole.subset(30, 9, seed=3).card.sha256
    assert whole.subset(30, 9, seed=3).card.sha256 == first
    assert whole.subset(30, 9, seed=4).card.sha256 != first


def test_a_subset_says_so_on_its_card(tiny):
    part = set_of(tiny, n_train=3000, n_test=1500).subset(2000, 1000, seed=7)
    assert part.card.title == "Tiny, 2,000 / 1,000 of it"
    assert "stratified draw with seed 7" in part.card.split
    assert (part.card.n_train, part.card.n_test) == (2000, 1000)
    assert (part.card.name, part.card.about) == ("tiny", "Tiny")


def test_a_subset_of_everything_is_the_set_itself(tiny):
    whole = set_of(tiny)
    assert whole.subset(60, 30, seed=0) is whole


@pytest.mark.parametrize(
    ("n_train", "n_test", "law"),
    [
        (61, 30, r"`n_train` must be in 0\.\.60 .*got n_train=61"),
        (60, 31, r"`n_test` must be in 0\.\.30"),
        (-1, 30, "`n_train`"),
        (60, -1, "`n_test`"),
    ],
)
def test_a_subset_larger_than_the_set_or_empty_is_refused(tiny, n_train, n_test, law):
    with pytest.raises(DataError, match=law):
        set_of(tiny).subset(n_train, n_test, seed=0)


def test_classes_are_kept_in_order_and_numbered_anew(tiny):
    whole = set_of(tiny)
    part = whole.of_classes([2, 0])
    kept = np.isin(whole.train_y, [0, 2])
    np.testing.assert_array_equal(part.train_x, whole.train_x[kept])
    np.testing.assert_array_equal(part.train_y, np.where(whole.train_y[kept] == 2, 0, 1))
    assert part.card.classes == (whole.card.classes[2], whole.card.classes[0])
    assert part.card.title.startswith(f"{whole.card.title}, classes ")
    assert part.card.sha256 != whole.card.sha256


@pytest.mark.parametrize("labels", [[], [1], [0, 0], [0, 3], [-1, 0]])
def test_classes_that_can_not_be_told_apart_are_refused(tiny, labels):
    with pytest.raises(DataError, match="two or more different ones of 0"):
        set_of(tiny).of_classes(labels)
