from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tiny_set import idx_bytes

from replank.datasets._idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, parse_idx, read_idx
from replank.errors import DataError

CONTENT = idx_bytes(np.arange(12, dtype=np.uint8).reshape(2, 3, 2))


@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=5)))
def test_an_idx_file_gives_back_its_array(array):
    np.testing.assert_array_equal(parse_idx(idx_bytes(array), "file"), array)


@given(st.integers(0, len(CONTENT) - 1))
def test_an_idx_file_cut_short_anywhere_is_refused(length):
    with pytest.raises(DataError, match="file: "):
        parse_idx(CONTENT[:length], "file")


@pytest.mark.parametrize(
    ("content", "law"),
    [
        (CONTENT + b"\x00", "announces an array"),
        (b"\x00\x00\x0d" + CONTENT[3:], "starts with 00 00 08, got 00 00 0d"),
        (b"\x1f\x8b\x08" + CONTENT[3:], "starts with 00 00 08"),
    ],
    ids=["too long", "floats", "still gzipped"],
)
def test_what_is_no_whole_idx_file_of_bytes_is_refused(content, law):
    with pytest.raises(DataError, match=law):
        parse_idx(content, "file")


def test_the_four_files_become_images_with_a_channel_and_integer_labels(tiny):
    arrays = read_idx(tiny.contents)
    assert arrays.train_x.shape == (6, 1, 3, 2)
    assert arrays.train_x.tobytes() == tiny.contents[TRAIN_IMAGES][16:]
    assert arrays.test_x.tobytes() == tiny.contents[TEST_IMAGES][16:]
    assert bytes(arrays.train_y.astype(np.uint8)) == tiny.contents[TRAIN_LABELS][8:]
    assert bytes(arrays.test_y.astype(np.uint8)) == tiny.contents[TEST_LABELS][8:]
    assert arrays.train_y.dtype == arrays.test_y.dtype == np.int64
