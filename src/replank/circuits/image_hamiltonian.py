"""A whole image as a Hamiltonian."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.errors import UnknownName

ImageEmbedding = Literal["symmetric", "hermitian", "block"]
"""How a square image ``M`` becomes Hermitian:

- ``"symmetric"``: ``(M + M^T) / 2``, as published; what is antisymmetric in the image is lost;
- ``"hermitian"``: ``(M + M^T) / 2 + i (M - M^T) / 2``, which keeps all numbers of the image;
- ``"block"``: ``[[0, M], [M^T, 0]]``, which keeps them too, on one more qubit.
"""

MOST_QUBITS = 12  # a matrix of 2^12 x 2^12 takes 64 MiB in single precision, and each image has its own


def image_hamiltonian(images: Tensor, mode: ImageEmbedding = "symmetric") -> Tensor:
    """The Hermitian matrix of each image: it is Hermitian to the last bit, and a symmetric image is its own.

    Shape: ``(*, N, N) -> (*, N, N)``, or ``(*, 2N, 2N)`` with ``"block"``; complex with ``"hermitian"``. ``N`` is a
    power of two; :func:`pad_to_power_of_two` makes it one.

    Args:
        images: real matrices; a row index is the basis state of the row.
        mode: how they become Hermitian.

    Raises:
        UnknownName: no such mode.
        TypeError: images are not real floating point.
        ValueError: they are not square, their side is no power of two or needs more than 12 qubits, or a pixel is NaN
            or infinite.

    Source: Wang et al. (2024), arXiv 2407.14055; the modes other than ``"symmetric"`` are ours.
    """
    if mode not in get_args(ImageEmbedding):
        raise UnknownName("embedding of images", str(mode), get_args(ImageEmbedding))
    _check(images, n_more=mode == "block")
    if mode == "block":
        empty = torch.zeros_like(images)
        return torch.cat((torch.cat((empty, images), -1), torch.cat((images.mT, empty), -1)), -2)
    symmetric = (images + images.mT) / 2
    return symmetric if mode == "symmetric" else torch.complex(symmetric, (images - images.mT) / 2)


def pad_to_power_of_two(images: Tensor) -> Tensor:
    """Images in the middle of a black (zero) square whose side is the next power of two; the odd line goes last.

    Shape: ``(*, height, width) -> (*, N, N)``.

    Raises:
        ValueError: there are not two dimensions, or no pixels.
    """
    if images.ndim < 2 or not images.shape[-1] or not images.shape[-2]:
        raise ValueError(
            f"pad_to_power_of_two: `images` must be (*, height, width) with pixels, got shape {tuple(images.shape)}."
        )
    side = 2 ** (max(images.shape[-2:]) - 1).bit_length()
    down, right = (side - size for size in images.shape[-2:])
    return F.pad(images, (right // 2, right - right // 2, down // 2, down - down // 2))


def _check(images: Tensor, n_more: int) -> None:
    if not images.is_floating_point():
        raise TypeError(
            f"image_hamiltonian: images must be real floating point, got dtype={images.dtype}. Scale them to [0, 1]."
        )
    if images.ndim < 2 or images.shape[-1] != images.shape[-2]:
        raise ValueError(
            f"image_hamiltonian: images must be square, got shape {tuple(images.shape)}. pad_to_power_of_two puts them "
            "into a black square."
        )
    side = images.shape[-1]
    n_qubits = (side - 1).bit_length() + n_more
    if side < 2 or side & (side - 1):
        raise ValueError(
            f"image_hamiltonian: the side of an image must be a power of two from 2 on, got {side}. "
            "pad_to_power_of_two adds black pixels on all sides."
        )
    if n_qubits > MOST_QUBITS:
        raise ValueError(
            f"image_hamiltonian: at most {MOST_QUBITS} qubits, got images of side {side}, which take {n_qubits}. "
            "Make them smaller."
        )
    # a sum is the cheapest pass that NaN and infinity can't hide from; it may overflow by itself
    if not images.sum().isfinite() and not images.isfinite().all():
        raise ValueError(
            f"image_hamiltonian: pixels must be finite, got {int((~images.isfinite()).sum())} that are not."
        )
