from __future__ import annotations

import numpy as np
import pytest

from replank.datasets import load
from replank.datasets.leakage import check_leakage, shared_samples
from replank.errors import DataError


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)


def test_shared_samples_are_counted_wherever_they_stand(images):
    others = np.concatenate([images[15:], images[:2] + 1])
    assert shared_samples(images, others) == 5
    assert shared_samples(images[:15], images[15:]) == 0
    assert shared_samples(np.repeat(images[:1], 3, axis=0), images) == 3
    # one bit is another image, and so is the same one read in another order
    changed = images.copy()
    changed[:, 0, 0, 0] ^= 1
    assert shared_samples(changed, images) == 0
    assert shared_samples(np.ascontiguousarray(images[:, ::-1]), images) == 0
    assert shared_samples(images[::-2], images) == 10


def test_leakage_is_refused_unless_allowed(images):
    assert check_leakage(images[:10], images[10:]) == 0
    with pytest.raises(DataError, match=r"must be different ones, got 5 of 15 .* allow_leakage=True"):
        check_leakage(images[:15], images[10:])
    assert check_leakage(images[:15], images[10:], allow_leakage=True) == 5


def test_different_kinds_of_samples_are_not_compared(images):
    with pytest.raises(DataError, match=r"must hold samples of one shape and dtype, got .*uint8 and .*float64"):
        check_leakage(images, images.astype(float))
    with pytest.raises(DataError, match="one shape"):
        check_leakage(images, images[:, :, :2])


def test_hosted_digits_do_not_leak():
    data = load("mnist5k")
    assert shared_samples(data.train_x, data.test_x) == 0
