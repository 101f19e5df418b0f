"""Whether what a model is chosen on is also what it is tested on."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from replank.errors import DataError


def shared_samples(some: NDArray[np.generic], others: NDArray[np.generic]) -> int:
    """How many samples of the first set are in the second, byte by byte.

    Args:
        some: samples, shape ``(n, ...)``.
        others: samples of the same shape and dtype each.

    Raises:
        DataError: the samples can't be the same for their shape or dtype alone.
    """
    if some.shape[1:] != others.shape[1:] or some.dtype != others.dtype:
        raise DataError(
            f"shared_samples: both sets must hold samples of one shape and dtype, got {some.shape[1:]} {some.dtype} "
            f"and {others.shape[1:]} {others.dtype}. Compare them before they are changed."
        )
    known = set(map(_digest, others))
    return sum(_digest(each) in known for each in some)


def check_leakage(validation: NDArray[np.generic], test: NDArray[np.generic], *, allow_leakage: bool = False) -> int:
    """Refuse validation samples that are test samples as well: what is chosen on them is chosen on the test set.

    Args:
        validation: samples that a model or an epoch is chosen on, before any augmentation.
        test: samples that the result is reported on.
        allow_leakage: go on all the same; say so wherever the result is shown.

    Returns:
        How many validation samples are test samples.

    Raises:
        DataError: there are some, and they are not allowed.
    """
    shared = shared_samples(validation, test)
    if shared and not allow_leakage:
        raise DataError(
            f"check_leakage: validation and test samples must be different ones, got {shared:,} of {len(validation):,} "
            "validation samples that are test samples. Split the training set instead; or pass allow_leakage=True to "
            "rerun a published choice on the test set, which is then stamped on the report."
        )
    return shared


def _digest(sample: NDArray[np.generic]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(sample).data).digest()
