"""Small colour pictures that are drawn, not photographed: twenty classes, five shapes in four textures.

They are no stand-in for CIFAR-100 or STL-10 and say nothing about them: they only show that the networks for colour
pictures run where those sets can't be had.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replank.datasets import Arrays, Card, Dataset
from replank.seeding import numpy_stream

SHAPES = ("disc", "square", "diamond", "cross", "ring")
TEXTURES = ("plain", "stripes", "checks", "dots")
SIDE = 32

_Plane = NDArray[np.float64]


def shapes_and_textures(n_train: int, n_test: int, seed: int) -> Dataset:
    """Pictures of random place, size, colours and noise; classes as equally frequent as can be.

    Args:
        n_train: number of training pictures.
        n_test: number of test pictures.
        seed: of all draws.
    """
    stream = numpy_stream(seed, "shapes and textures")
    classes = tuple(f"{shape}, {texture}" for shape in SHAPES for texture in TEXTURES)
    card = Card(
        name="shapes",
        title=f"shapes and textures ({n_train} / {n_test} drawn {SIDE}x{SIDE} colour pictures, seed {seed})",
        about="drawn shapes",
        licence="none needed",
        source="replank",
        citation="",
        n_train=n_train,
        n_test=n_test,
        shape=(3, SIDE, SIDE),
        classes=classes,
        split="drawn separately",
        known_differences=("drawn pictures, not photographs",),
    )
    sets = [_draw(n, len(classes), stream) for n in (n_train, n_test)]
    return Dataset.of(card, Arrays(*sets[0], *sets[1]))


def _draw(n: int, n_classes: int, stream: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = stream.permutation(np.arange(n) % n_classes)
    pictures = [_picture(*divmod(int(label), len(TEXTURES)), stream) for label in labels]
    return np.stack(pictures), labels.astype(np.int64)


def _picture(shape: int, texture: int, stream: np.random.Generator) -> NDArray[np.uint8]:
    """One picture, (3, side, side)."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    middle, radius = stream.uniform(13, 18, 2), stream.uniform(8, 12)
    y, x = (rows - middle[0]) / radius, (columns - middle[1]) / radius
    inside = _inside(SHAPES[shape], y, x)
    pattern = _pattern(TEXTURES[texture], rows, columns, stream.uniform(0, 4, 2))
    ground, ink, other = stream.uniform(0, 255, (3, 3, 1, 1))
    picture = np.where(inside, np.where(pattern, ink, other), ground)
    return np.clip(picture + stream.normal(0, 8, (3, SIDE, SIDE)), 0, 255).astype(np.uint8)


def _inside(shape: str, y: _Plane, x: _Plane) -> NDArray[np.bool_]:
    """Which pixels a shape of radius one covers."""
    match shape:
        case "disc":
            return x**2 + y**2 <= 1
        case "square":
            return np.maximum(abs(x), abs(y)) <= 0.85
        case "diamond":
            return abs(x) + abs(y) <= 1.2
        case "cross":
            return (np.minimum(abs(x), abs(y)) <= 0.3) & (np.maximum(abs(x), abs(y)) <= 1)
        case _:
            return (x**2 + y**2 <= 1) & (x**2 + y**2 >= 0.3)


def _pattern(texture: str, rows: _Plane, columns: _Plane, shift: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pixels have the first of two colours."""
    down, across = (rows + shift[0]) % 6, (columns + shift[1]) % 6
    match texture:
        case "plain":
            return np.ones_like(rows, dtype=bool)
        case "stripes":
            return down < 3
        case "checks":
            return (down < 3) ^ (across < 3)
        case _:
            return (down - 3) ** 2 + (across - 3) ** 2 < 3
