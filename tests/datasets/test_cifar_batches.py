from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from tiny_set import tar_gz

from replank.datasets.cifar10 import FILES as CIFAR10
from replank.datasets.cifar100 import FILES as CIFAR100
from replank.errors import DataError

N = 4
CLASSES = {CIFAR10: 10, CIFAR100: 100}


def batch(files, seed):
    stream = np.random.default_rng(seed)
    return stream.integers(0, 256, (N, 3072), dtype=np.uint8), stream.integers(0, CLASSES[files], N)


def py2_string(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def python2_numbers(numbers) -> bytes:
    return b"](" + b"".join(b"K" + bytes([number]) for number in numbers) + b"e"


def python2_pickle(pixels, **lists) -> bytes:
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
    entries = py2_string(b"data") + array
    for name, numbers in lists.items():
        entries += py2_string(name.encode()) + python2_numbers(numbers)
    return b"\x80\x02}(" + entries + b"u."


def python_batch(files, seed) -> bytes:
    pixels, labels = batch(files, seed)
    if files is CIFAR10:
        return python2_pickle(pixels, labels=labels)
    return python2_pickle(pixels, coarse_labels=labels // 5, fine_labels=labels)


def binary_batch(files, seed) -> bytes:
    """For each image its label, or its coarse and its fine one, then its planes."""
    pixels, labels = batch(files, seed)
    heads = [[label] if files is CIFAR10 else [label // 5, label] for label in labels]
    return b"".join(bytes(head) + row.tobytes() for head, row in zip(heads, pixels, strict=True))


def python_batches(files):
    return {name: python_batch(files, seed) for seed, name in enumerate(files.batches)}


def binary_batches(files):
    return {f"{name}.bin": binary_batch(files, seed) for seed, name in enumerate(files.batches)}


both_sets = pytest.mark.parametrize("files", CLASSES, ids=["CIFAR-10", "CIFAR-100"])


@both_sets
@pytest.mark.parametrize("form", ["python", "binary"])
def test_a_batch_gives_back_planes_and_labels(files, form):
    parse, content = {
        "python": (files.parse_python_batch, python_batch(files, 5)),
        "binary": (files.parse_binary_batch, binary_batch(files, 5)),
    }[form]
    pixels, labels = batch(files, 5)
    x, y = parse(content, "batch")
    np.testing.assert_array_equal(x, pixels.reshape(N, 3, 32, 32))
    np.testing.assert_array_equal(y, labels)
    assert (x.dtype, y.dtype) == (np.uint8, np.int64)


@both_sets
@pytest.mark.parametrize("form", ["python batches", "binary batches", "python archive", "binary archive"])
def test_all_official_forms_give_the_same_arrays(files, form):
    python, binary = python_batches(files), binary_batches(files)
    read, contents = {
        "python batches": (files.read_python_batches, python),
        "binary batches": (files.read_binary_batches, binary),
        "python archive": (files.read_python_archive, {"archive": tar_gz(files.python_folder, python)}),
        "binary archive": (files.read_binary_archive, {"archive": tar_gz(files.binary_folder, binary)}),
    }[form]
    arrays = read(contents)
    *train, (test_x, test_y) = [batch(files, seed) for seed in range(len(files.batches))]
    train_x = np.concatenate([pixels for pixels, _ in train]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(arrays.train_x, train_x)
    np.testing.assert_array_equal(arrays.train_y, np.concatenate([labels for _, labels in train]))
    np.testing.assert_array_equal(arrays.test_x, test_x.reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(arrays.test_y, test_y)
    assert all(array.flags.writeable for array in arrays)


def test_an_archive_is_read_whatever_order_and_company_its_files_have():
    contents = {"readme": b"", **dict(reversed(python_batches(CIFAR10).items())), "batches.meta": b"something"}
    shuffled = CIFAR10.read_python_archive({"archive": tar_gz(CIFAR10.python_folder, contents)})
    for array, expected in zip(shuffled, CIFAR10.read_python_batches(python_batches(CIFAR10)), strict=True):
        np.testing.assert_array_equal(array, expected)


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
        CIFAR10.parse_python_batch(content, "batch")
    assert not victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        python_batch(CIFAR10, 0)[: N * 3072],
        b"",
        pickle.dumps([1, 2], protocol=2),
        python2_pickle(np.zeros((N, 3071), np.uint8), labels=[0] * N),
        python_batch(CIFAR100, 0),
    ],
    ids=["cut short", "empty", "a list", "wrong width", "the other set's"],
)
def test_a_damaged_python_batch_is_refused(content):
    with pytest.raises(DataError, match="batch: must be a pickled CIFAR-10 batch"):
        CIFAR10.parse_python_batch(content, "batch")


@both_sets
@pytest.mark.parametrize("length", [0, 1, 3072, 3075])
def test_a_binary_batch_of_broken_length_is_refused(files, length):
    width = 3072 + files.label_bytes
    with pytest.raises(DataError, match=f"batch: .*{width} bytes an image, got {length} bytes"):
        files.parse_binary_batch(bytes(length), "batch")


@pytest.mark.parametrize(
    "content",
    [
        tar_gz(CIFAR10.python_folder, python_batches(CIFAR10))[:5000],
        b"no archive",
        b"",
        tar_gz(CIFAR10.python_folder, {"data_batch_1": python_batch(CIFAR10, 0)}),
    ],
    ids=["cut short", "something else", "empty", "members missing"],
)
def test_a_damaged_archive_is_refused(content):
    with pytest.raises(DataError, match="archive: must be a gzipped tar archive"):
        CIFAR10.read_python_archive({"archive": content})
