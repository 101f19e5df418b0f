from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from replank import datasets
from replank.datasets._tiff import parse_uncompressed_tiff
from replank.datasets.ct_contrast import reduced, unrounded
from replank.errors import DataError

N = 100


def slice_of(i, size=40):
    """A smooth slice in Hounsfield units, another one for each number."""
    ramp = np.linspace(0, np.pi, size)
    return np.round(1000 * np.add.outer(np.sin(ramp * (1 + i / N)), np.cos(ramp * i / N)) - 1000)


def tiff(pixels, order="<", rows_a_strip=None) -> bytes:
    """An uncompressed TIFF file; the set's have 64-bit floats, which Pillow neither reads nor writes."""
    height, width = pixels.shape
    step = rows_a_strip or height
    strips = [pixels[i : i + step].astype(pixels.dtype.newbyteorder(order)).tobytes() for i in range(0, height, step)]
    offsets = 8 + np.cumsum([0, *map(len, strips)])
    longs = struct.pack(f"{order}{2 * len(strips)}I", *offsets[:-1], *map(len, strips))
    one = len(strips) == 1
    places = (8, len(strips[0])) if one else (offsets[-1], offsets[-1] + 4 * len(strips))
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8 * pixels.itemsize),
        (262, 3, 1, 1),
        (273, 4, len(strips), places[0]),
        (278, 4, 1, step),
        (279, 4, len(strips), places[1]),
        (339, 3, 1, {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]),
    ]
    directory = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        number = struct.pack(f"{order}H2x", value) if kind == 3 else struct.pack(f"{order}I", value)
        directory += struct.pack(f"{order}HHI", tag, kind, count) + number
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, offsets[-1] + len(longs))
    return head + b"".join(strips) + longs + directory + bytes(4)


