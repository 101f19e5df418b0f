"""What each factor of a factorial experiment does by itself, over runs that are paired by seed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from replank.seeding import numpy_stream


def factor_effects(
    table: pd.DataFrame,
    factors: Mapping[str, Sequence[object]],
    metric: str,
    *,
    pair: str = "seed",
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Change of a metric when one factor changes and all others stay, with bootstrap intervals.

    For each factor and each of its levels but the first, every run at that level is paired with the run at the first
    level that has the same other factors and the same seed. The effect is the mean of these differences. In a full grid
    these are the main effects; an interval that is wide for many pairs is a sign that the factor's effect depends on
    the others. Intervals are BCa bootstrap ones over the pairs (Efron 1987), by :func:`scipy.stats.bootstrap`; with
    fewer than about ten pairs they are too narrow.

    Args:
        table: one row a run, with columns for the factors, the pairing and the metric; rows without a finite value are
            left out.
        factors: for each factor, a column, its levels; the first is the reference. Other levels are left out.
        metric: what is measured.
        pair: the column that pairs runs.
        level: confidence level in (0, 1).
        seed: of the resampling.

    Returns:
        Columns ``factor``, ``level``, ``reference``, ``effect``, ``low``, ``high``, ``pairs``; with a single pair or
        none the ends are infinite, with none the effect is NaN.

    Raises:
        ValueError: a column is missing, a factor has fewer than two levels, or two runs have the same place in the
            grid.
    """
    _check(table, factors, metric, pair, level)
    rows = table[np.isfinite(table[metric].astype(float))]
    for name, levels in factors.items():
        rows = rows[rows[name].isin(list(levels))]
    if rows.duplicated([*factors, pair]).any():
        twice = rows.loc[rows.duplicated([*factors, pair]), [*factors, pair]].iloc[0].to_dict()
        raise ValueError(f"factor_effects: a place in the grid must hold one run, got two at {twice}.")
    found = []
    for name, (reference, *others) in factors.items():
        context = [*(other for other in factors if other != name), pair]
        values = rows.pivot(index=context, columns=name, values=metric).reindex(columns=[reference, *others])
        for each in others:
            differences = (values[each] - values[reference]).dropna().to_numpy(float)
            low, high = _interval(differences, level, seed)
            effect = float(differences.mean()) if len(differences) else np.nan
            found.append((name, each, reference, effect, low, high, len(differences)))
    return pd.DataFrame(found, columns=["factor", "level", "reference", "effect", "low", "high", "pairs"])


def _interval(differences: np.ndarray, level: float, seed: int) -> tuple[float, float]:
    if len(differences) < 2:
        return -np.inf, np.inf
    if np.ptp(differences) == 0:  # nothing varies: any resample has the same mean
        return float(differences[0]), float(differences[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few pairs some jackknife means may coincide
        ends = stats.bootstrap(
            (differences,), np.mean, confidence_level=level, rng=numpy_stream(seed, "bootstrap"), method="BCa"
        ).confidence_interval
    return float(ends.low), float(ends.high)


def _check(table: pd.DataFrame, factors: Mapping[str, Sequence[object]], metric: str, pair: str, level: float) -> None:
    missing = [name for name in (*factors, pair, metric) if name not in table]
    if missing:
        raise ValueError(f"factor_effects: the table must have all columns, got none named {', '.join(missing)}.")
    if not factors or any(len(set(levels)) < 2 or len(set(levels)) < len(levels) for levels in factors.values()):
        raise ValueError(
            f"factor_effects: `factors` must name at least two different levels of each, got {dict(factors)}."
        )
    if not 0 < level < 1:
        raise ValueError(f"factor_effects: `level` must lie in (0, 1), got level={level}.")
