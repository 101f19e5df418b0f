"""Confidence intervals over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Args:
        mean: sample mean.
        low: lower end; minus infinity if there is one value only.
        high: upper end; plus infinity if there is one value only.
        n: number of values.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def spans_zero(self) -> bool:
        """Whether zero lies in it, so that the mean can't be told from nothing."""
        return self.low <= 0 <= self.high


def mean_interval(values: np.ndarray, level: float = 0.95) -> Interval:
    """Student's t interval of a mean.

    Give it *paired* differences to compare two arms: seeds share data order and host initialisation, so the pairing
    removes what they have in common.

    Args:
        values: shape ``(n,)``, one value a seed.
        level: confidence level in (0, 1).

    Raises:
        ValueError: no values, values that are not finite, or a level outside (0, 1).
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"mean_interval: `values` must be a non-empty vector of finite numbers, got {values!r}.")
    if not 0 < level < 1:
        raise ValueError(f"mean_interval: `level` must lie in (0, 1), got {level}.")
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Interval(mean, -np.inf, np.inf, 1)
    half = float(special.stdtrit(n - 1, 0.5 + level / 2) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)
