"""The one vector that a generator leaves as it is."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

_SINGULAR = 1e-12


def null_vector(generator: sparse.csr_array, total: np.ndarray, asker: str) -> np.ndarray:
    """The v with ``generator @ v = 0`` and ``total @ v = 1``.

    Args:
        generator: whose rows are dependent through ``total``: one of them makes room for it.
        total: a row with no zero where the replaced one is, the first.
        asker: named in messages.

    Raises:
        ValueError: there is not exactly one.
    """
    system, right = generator.tolil(), np.zeros(len(total), dtype=generator.dtype)
    system[0], right[0] = total, 1
    several = ValueError(f"{asker}: there must be one steady state, got several. Let every site decay.")
    try:
        factors = linalg.splu(system.tocsc())
    except RuntimeError:  # a pivot is exactly zero
        raise several from None
    pivots = np.abs(factors.U.diagonal())
    if pivots.min() < _SINGULAR * pivots.max():
        raise several
    return np.asarray(factors.solve(right))
