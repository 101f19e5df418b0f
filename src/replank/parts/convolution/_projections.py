"""A given kernel as a product of small ones: in closed form where there is one, by alternating least squares else."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from replank.errors import MissingExtra


def two_way(kernel: Tensor, middle: int) -> list[Tensor]:
    """Kernels along one axis each, whose product is nearest to a given one; exact for two axes, else nearly so.

    For two axes this is the singular value decomposition of the ``(in * height) x (out * width)`` matrix: the squared
    error is the sum of the squared singular values that are left out. For three it is that of one matrix after the
    other, as of a tensor train, whose error is at most sqrt(2) times the least one.

    Args:
        kernel: ``(out, in, *window)``.
        middle: channels between.

    Returns:
        For each axis ``(channels after, channels before, window)``.
    """
    n_axes = kernel.ndim - 2
    # (in, k_1, ..., k_n, out), taken apart from the left
    rest = kernel.movedim(0, -1)
    factors = []
    for _ in range(n_axes - 1):
        before, window, *_ = rest.shape
        after = rest.shape[2:]
        left, values, right = torch.linalg.svd(rest.reshape(before * window, -1), full_matrices=False)
        kept = min(middle, len(values))
        root = values[:kept].sqrt()
        factor = left.new_zeros(middle, before, window)
        factor[:kept] = (left[:, :kept] * root).mT.reshape(kept, before, window)
        factors.append(factor)
        rest = left.new_zeros(middle, *after)
        rest[:kept] = (root[:, None] * right[:kept]).reshape(kept, *after)
    factors.append(rest.permute(2, 0, 1))
    return factors


def one_filter_each(kernel: Tensor, n_iterations: int, tolerance: float) -> list[Tensor]:
    """For each output channel the product of one-way filters that is nearest to its kernel.

    Args:
        kernel: ``(out, in, *window)``.
        n_iterations: at most so many, of alternating least squares.
        tolerance: end when the relative error changes by less.

    Returns:
        ``(out, in)``, and for each axis ``(out, window)``.
    """
    parts = [canonical(each, 1, n_iterations, tolerance) for each in kernel]
    return [torch.cat(factors, 1).mT for factors in zip(*parts, strict=True)]


def canonical(tensor: Tensor, rank: int, n_iterations: int, tolerance: float) -> list[Tensor]:
    """The factors of a canonical polyadic decomposition, of equal norms: ``sum_r a_r (x) b_r (x) ...``.

    Args:
        tensor: any number of modes.
        rank: number of terms.
        n_iterations: at most so many, of alternating least squares.
        tolerance: end when the relative error changes by less.

    Returns:
        For each mode ``(size, rank)``.

    Raises:
        MissingExtra: TensorLy is not installed.
    """
    tl, parafac = _tensorly()
    array = tl.tensor(tensor.detach().cpu().double().numpy())
    # fewer singular vectors than terms: the rest of an initial factor would be random; all of it is, from a fixed seed
    start = "svd" if rank <= min(tensor.shape) else "random"
    weights, factors = parafac(
        array, rank, init=start, n_iter_max=n_iterations, tol=tolerance, normalize_factors=True, random_state=0
    )
    # the scale of each term is shared out among its factors; its sign goes to the first
    share = abs(weights) ** (1 / tensor.ndim)
    scales = [np.copysign(share, weights), *[share] * (tensor.ndim - 1)]
    return [torch.from_numpy(factor * scale).to(tensor) for factor, scale in zip(factors, scales, strict=True)]


def _tensorly() -> tuple[Any, Any]:
    try:
        import tensorly
        from tensorly.decomposition import parafac
    except ImportError:
        raise MissingExtra("from_dense", "waves") from None
    return tensorly, parafac
