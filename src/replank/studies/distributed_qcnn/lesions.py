"""Synthetic lesions: drawn pictures with the outlines and colours that one looks for on skin. No photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from replank.datasets import Arrays, Card, Dataset
from replank.seeding import numpy_stream

CLASSES = ("synthetic even", "synthetic ragged, two-tone", "synthetic red with satellites")
SKIN = (0.80, 0.62, 0.52)
BROWN, DARK, RED = (0.45, 0.30, 0.22), (0.25, 0.15, 0.15), (0.60, 0.25, 0.25)

_Plane = NDArray[np.float64]
_Mask = NDArray[np.bool_]


def synthetic_lesions(n_train: int, n_test: int, seed: int, *, size: int = 28, n_classes: int = 2) -> Dataset:
    """Drawn lesions, classes as equally frequent as can be; everything about them is called synthetic.

    Args:
        n_train: number of training pictures.
        n_test: number of test pictures.
        seed: of all draws.
        size: height and width in pixels.
        n_classes: 2, or 3 with the red ones.

    Raises:
        ValueError: neither 2 nor 3 classes.
    """
    if n_classes not in (2, 3):
        raise ValueError(f"synthetic_lesions: there are 2 or 3 classes, got n_classes={n_classes}.")
    stream = numpy_stream(seed, "synthetic lesions")
    card = Card(
        name="synthetic_lesions",
        title=f"synthetic lesions ({n_train} / {n_test} drawn {size}x{size} pictures, seed {seed})",
        about="synthetic pictures",
        licence="none needed",
        source="replank",
        citation="",
        n_train=n_train,
        n_test=n_test,
        shape=(3, size, size),
        classes=CLASSES[:n_classes],
        split="drawn separately",
        known_differences=("synthetic: drawn pictures, not photographs of skin",),
    )
    sets = [_draw(n, n_classes, size, stream) for n in (n_train, n_test)]
    return Dataset.of(card, Arrays(*sets[0], *sets[1]))


def _draw(
    n: int, n_classes: int, size: int, stream: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = stream.permutation(np.arange(n) % n_classes)
    pictures = np.stack([lesion(int(label), size, stream) for label in labels])
    return np.round(255 * pictures).astype(np.uint8), labels.astype(np.int64)


def lesion(label: int, size: int, stream: np.random.Generator) -> _Plane:
    """One picture (3, size, size), values in [0, 1]; lengths are in pixels of a picture of 28."""
    scale = size / 28
    rows, columns = (np.mgrid[:size, :size] - (size - 1) / 2) / scale
    y, x = rows - stream.uniform(-3, 3), columns - stream.uniform(-3, 3)
    radius, angle = _elliptic(y, x, stream)
    inside = radius < _outline(label, angle, stream)
    picture = _filled(SKIN, size) + stream.normal(0, 0.03, (3, size, size))
    colour = RED if label == 2 else BROWN
    picture = np.where(inside, _filled(colour, size), picture)
    if label == 1:
        turn = stream.uniform(0, 2 * np.pi)
        picture = np.where(inside & (np.cos(turn) * x + np.sin(turn) * y > 0), _filled(DARK, size), picture)
    if label == 2:
        picture = np.where(_satellites(y, x, stream), _filled(RED, size), picture)
    picture = gaussian_filter(picture, (0, 0.7 * scale, 0.7 * scale))
    return np.clip(picture + stream.normal(0, 0.04, picture.shape), 0, 1)


def _elliptic(y: _Plane, x: _Plane, stream: np.random.Generator) -> tuple[_Plane, _Plane]:
    """Distance from the middle, 1 on the ellipse, and direction."""
    (a, b), turn = stream.uniform(4, 9, 2), stream.uniform(0, np.pi)
    u, v = (np.cos(turn) * x + np.sin(turn) * y) / a, (np.cos(turn) * y - np.sin(turn) * x) / b
    return np.hypot(u, v), np.arctan2(v, u)


def _outline(label: int, angle: _Plane, stream: np.random.Generator) -> _Plane:
    """Where the border lies in each direction."""
    border = 1 + stream.normal(0, 0.05, angle.shape)
    return border * (1 + 0.25 * np.sin(stream.choice((3, 5, 7)) * angle)) if label == 1 else border


def _satellites(y: _Plane, x: _Plane, stream: np.random.Generator) -> _Mask:
    """Three small discs around the lesion."""
    directions, distances = stream.uniform(0, 2 * np.pi, 3), stream.uniform(9, 12, 3)
    discs = (
        np.hypot(y - far * np.sin(direction), x - far * np.cos(direction)) < 1.5
        for direction, far in zip(directions, distances, strict=True)
    )
    return np.logical_or.reduce(list(discs))


def _filled(colour: tuple[float, float, float], size: int) -> _Plane:
    return np.broadcast_to(np.array(colour)[:, None, None], (3, size, size))
