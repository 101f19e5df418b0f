"""Images moved along displacement fields."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def spatial_transform(image: Tensor, displacement: Tensor) -> Tensor:
    """The image read at ``x + u(x)``, with bilinear interpolation and the nearest border pixel outside.

    Shape: image ``(B, C, H, W)``, displacement ``(B, 2, H, W)`` -> ``(B, C, H, W)``.

    Args:
        image: what is moved.
        displacement: u in pixels, first along the rows' direction (x, to the right), then along y (down).

    Raises:
        ValueError: the shapes don't fit, or an image of one row or column.
    """
    size = image.shape[2:]
    if image.ndim != 4 or displacement.shape != (len(image), 2, *size) or min(size) < 2:
        raise ValueError(
            f"spatial_transform: needs images (B, C, H, W) of at least 2x2 pixels and displacements (B, 2, H, W), got "
            f"{tuple(image.shape)} and {tuple(displacement.shape)}."
        )
    height, width = size
    y, x = torch.meshgrid(
        torch.arange(height, device=image.device, dtype=image.dtype),
        torch.arange(width, device=image.device, dtype=image.dtype),
        indexing="ij",
    )
    # align_corners: -1 and 1 are the centres of the outermost pixels
    across = 2 * (x + displacement[:, 0]) / (width - 1) - 1
    down = 2 * (y + displacement[:, 1]) / (height - 1) - 1
    places = torch.stack((across, down), -1)
    return F.grid_sample(image, places, mode="bilinear", padding_mode="border", align_corners=True)
