"""Images as short bit strings: reduced to few pixels and thresholded, as qubits in basis states need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

import torch
from torch import Tensor
from torch.nn import functional

from replank.errors import DataError, UnknownName

Reduction = Literal["block", "point"]
"""``"block"`` averages over equal blocks, ``"point"`` interpolates between the pixels around each block's centre."""


@dataclass(frozen=True)
class ThresholdEncoder:
    """Images to bits: ``side x side`` pixels, 1 where they are brighter than the threshold.

    Shape: ``(*, 1, height, width) -> (*, side * side)``, bits as numbers of the images' dtype, in rows from the top.

    ``"point"`` samples bilinearly at the blocks' centres, as TensorFlow's ``image.resize`` does: of 28x28 pixels it
    takes rows and columns 3, 10, 17 and 24 as they are.

    Args:
        mode: how images are reduced.
        side: pixels a side.
        threshold: brightness above which a bit is 1.

    Raises:
        UnknownName: no such mode.
        ValueError: no pixel, or a threshold that is not finite; in a call, input that is no grey images, or smaller
            ones than ``side``.
    """

    mode: Reduction = "block"
    side: int = 4
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.mode not in get_args(Reduction):
            raise UnknownName("mode", str(self.mode), get_args(Reduction))
        if self.side < 1 or not torch.isfinite(torch.tensor(float(self.threshold))):
            raise ValueError(
                f"ThresholdEncoder: needs side >= 1 and a finite threshold, got side={self.side}, "
                f"threshold={self.threshold}."
            )

    def fit(self, images: Tensor) -> Self:
        """Nothing is learned, but a threshold that leaves no variation in the training images is refused.

        Raises:
            DataError: all images have one string.
        """
        n_distinct = len(torch.unique(self(images), dim=0))
        if n_distinct < 2:
            raise DataError(
                f"ThresholdEncoder: the images must have at least two distinct strings, got {n_distinct} with "
                f"mode={self.mode!r}, threshold={self.threshold}. Choose another threshold or mode."
            )
        return self

    def __call__(self, images: Tensor) -> Tensor:
        """The images' bits."""
        if images.ndim < 3 or images.shape[-3] != 1 or min(images.shape[-2:]) < self.side:
            raise ValueError(
                f"ThresholdEncoder: needs grey images (*, 1, height, width) of at least {self.side}x{self.side} "
                f"pixels, got shape {tuple(images.shape)}."
            )
        flat = images.reshape(-1, *images.shape[-3:])
        bright = self._reduced(flat).reshape(*images.shape[:-3], self.side**2) > self.threshold
        return bright.to(images.dtype)

    def _reduced(self, images: Tensor) -> Tensor:
        if self.mode == "block":
            return functional.adaptive_avg_pool2d(images, self.side)
        return functional.interpolate(images, (self.side, self.side), mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class ContradictionReport:
    """What was found among strings that occur with different labels.

    Args:
        n_samples: samples before.
        n_distinct: distinct strings among them.
        n_contradictory: of these, how many occur with more than one label.
        n_kept: samples whose strings occur with one label only.
    """

    n_samples: int
    n_distinct: int
    n_contradictory: int
    n_kept: int


def remove_contradictions(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, ContradictionReport]:
    """The samples whose input occurs with one label only, in their order.

    Args:
        x: inputs, ``(n, n_features)``.
        y: labels, ``(n,)``.

    Raises:
        DataError: none is left.
        ValueError: shapes do not fit.
    """
    if x.ndim != 2 or y.shape != x.shape[:1] or not len(x):
        raise ValueError(
            f"remove_contradictions: needs x of shape (n, n_features) and y of shape (n,) for n >= 1, got "
            f"{tuple(x.shape)} and {tuple(y.shape)}."
        )
    _, string = torch.unique(x, dim=0, return_inverse=True)
    # distinct pairs of string and label: a string that stands in more than one is contradictory
    _, label = torch.unique(y, return_inverse=True)
    labels_of = torch.bincount(torch.unique(torch.stack((string, label), 1), dim=0)[:, 0])
    keep = labels_of[string] == 1
    report = ContradictionReport(len(x), len(labels_of), int((labels_of > 1).sum()), int(keep.sum()))
    if not report.n_kept:
        raise DataError(
            f"remove_contradictions: a string must occur with one label only, got none of {report.n_distinct} "
            f"strings that does. Encode the data more finely."
        )
    return x[keep], y[keep], report
