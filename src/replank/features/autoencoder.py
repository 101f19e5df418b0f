"""A dense autoencoder: it learns to give back its input through a narrow layer, whose values are features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn


class DenseAutoencoder(nn.Module):
    """Dense layers down to the latent features and, mirrored, up again.

    ReLU in between; the latent features are linear, the output goes through a sigmoid: inputs are brightnesses from 0
    to 1. How it is trained is not its business: its output is to be compared with its input.

    Shape: ``(*, dims[0]) -> (*, dims[0])``; latent features are ``(*, latent)``.

    Args:
        dims: widths from the input to the last hidden layer, e.g. ``(784, 256, 128)``.
        latent: number of latent features.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a width is less than 1, or there is none; in ``encode``, values outside [0, 1].
    """

    def __init__(self, dims: Sequence[int], latent: int, *, device: Any = None, dtype: torch.dtype | None = None):
        super().__init__()
        widths = (*dims, latent)
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(
                f"DenseAutoencoder: needs an input width and positive widths, got dims={tuple(dims)}, latent={latent}."
            )
        self.encoder = _dense(widths, device, dtype)
        self.decoder = _dense(widths[::-1], device, dtype).append(nn.Sigmoid())

    def encode(self, images: Tensor) -> Tensor:
        """Latent features ``(*, latent)`` of images ``(*, dims[0])`` with values from 0 to 1."""
        _check_brightness(images)
        return self.encoder(images)

    def decode(self, latents: Tensor) -> Tensor:
        """Images ``(*, dims[0])`` with values from 0 to 1."""
        return self.decoder(latents)

    def forward(self, images: Tensor) -> Tensor:
        """The images, as far as the latent features know them."""
        return self.decode(self.encode(images))


def _dense(widths: Sequence[int], device: Any, dtype: torch.dtype | None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, device=device, dtype=dtype), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _check_brightness(images: Tensor) -> None:
    if not images.numel():
        return
    low, high = (float(each) for each in images.detach().aminmax())
    if not (low >= 0 and high <= 1):  # NaN, too
        remedy = " Divide by 255." if 1 < high <= 255 and low >= 0 else " Scale them, and remove NaN."
        raise ValueError(f"DenseAutoencoder: images must lie in [0, 1], got values in [{low:.6g}, {high:.6g}].{remedy}")
