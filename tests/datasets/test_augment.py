from __future__ import annotations

import math

import pytest
import torch

from replank.datasets.augment import random_affine, random_crop, random_flip

SHAPE = (60, 2, 7, 10)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(SHAPE, generator=stream(9), dtype=torch.float64)


def test_nothing_asked_nothing_changed(images):
    assert torch.equal(random_affine(images, stream()), images)
    assert torch.equal(random_crop(images, stream(), padding=0), images)


def test_shifts_are_whole_pixels_and_the_rest_is_filled(images):
    fill = (-1.0, -2.0)
    moved = random_affine(images, stream(), translate=0.3, fill=fill)
    seen = set()
    for before, after in zip(images, moved, strict=True):
        matches = [
            (down, across)
            for down in range(-2, 3)
            for across in range(-3, 4)
            if torch.allclose(after, _shifted(before, down, across, fill), atol=1e-12)
        ]
        assert len(matches) == 1
        seen |= set(matches)
    assert {down for down, _ in seen} == {-2, -1, 0, 1, 2}
    assert {across for _, across in seen} == set(range(-3, 4))


def _shifted(image: torch.Tensor, down: int, across: int, fill: tuple[float, ...]) -> torch.Tensor:
    found = torch.tensor(fill, dtype=image.dtype)[:, None, None].expand(image.shape).clone()
    height, width = image.shape[1:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - across < width:
                found[:, row, column] = image[:, row - down, column - across]
    return found


def test_turning_moves_each_pixel_where_geometry_says():
    # a single bright pixel in an image that is not square, found again after a turn by a known angle
    n, height, width, row, column = 40, 31, 41, 15, 30
    images = torch.zeros(n, 1, height, width, dtype=torch.float64)
    images[:, 0, row - 1 : row + 2, column - 1 : column + 2] = 1
    turned = random_affine(images, stream(), degrees=30)
    angles = (2 * torch.rand(n, generator=stream(), dtype=torch.float64) - 1) * math.radians(30)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    mass = turned.sum((-1, -2))[:, 0]
    found = [(turned[:, 0] * axis).sum((-1, -2)) / mass for axis in (columns, rows)]
    x, y = column - (width - 1) / 2, row - (height - 1) / 2
    expected_x = (width - 1) / 2 + angles.cos() * x - angles.sin() * y
    expected_y = (height - 1) / 2 + angles.sin() * x + angles.cos() * y
    assert (found[0] - expected_x).abs().max() < 0.6
    assert (found[1] - expected_y).abs().max() < 0.6
    assert angles.abs().max() > math.radians(25)


def test_half_of_the_images_are_mirrored_as_a_whole(images):
    found = random_flip(images, stream())
    mirrored = (found == images.flip(-1)).flatten(1).all(1)
    kept = (found == images).flatten(1).all(1)
    assert (mirrored ^ kept).all()
    assert 15 < mirrored.sum() < 45


def test_crops_are_windows_of_the_padded_image(images):
    found = random_crop(images, stream(), padding=2, fill=-3.0)
    padded = torch.nn.functional.pad(images, [2] * 4, value=-3.0)
    places = set()
    for before, after in zip(padded, found, strict=True):
        windows = [
            (down, across)
            for down in range(5)
            for across in range(5)
            if torch.allclose(before[:, down : down + 7, across : across + 10], after, atol=1e-12)
        ]
        assert len(windows) == 1
        places |= set(windows)
    assert {down for down, _ in places} == {across for _, across in places} == set(range(5))


@pytest.mark.parametrize(
    "augment",
    [
        lambda x, g: random_affine(x, g, degrees=5, translate=0.1),
        random_flip,
        lambda x, g: random_crop(x, g, padding=2),
    ],
    ids=["affine", "flip", "crop"],
)
def test_the_generator_decides_and_nothing_else(images, augment):
    state, before = torch.get_rng_state(), images.clone()
    first = augment(images, stream(1))
    assert torch.equal(first, augment(images, stream(1)))
    assert not torch.equal(first, augment(images, stream(2)))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images, before)
    assert first.shape == images.shape
    assert first.dtype == images.dtype
    assert augment(images[:0], stream()).shape == (0, *SHAPE[1:])


WRONG = {
    "flat": (lambda x: random_flip(x[0], stream()), r"`images` must have shape .*, got shape=\(2, 7, 10\)"),
    "backwards": (lambda x: random_affine(x, stream(), degrees=-1), "`degrees` must be finite and not negative"),
    "padding": (lambda x: random_crop(x, stream(), padding=-1), "`padding` must be finite and not negative, got"),
    "fill": (lambda x: random_crop(x, stream(), padding=1, fill=(1, 2, 3)), "one for each of 2 channels"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_input_is_refused(images, case):
    wrong, law = WRONG[case]
    with pytest.raises(ValueError, match=law):
        wrong(images)
