"""Several arms as one, so that a rule can speak of the quantum reservoirs and not of one cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from replank.lab.claim import Rule, every_seed, mean_within, ratio

Arms = Sequence[str]
Reduce = Callable[[np.ndarray], np.ndarray]
"""From values ``(seeds, arms)`` to a number for each seed."""


def ratio_of_means(metric: str, arms: Arms, *, over: Arms, below: float) -> Rule:
    """The geometric mean of a positive metric over some arms, over that of others: less than a bound, over seeds."""
    compared = ratio(metric, _joined(arms), over=_joined(over), below=below)

    def both(table: pd.DataFrame) -> pd.DataFrame:
        groups = [_as_one(table, metric, group, _joined(group), metric, _geometric_means) for group in (arms, over)]
        filled = [rows for rows in groups if len(rows)]
        return pd.concat(filled, ignore_index=True) if filled else groups[0]

    return lambda table: compared(both(table))


def share_of_wins(metric: str, arms: Arms, *, against: Arms, above: float = 0.5) -> Rule:
    """Of pairs, one for each arm and seed, more than a share have the smaller value on the arms' side.

    Equal ones count half. The interval is over seeds.
    """
    name = f"{_joined(arms)} against {_joined(against)}"
    won = mean_within("share_of_wins", name, above=above)
    return lambda table: won(_as_one(table, metric, (*arms, *against), name, "share_of_wins", _wins_of_first_half))


def law_for(metric: str, arms: Arms, name: str, *, at_least: float = -np.inf, at_most: float = np.inf) -> Rule:
    """A hard inequality that holds for each of several arms and each seed, told of the nearest to its bound."""
    holds = every_seed(metric, name, at_least=at_least, at_most=at_most)
    reduce = partial(np.min if np.isfinite(at_least) else np.max, axis=1)
    return lambda table: holds(_as_one(table, metric, arms, name, metric, reduce))


def _as_one(table: pd.DataFrame, metric: str, arms: Arms, name: str, column: str, reduce: Reduce) -> pd.DataFrame:
    """One arm in the place of several: a row for each seed that all of them have, with one number made of theirs.

    If an arm has no trials, failed ones, or none with the metric, these are the rows: the rule says what is missing.
    """
    for arm in arms:
        own = table[table["arm"] == arm]
        if own.empty or own["status"].eq("failed").any() or metric not in own or own[metric].isna().any():
            return own.assign(arm=name)
    values = {arm: table[table["arm"] == arm].set_index("seed")[metric].astype(float) for arm in arms}
    known = pd.DataFrame(values)[list(arms)].dropna()
    made = {"status": "done", "error": None, column: reduce(known.to_numpy())}
    return pd.DataFrame({"arm": name, "seed": known.index, **made})


def _geometric_means(values: np.ndarray) -> np.ndarray:
    """0 where a value is not positive: of such there is no ratio, which the rule says."""
    positive = (values > 0).all(axis=1)
    return np.where(positive, np.exp(np.log(np.where(values > 0, values, 1.0)).mean(axis=1)), 0.0)


def _wins_of_first_half(values: np.ndarray) -> np.ndarray:
    ours, theirs = np.hsplit(values, 2)
    wins: np.ndarray = ((ours < theirs) + 0.5 * (ours == theirs)).mean(axis=1)
    return wins


def _joined(arms: Arms) -> str:
    return ", ".join(arms)