def write_set(folder, images="tiff_images", n=N):
    (folder / images).mkdir(parents=True, exist_ok=True)
    lines = [",Age,Contrast,ContrastTag,raw_input_path,id,tiff_name,dicom_name"]
    for i in range(n):
        name = f"ID_{i:04}_AGE_0060_CONTRAST_{i % 2}_CT.tif"
        lines.append(f"{i},60,{bool(i % 2)},NONE,../data/{i}.dcm,{i},{name},{name[:-4]}.dcm")
        (folder / images / name).write_bytes(tiff(slice_of(i)))
    (folder / "overview.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("place", ["ct_contrast", "siim-medical-images", ""])
@pytest.mark.parametrize("images", ["tiff_images", ""])
def test_a_table_and_its_images_are_found_and_read(tmp_path, place, images):
    write_set(tmp_path / place if place else tmp_path, images)
    x, y = unrounded(tmp_path)
    np.testing.assert_array_equal(y, np.arange(N) % 2)
    np.testing.assert_array_equal(x[:, 0], [reduced(slice_of(i)) for i in range(N)])
    assert datasets.verify("ct_contrast", tmp_path).ok
    assert datasets.fetch("ct_contrast", tmp_path).ok


def test_the_set_is_the_images_rounded_to_bytes_and_split_80_to_20(tmp_path):
    write_set(tmp_path)
    data = datasets.load("ct_contrast", tmp_path)
    np.testing.assert_array_equal(np.bincount(data.train_y), [40, 40])
    np.testing.assert_array_equal(np.bincount(data.test_y), [10, 10])
    x, y = unrounded(tmp_path)
    exact = {
        (np.round(image * 255)).astype(np.uint8).tobytes(): (image, label) for image, label in zip(x, y, strict=True)
    }
    loaded = np.concatenate([data.train_x, data.test_x])
    assert len({image.tobytes() for image in loaded}) == N
    for image, label in zip(loaded, np.concatenate([data.train_y, data.test_y]), strict=True):
        origin, its_label = exact[image.tobytes()]
        assert label == its_label
        np.testing.assert_allclose(image / 255, origin, atol=0.5 / 255)
    assert data.card.sha256 == datasets.load("ct_contrast", tmp_path).card.sha256


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
def test_images_may_have_other_kinds_of_numbers(tmp_path, kind, compression):
    write_set(tmp_path)
    (path,) = (tmp_path / "tiff_images").glob("ID_0003*")
    pixels = np.clip(slice_of(3), 0, 255).astype(kind)
    Image.fromarray(pixels).save(path, compression=compression)
    np.testing.assert_array_equal(unrounded(tmp_path)[0][3, 0], reduced(pixels.astype(float)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("rows_a_strip", [1, 5, 12])
def test_an_uncompressed_tiff_gives_back_its_array(order, kind, rows_a_strip):
    pixels = np.random.default_rng(0).integers(0, 100, (12, 7)).astype(kind)
    array = parse_uncompressed_tiff(tiff(pixels, order, rows_a_strip))
    assert array is not None
    np.testing.assert_array_equal(array, pixels)


@given(st.data())
def test_a_tiff_cut_short_anywhere_is_not_read(data):
    content = tiff(np.arange(12.0).reshape(3, 4))
    # the last four bytes only say that there is no second image
    assert parse_uncompressed_tiff(content[: data.draw(st.integers(0, len(content) - 5))]) is None


def cubic(t):
    """The cubic kernel with a = -0.75 at a distance."""
    a, t = -0.75, abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def test_slices_are_reduced_by_plain_cubic_interpolation():
    size = 80
    image = np.random.default_rng(0).normal(size=(size, size))
    weights = np.zeros((32, size))
    for i in range(32):
        centre = (i + 0.5) * size / 32 - 0.5
        for j in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            weights[i, min(max(j, 0), size - 1)] += cubic(centre - j)  # the border's pixels go on outside
    small = weights @ image @ weights.T
    expected = (small - small.min()) / (small.max() - small.min())
    np.testing.assert_allclose(reduced(image), expected, atol=1e-12)


def test_a_slice_is_stretched_to_0_and_1_whatever_its_unit():
    image = np.random.default_rng(1).normal(size=(64, 64))
    small = reduced(image)
    assert (small.min(), small.max()) == (0, 1)
    np.testing.assert_allclose(reduced(3000 * image - 1024), small, atol=1e-12)


def test_an_absent_set_says_where_to_get_it_and_where_to_put_it(tmp_path):
    for ask in (datasets.load, datasets.fetch):
        with pytest.raises(DataError, match=r"kaggle\.com.*put overview\.csv and tiff_images/ into .*ct_contrast"):
            ask("ct_contrast", tmp_path)
    states = datasets.verify("ct_contrast", tmp_path).files
    assert [(file.name, file.state) for file in states] == [("overview.csv", "missing")]


def test_missing_images_are_named(tmp_path):
    write_set(tmp_path)
    (path,) = (tmp_path / "tiff_images").glob("ID_0007*")
    path.unlink()
    with pytest.raises(DataError, match=rf"got no {path.name} \(1 of 100 missing\)"):
        datasets.load("ct_contrast", tmp_path)
    states = {file.name: file.state for file in datasets.verify("ct_contrast", tmp_path).files}
    assert [name for name, state in states.items() if state != "ok"] == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"no image", tiff(np.ones((8, 8))), tiff(np.full((8, 8), np.nan)), tiff(slice_of(0))[:900]],
    ids=["something else", "of one value", "NaN", "cut short"],
)
def test_a_damaged_image_is_refused(tmp_path, content):
    write_set(tmp_path)
    (path,) = (tmp_path / "tiff_images").glob("ID_0007*")
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path.name}: must be a grey image"):
        datasets.load("ct_contrast", tmp_path)
    assert not datasets.verify("ct_contrast", tmp_path).ok


def test_a_colour_image_is_refused(tmp_path):
    write_set(tmp_path)
    (path,) = (tmp_path / "tiff_images").glob("ID_0007*")
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(path)
    with pytest.raises(DataError, match=r"got shape \(8, 8, 3\)"):
        datasets.load("ct_contrast", tmp_path)


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (lambda text: text.replace(",True,", ",yes,"), "KeyError"),
        (lambda text: text.replace("tiff_name", "name"), "KeyError"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "99 rows"),
        (lambda text: text.replace("ID_0001", "ID_0003"), "100 rows"),
        (lambda text: "", "0 rows"),
    ],
    ids=["other labels", "no names", "too short", "a name twice", "empty"],
)
def test_a_table_of_another_form_is_refused(tmp_path, change, law):
    write_set(tmp_path)
    table = tmp_path / "overview.csv"
    table.write_text(change(table.read_text()))
    with pytest.raises(DataError, match=f"overview.csv: must be a table of 100 rows.*{law}"):
        datasets.load("ct_contrast", tmp_path)
    assert not datasets.verify("ct_contrast", tmp_path).ok
