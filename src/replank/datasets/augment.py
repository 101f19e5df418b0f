"""Random changes of training images, a whole batch at a time; each image has its own draw.

Functions from a batch and a generator to a batch: bound to their options they are what
:class:`~replank.lab.feed.TensorFeed` takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

Fill = float | Sequence[float]
"""What comes in from outside the image: a number, or one for each channel."""


def random_affine(
    images: Tensor, generator: torch.Generator, *, degrees: float = 0.0, translate: float = 0.0, fill: Fill = 0.0
) -> Tensor:
    """Turned about the centre and moved by whole pixels, both at random; nearest neighbour, as torchvision's default.

    Args:
        images: shape ``(n, channels, height, width)``.
        generator: on the CPU, so that every device sees the same images.
        degrees: greatest angle, either way.
        translate: greatest shift, as a fraction of height and width.
        fill: what comes in from outside.

    Raises:
        ValueError: the images have another shape, an option is negative, or the fill does not fit the channels.
    """
    _check("random_affine", images, degrees=degrees, translate=translate)
    n, _, height, width = images.shape
    outside = _filling(images, fill)
    if not n:
        return images
    angle = _uniform(n, generator) * math.radians(degrees)
    down, across = ((_uniform(n, generator) * translate * size).round() for size in (height, width))
    sin, cos = angle.sin(), angle.cos()
    # where each pixel comes from: back by the shift, then turned back; grid_sample has the image reach from -1 to 1
    ratio = height / width
    matrix = torch.stack((cos, sin * ratio, -sin / ratio, cos), dim=-1).view(n, 2, 2)
    shift = torch.stack((-2 * across / width, -2 * down / height), dim=-1)[..., None]
    where = torch.cat((matrix, matrix @ shift), dim=-1).to(images.device, images.dtype)
    grid = functional.affine_grid(where, list(images.shape), align_corners=False)
    turned = functional.grid_sample(images - outside, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return turned + outside


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image mirrored left to right with probability one half.

    Args:
        images: shape ``(n, channels, height, width)``.
        generator: on the CPU.

    Raises:
        ValueError: the images have another shape.
    """
    _check("random_flip", images)
    mirrored = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def random_crop(images: Tensor, generator: torch.Generator, *, padding: int, fill: Fill = 0.0) -> Tensor:
    """A random window of the images' own size after padding on all sides.

    Args:
        images: shape ``(n, channels, height, width)``.
        generator: on the CPU.
        padding: pixels on each side.
        fill: what they hold.

    Raises:
        ValueError: the images have another shape, the padding is negative, or the fill does not fit the channels.
    """
    _check("random_crop", images, padding=padding)
    n, _, height, width = images.shape
    outside = _filling(images, fill)
    padded = functional.pad(images - outside, [padding] * 4) + outside
    down, across = (torch.randint(0, 2 * padding + 1, (n, 1), generator=generator) for _ in range(2))
    rows, columns = (
        (start + torch.arange(size)).to(images.device) for start, size in ((down, height), (across, width))
    )
    sample = torch.arange(n, device=images.device)[:, None, None]
    return padded.movedim(1, -1)[sample, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    """Numbers in [-1, 1)."""
    return 2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1


def _filling(images: Tensor, fill: Fill) -> Tensor:
    values = torch.as_tensor(fill, dtype=images.dtype, device=images.device).reshape(-1)
    if len(values) not in (1, images.shape[1]):
        raise ValueError(
            f"augment: `fill` must be a number or one for each of {images.shape[1]} channels, got fill={fill}."
        )
    return values.view(-1, 1, 1)


def _check(caller: str, images: Tensor, **options: float) -> None:
    if images.ndim != 4:
        raise ValueError(
            f"{caller}: `images` must have shape (n, channels, height, width), got shape={tuple(images.shape)}."
        )
    for name, value in options.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"{caller}: `{name}` must be finite and not negative, got {name}={value}.")
