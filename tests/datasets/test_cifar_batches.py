from __future__ import annotations

import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from replank.datasets._cifar_batches import (
    BATCHES,
    BINARY_FOLDER,
    PYTHON_FOLDER,
    parse_binary_batch,
    parse_python_batch,
    read_binary_archive,
    read_binary_batches,
    read_python_archive,
    read_python_batches,
)
from replank.errors import DataError

N = 4


def batch(seed):
    stream = np.random.default_rng(seed)
    return stream.integers(0, 256, (N, 3072), dtype=np.uint8), stream.integers(0, 10, N)


def py2_string(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def python2_pickle(pixels, labels) -> bytes:
    """A batch as Python 2 with an old NumPy pickled it, opcode by opcode: byte strings, and ``numpy.core``."""
    dtype = (
        b"cnumpy\ndtype\n" + py2_string(b"u1") + b"K\x00K\x01\x87R"  # dtype("u1", 0, 1)
        b"(K\x03" + py2_string(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    shape = b"".join(b"M" + struct.pack("<H", length) for length in pixels.shape) + b"\x86"
    raw = pixels.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + py2_string(b"b") + b"\x87R"
        b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    entries = py2_string(b"data") + array + py2_string(b"labels") + numbers
    return b"\x80\x02}(" + entries + b"u."


def binary(pixels, labels) -> bytes:
    return b"".join(bytes([label]) + row.tobytes() for label, row in zip(labels, pixels, strict=True))


def archive(folder, files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


PYTHON = {name: python2_pickle(*batch(seed)) for seed, name in enumerate(BATCHES)}
BINARY = {f"{name}.bin": binary(*batch(seed)) for seed, name in enumerate(BATCHES)}


@pytest.mark.parametrize(
    ("parse", "content"),
    [(parse_python_batch, PYTHON["test_batch"]), (parse_binary_batch, BINARY["test_batch.bin"])],
    ids=["python", "binary"],
)
def test_a_batch_gives_back_planes_and_labels(parse, content):
    pixels, labels = batch(5)
    x, y = parse(content, "batch")
    np.testing.assert_array_equal(x, pixels.reshape(N, 3, 32, 32))
    np.testing.assert_array_equal(y, labels)
    assert (x.dtype, y.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize(
    ("read", "contents"),
    [
        (read_python_batches, PYTHON),
        (read_binary_batches, BINARY),
        (read_python_archive, {"archive": archive(PYTHON_FOLDER, PYTHON)}),
        (read_binary_archive, {"archive": archive(BINARY_FOLDER, BINARY)}),
    ],
    ids=["python batches", "binary batches", "python archive", "binary archive"],
)
def test_all_official_forms_give_the_same_arrays(read, contents):
    arrays = read(contents)
    expected = [batch(seed) for seed in range(6)]
    train_x = np.concatenate([pixels for pixels, _ in expected[:5]]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(arrays.train_x, train_x)
    np.testing.assert_array_equal(arrays.train_y, np.concatenate([labels for _, labels in expected[:5]]))
    np.testing.assert_array_equal(arrays.test_x, expected[5][0].reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(arrays.test_y, expected[5][1])
    assert all(array.flags.writeable for array in arrays)


class Touch:
    """Pickles to a call that makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_can_not_run_code(tmp_path):
    victim = tmp_path / "made by the pickle"
    content = pickle.dumps({b"data": Touch(victim), b"labels": []}, protocol=2)
    pickle.loads(content)
    assert victim.exists()  # so the attack would work
    victim.unlink()
    with pytest.raises(DataError, match="wants to import"):
        parse_python_batch(content, "batch")
    assert not victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        PYTHON["test_batch"][: N * 3072],
        b"",
        pickle.dumps([1, 2], protocol=2),
        python2_pickle(np.zeros((N, 3071), np.uint8), [0] * N),
    ],
    ids=["cut short", "empty", "a list", "wrong width"],
)
def test_a_damaged_python_batch_is_refused(content):
    with pytest.raises(DataError, match="batch: must be a pickled CIFAR-10 batch"):
        parse_python_batch(content, "batch")


@pytest.mark.parametrize("length", [0, 1, 3072, 3074])
def test_a_binary_batch_of_broken_length_is_refused(length):
    with pytest.raises(DataError, match=f"batch: .*3073 bytes an image, got {length} bytes"):
        parse_binary_batch(bytes(length), "batch")


@pytest.mark.parametrize(
    "content",
    [
        archive(PYTHON_FOLDER, PYTHON)[:5000],
        b"no archive",
        archive(PYTHON_FOLDER, {"data_batch_1": PYTHON["data_batch_1"]}),
    ],
    ids=["cut short", "something else", "members missing"],
)
def test_a_damaged_archive_is_refused(content):
    with pytest.raises(DataError, match="archive: must be a gzipped tar archive"):
        read_python_archive({"archive": content})
