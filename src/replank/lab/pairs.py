"""Two arms compared seed by seed: trials of one seed share data order and starting values, so that they are pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from replank.measure.statistics import Interval, mean_interval


def values_by_seed(table: pd.DataFrame, arm: str, metric: str) -> pd.Series[float]:
    """The finite values of one arm's metric, by seed; trials that failed have none.

    Args:
        table: one row a trial, of one slice.
        arm: whose trials.
        metric: a column, or the name of one that no trial has.
    """
    if metric not in table:
        return pd.Series(dtype=float)
    rows = table[(table["arm"] == arm) & (table["status"] == "done")]
    values = rows.set_index("seed")[metric].astype(float).sort_index()
    return values[np.isfinite(values)]


def paired_difference(values: pd.Series[float], minus: pd.Series[float], level: float = 0.95) -> Interval | None:
    """The mean of ``values - minus`` over the seeds that both have, with its interval; nothing if they share none.

    Args:
        values: of one arm, by seed.
        minus: of the other arm, by seed.
        level: confidence level in (0, 1).
    """
    differences = (values - minus).dropna()
    return mean_interval(differences.to_numpy(), level) if len(differences) else None


def paired_p_value(values: pd.Series[float], minus: pd.Series[float]) -> float | None:
    """Two-sided p-value of Student's paired t test that there is no difference; nothing for fewer than two pairs.

    Args:
        values: of one arm, by seed.
        minus: of the other arm, by seed.
    """
    differences = (values - minus).dropna().to_numpy()
    if len(differences) < 2:
        return None
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    if error == 0:
        return 1.0 if differences.mean() == 0 else 0.0
    return float(2 * special.stdtr(len(differences) - 1, -abs(differences.mean() / error)))
