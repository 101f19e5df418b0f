"""All probabilities as one vector: exact references for what densities are trained to, on a few sites."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from replank.open_systems._null_vector import null_vector

Scheme = Literal["trapezoid", "euler"]
"""``"trapezoid"``: (1 - tau L) p' = (1 + tau L) p, second order. ``"euler"``: p' = (1 + 2 tau L) p, first order."""


def vector_steps(
    generator: sparse.csr_array, p: np.ndarray, tau: float, n_steps: int, scheme: Scheme = "trapezoid"
) -> np.ndarray:
    """Probabilities after 0, 1, ... steps, each of which advances time by ``2 tau``: ``(n_steps + 1, K^N)``.

    Args:
        generator: L, ``(K^N, K^N)``.
        p: at the start.
        tau: half of the time of a step.
        n_steps: number of steps.
        scheme: how a step is made.

    Raises:
        ValueError: ``tau`` is not positive.
    """
    check_tau(tau)
    one = sparse.eye_array(len(p), format="csr")
    if scheme == "trapezoid":
        solve, forward = linalg.splu((one - tau * generator).tocsc()).solve, one + tau * generator
    else:
        solve, forward = np.asarray, one + 2 * tau * generator
    found = [p]
    for _ in range(n_steps):
        found.append(solve(forward @ found[-1]))
    return np.stack(found)


def vector_evolution(generator: sparse.csr_array, p: np.ndarray, times: np.ndarray) -> np.ndarray:
    """``exp(L t) p`` at equally spaced times, ``(len(times), K^N)``."""
    if len(times) == 1:
        return linalg.expm_multiply(generator * times[0], p)[None]
    return linalg.expm_multiply(generator, p, start=times[0], stop=times[-1], num=len(times), endpoint=True)


def vector_steady_state(generator: sparse.csr_array) -> np.ndarray:
    """The p with ``L p = 0`` and sum 1.

    Raises:
        ValueError: there is not exactly one, as always with an overcomplete measurement.
    """
    return null_vector(generator, np.ones(generator.shape[1]), "vector_steady_state")


def check_tau(tau: float) -> None:
    """Refuse steps that do not go forwards.

    Raises:
        ValueError: ``tau`` is not positive and finite.
    """
    if not 0 < tau < np.inf:
        raise ValueError(f"steps: `tau` must be positive and finite, got tau={tau}.")
