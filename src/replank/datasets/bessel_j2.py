"""bessel_j2: a Bessel function of the first kind, as the code of quantum recurrent networks samples it."""

from __future__ import annotations

import numpy as np
from scipy.special import jv

from replank.datasets._card import Card
from replank.datasets._series import Computed, Values


def bessel_series(order: int = 2, start: float = 2.0, stop: float = 100.0, n_points: int = 1000) -> Values:
    """The Bessel function ``J_order`` at equally spaced points, both ends among them.

    Source: ``FederatedQLSTM`` by the author of [chen2024fastweights], whose range is the default.

    Raises:
        ValueError: fewer than two points, or an empty range.
    """
    if n_points < 2 or not stop > start:
        raise ValueError(
            f"bessel_series: there must be two points in a range, got n_points={n_points}, start={start}, stop={stop}."
        )
    return np.asarray(jv(order, np.linspace(start, stop, n_points)))


SET = Computed(
    Card(
        name="bessel_j2",
        title="Bessel function J2 on [2, 100] (1,000 points)",
        about="a Bessel function",
        licence="none needed",
        source="computed by scipy.special.jv",
        citation="Chen, Yoo, Fang, Quantum Long Short-Term Memory, arXiv 2009.01783 (its code; the papers' own range "
        "was not checked)",
        split="up to each study",
    ),
    bessel_series,
)
