from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from replank.datasets import _folders, _jpeg
from replank.datasets._jpeg import decode_jpegs
from replank.datasets._npz import parse_npz, read_images_npz, read_jpeg_npz
from replank.errors import DataError


def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def jpeg(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75)  # with 4:2:0 subsampling of colours
    return file.getvalue()


def smooth_images(n, size=32):
    """Gradients of colour, which JPEG keeps nearly as they are."""
    ramp = np.linspace(20, 230, size)
    planes = [np.add.outer(ramp * (i + 1) / n, ramp[::-1]) / 2 for i in range(n)]
    return np.stack([np.stack([p, p.T, 255 - p], axis=-1) for p in planes]).round().astype(np.uint8)


def jpeg_npz(images, labels) -> bytes:
    files = [jpeg(image) for image in images]
    offsets = np.cumsum([0, *map(len, files)])
    return npz(jpeg=np.frombuffer(b"".join(files), np.uint8), offsets=offsets, labels=np.array(labels, np.uint8))


@pytest.fixture
def contents():
    return {
        "train.npz": jpeg_npz(smooth_images(5), [0, 1, 2, 3, 4]),
        "test.npz": jpeg_npz(smooth_images(3), [7, 8, 9]),
    }


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(_folders, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_plain_images_get_a_channel_and_integer_labels():
    images = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    labels = np.array([3, 1, 2, 0], np.uint8)
    content = npz(train_images=images, train_labels=labels, test_images=images[:2], test_labels=labels[:2])
    arrays = read_images_npz({"file.npz": content})
    np.testing.assert_array_equal(arrays.train_x, images[:, None])
    np.testing.assert_array_equal(arrays.test_y, labels[:2])
    assert arrays.train_y.dtype == np.int64


def test_jpeg_images_are_those_that_were_compressed(contents, empty_cache):
    arrays = read_jpeg_npz(contents)
    np.testing.assert_array_equal(arrays.train_y, range(5))
    np.testing.assert_array_equal(arrays.test_y, [7, 8, 9])
    # compression costs up to 9 grey levels here; mixed-up axes, channels or images would cost 25 on average
    for x, images in ((arrays.train_x, smooth_images(5)), (arrays.test_x, smooth_images(3))):
        np.testing.assert_allclose(x.astype(float), images.transpose(0, 3, 1, 2), atol=12)


def test_jpegs_are_decoded_once(contents, empty_cache, monkeypatch):
    first = read_jpeg_npz(contents)
    monkeypatch.delattr(_jpeg, "decode_jpegs")
    for again, array in zip(read_jpeg_npz(contents), first, strict=True):
        np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize("damage", ["a flipped byte", "cut short", "emptied"])
def test_a_damaged_cache_is_not_believed(contents, empty_cache, damage):
    first = read_jpeg_npz(contents)
    for path in (empty_cache / "decoded").iterdir():
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        kept = {"a flipped byte": len(whole), "cut short": len(whole) // 2, "emptied": 0}[damage]
        path.write_bytes(whole[:kept])
    for again, array in zip(read_jpeg_npz(contents), first, strict=True):
        np.testing.assert_array_equal(again, array)


def test_a_cache_that_can_not_be_written_costs_only_time(contents, empty_cache):
    empty_cache.write_text("a file where the folder should be")
    assert read_jpeg_npz(contents).train_x.shape == (5, 3, 32, 32)


@pytest.mark.parametrize(
    ("content", "law"),
    [
        (npz(other=np.zeros(3)), "must be an .npz archive with wanted"),
        (npz(wanted=np.zeros(300))[:-60], "must be an .npz archive"),
        (npz(wanted=np.array([{}])), "allow_pickle"),
        (b"", "must be an .npz archive"),
    ],
    ids=["key missing", "cut short", "pickled objects", "empty"],
)
def test_a_damaged_archive_is_refused(content, law):
    with pytest.raises(DataError, match=law):
        parse_npz(content, ("wanted",), "file.npz")


@pytest.mark.parametrize(
    ("files", "law"),
    [
        ([jpeg(smooth_images(1)[0]), b"no image"], "image 1 must be a JPEG file"),
        ([jpeg(smooth_images(1)[0])[:300]], "image 0 must be a JPEG file"),
        ([jpeg(smooth_images(1, size)[0]) for size in (8, 16)], "must all have one size"),
    ],
    ids=["something else", "cut short", "of two sizes"],
)
def test_broken_jpegs_are_refused(files, law):
    with pytest.raises(DataError, match=law):
        decode_jpegs(files, "file.npz")


def test_grey_jpegs_have_one_channel():
    ramp = np.add.outer(np.arange(32), 3 * np.arange(32)).astype(np.uint8)
    grey = decode_jpegs([jpeg(ramp)], "file.npz", "L")
    np.testing.assert_allclose(grey.astype(float), ramp[None, None], atol=3)
