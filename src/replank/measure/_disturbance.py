"""What every disturbance of inputs checks, and how it goes through a model's normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Channels = Sequence[float] | None
"""A number for each channel, or nothing."""


class Normalised(nn.Module):
    """A model that takes normalised inputs, given inputs before normalisation."""

    def __init__(self, model: nn.Module, mean: Tensor, std: Tensor):
        super().__init__()
        self.model, self.mean, self.std = model, mean, std

    @classmethod
    def of(cls, caller: str, model: nn.Module, x: Tensor, mean: Channels, std: Channels) -> Normalised:
        """Checked against the inputs' channels; without mean and standard deviation, nothing is changed."""
        if (mean is None) != (std is None):
            raise ValueError(f"{caller}: `mean` and `std` come together, got mean={mean}, std={std}.")
        mean, std = (0.0,) if mean is None else tuple(mean), (1.0,) if std is None else tuple(std)
        if (
            not len(mean) == len(std)
            or len(mean) not in (1, *x.shape[1:2])
            or not all(0 < s < float("inf") for s in std)
        ):
            raise ValueError(
                f"{caller}: `mean` and `std` must hold a number for each of the {x.shape[1:2]} channels, `std` "
                f"positive ones, got mean={mean}, std={std}."
            )
        shape = (-1, *[1] * (x.ndim - 2))
        return cls(model, *(torch.tensor(values, dtype=x.dtype, device=x.device).view(shape) for values in (mean, std)))

    def normalised(self, x: Tensor) -> Tensor:
        """What the model takes."""
        return (x - self.mean) / self.std

    def pixels(self, z: Tensor) -> Tensor:
        """Back to the units of the inputs."""
        return z * self.std + self.mean

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.model(self.normalised(x))
        return logits


def check_levels(caller: str, name: str, levels: Sequence[float], x: Tensor) -> None:
    """Refuse inputs that can't be disturbed, and levels that make no sense.

    Raises:
        TypeError: inputs are not floating point.
        ValueError: no level, or one that is negative or not finite.
    """
    if not levels:
        raise ValueError(f"{caller}: `{name}` must hold at least one number, got {levels!r}.")
    for level in levels:
        if not 0 <= level < float("inf"):
            raise ValueError(f"{caller}: `{name}` must be finite and not negative, got {level}.")
    if not x.is_floating_point():
        raise TypeError(f"{caller}: `x` must be floating point to be disturbed, got dtype={x.dtype}.")


def check_inside(caller: str, x: Tensor, bounds: tuple[float, float]) -> None:
    """Refuse inputs outside the bounds: as a rule they are normalised already.

    Raises:
        ValueError: an entry lies outside, or is NaN.
    """
    low, high = bounds
    least, greatest = (float(end) for end in torch.aminmax(x)) if x.numel() else (low, high)
    if not (low <= least and greatest <= high):
        raise ValueError(
            f"{caller}: input range [{least:.2f}, {greatest:.2f}] is outside bounds [{low:g}, {high:g}]; pass mean/std."
            " `x` is given before normalisation, which is done inside: or give the bounds that your inputs have."
        )


def check_classes(caller: str, y: Tensor, n_classes: int) -> None:
    """Refuse labels that are none of a model's classes.

    Raises:
        ValueError: a label is too large or negative.
    """
    low, high = (int(end) for end in torch.aminmax(y)) if y.numel() else (0, 0)
    if low < 0 or high >= n_classes:
        raise ValueError(
            f"{caller}: `y` must hold classes from 0 to {n_classes - 1}, the outputs of the model, got {low}..{high}."
        )
