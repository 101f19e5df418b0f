"""A claim is a statement of a paper with a rule that says, from records alone, whether it held here.

A rule is a pure function from a table to a :class:`Verdict`. The table has one row a trial (columns ``arm``, ``seed``,
``status``, ``error`` and one for each metric) and holds one *slice*: one scale, protocol and data set. Margins are
written in the rule, before any run. Statistics are paired over seeds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from replank.lab.pairs import paired_difference
from replank.measure.statistics import Interval, mean_interval
from replank.sources import Source

Status = Literal["reproduced", "not reproduced", "inconclusive", "not tested"]


@dataclass(frozen=True)
class Verdict:
    """The answer of a rule.

    Args:
        status: what came out.
        reason: one sentence with the numbers that decide.
        measured: our number, where there is one.
        interval: its confidence interval.
    """

    status: Status
    reason: str
    measured: float | None = None
    interval: tuple[float, float] | None = None


Rule = Callable[[pd.DataFrame], Verdict]


@dataclass(frozen=True)
class Claim:
    """A statement of a paper and how it is judged.

    Args:
        id: short identifier, e.g. ``"C7"``.
        statement: the claim in one sentence.
        reported: the published number or numbers, as text.
        source: where it stands and how we know.
        rules: rule for each protocol that can test it.
        counterexample: a small table on which every rule must answer ``not reproduced``.
        datasets: data sets the statement is about; empty means any.
        stand_ins: data sets on which the direction may be tested, and the verdict says so.
    """

    id: str
    statement: str
    reported: str
    source: Source
    rules: Mapping[str, Rule]
    counterexample: pd.DataFrame
    datasets: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    def covers(self, dataset: str) -> bool:
        """Whether the claim can be judged on that data set."""
        return not self.datasets or dataset in self.datasets + self.stand_ins


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict on one slice of the records."""

    claim: Claim
    scale: str
    protocol: str
    dataset: str
    verdict: Verdict


def judge(claims: Iterable[Claim], table: pd.DataFrame) -> list[Judgement]:
    """Judge every claim on every slice that can test it; if none can, the claim is ``not tested``, and says why.

    Args:
        claims: what to judge.
        table: records of one study: columns ``scale``, ``protocol``, ``dataset``, ``arm``, ``seed``, ``status``,
            ``error`` and one for each metric; with a column ``data_differ``, verdicts say so.
    """
    slices = _slices(table)
    judgements = []
    for claim in claims:
        found = [
            Judgement(claim, scale, protocol, dataset, _judge_slice(claim, protocol, dataset, rows))
            for (scale, protocol, dataset), rows in slices
            if protocol in claim.rules and claim.covers(dataset)
        ]
        judgements += found or [Judgement(claim, "–", "–", "–", _untestable(claim, slices))]
    return judgements


_Slices = list[tuple[tuple[str, str, str], pd.DataFrame]]


def _slices(table: pd.DataFrame) -> _Slices:
    """The rows of each (scale, protocol, dataset), in order of appearance."""
    if table.empty:
        return []
    groups = table.groupby(["scale", "protocol", "dataset"], sort=False)
    return [((str(scale), str(protocol), str(dataset)), rows) for (scale, protocol, dataset), rows in groups]


def _judge_slice(claim: Claim, protocol: str, dataset: str, rows: pd.DataFrame) -> Verdict:
    verdict = claim.rules[protocol](rows)
    if claim.datasets and dataset not in claim.datasets:
        return replace(verdict, reason=f"{verdict.reason} Data: {dataset}, not {' or '.join(claim.datasets)}.")
    differ = rows["data_differ"].iloc[0] if "data_differ" in rows else ""
    if claim.datasets and differ:
        return replace(verdict, reason=f"{verdict.reason} These data differ from the official ones: {differ}.")
    return verdict


def _untestable(claim: Claim, slices: _Slices) -> Verdict:
    if not slices:
        return Verdict("not tested", "No trial has been run.")
    have = sorted({dataset for (_, _, dataset), _ in slices})
    if not any(claim.covers(dataset) for dataset in have):
        wanted = " or ".join(claim.datasets)
        return Verdict("not tested", f"Needs {wanted}; these records are of {', '.join(have)}.")
    return Verdict("not tested", f"Needs protocol {' or '.join(claim.rules)}, which has not been run.")


# -- rules ---------------------------------------------------------------------------------------------------------


class Missing(Exception):
    """A rule lacks trials: carries the reason. The verdict is then ``not tested``."""


def values_of(table: pd.DataFrame, arm: str, metric: str) -> pd.Series[float]:
    """The values of one arm's metric, by seed.

    Raises:
        Missing: the arm has not been run, one of its trials failed, or one lacks the metric.
    """
    rows = table[table["arm"] == arm]
    failed = rows[rows["status"] == "failed"]
    if len(failed):
        first = failed.iloc[0]
        raise Missing(
            f"{len(failed)} of {len(rows)} trials of arm {arm} failed (seed {first['seed']}: {first['error']})."
        )
    if rows.empty:
        raise Missing(f"Arm {arm} has not been run.")
    if metric not in rows or rows[metric].isna().any():
        raise Missing(f"Arm {arm} has no {metric}.")
    return rows.set_index("seed")[metric].astype(float).sort_index()


def _rule(function: Rule) -> Rule:
    """Turn missing trials into ``not tested``."""

    def guarded(table: pd.DataFrame) -> Verdict:
        try:
            return function(table)
        except Missing as missing:
            return Verdict("not tested", str(missing))

    return guarded


def _decide(interval: Interval, low: float, high: float, what: str, law: str) -> Verdict:
    """Where the whole interval lies: inside ``[low, high]``, outside, or across a bound.

    A single bound must be passed: what only reaches it, as ties do, is outside.
    """
    if interval.n < 2:
        status: Status = "inconclusive"
        shown = f"{what} is {interval.mean:+.4g} with a single seed: no interval"
    else:
        passes = operator.lt if np.isinf(low) or np.isinf(high) else operator.le
        inside = passes(low, interval.low) and passes(interval.high, high)
        outside = not passes(low, interval.high) or not passes(interval.low, high)
        status = "reproduced" if inside else "not reproduced" if outside else "inconclusive"
        shown = f"{what} is {interval.mean:+.4g} [{interval.low:+.4g}, {interval.high:+.4g}] over {interval.n} seeds"
    return Verdict(status, f"{shown}; the claim needs {law}.", interval.mean, (interval.low, interval.high))


def _law(low: float, high: float) -> str:
    if np.isinf(high):
        return f"more than {low:.4g}"
    return f"less than {high:.4g}" if np.isinf(low) else f"between {low:.4g} and {high:.4g}"


def difference(
    metric: str, arm: str, *, minus: str, above: float = -np.inf, below: float = np.inf, level: float = 0.95
) -> Rule:
    """The paired difference of two arms lies between two bounds, with its whole confidence interval.

    An interval that reaches over a bound is ``inconclusive``.
    """

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        interval = paired_difference(values_of(table, arm, metric), values_of(table, minus, metric), level)
        if interval is None:
            raise Missing(f"Arms {arm} and {minus} share no seed.")
        return _decide(interval, above, below, f"{metric} of {arm} minus {minus}", _law(above, below))

    return rule


def mean_within(metric: str, arm: str, *, above: float = -np.inf, below: float = np.inf, level: float = 0.95) -> Rule:
    """The mean over seeds lies between two bounds, with its whole confidence interval."""

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        interval = mean_interval(values_of(table, arm, metric).to_numpy(), level)
        return _decide(interval, above, below, f"{metric} of {arm}", _law(above, below))

    return rule


def mean_of(
    what: str,
    per_seed: Callable[[pd.DataFrame], pd.Series[float]],
    *,
    above: float = -np.inf,
    below: float = np.inf,
    level: float = 0.95,
) -> Rule:
    """The mean over seeds of what is computed from several values lies between two bounds, with its whole interval.

    Args:
        what: the number's name, for the reason.
        per_seed: computes it from the table, by seed; raises :class:`Missing` if there is not enough to compute from.
        above: lower bound.
        below: upper bound.
        level: of confidence.
    """

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        values = per_seed(table)
        if values.empty:
            raise Missing(f"No seed has all that {what} is computed from.")
        return _decide(mean_interval(values.to_numpy(), level), above, below, what, _law(above, below))

    return rule


def spread(
    metric: str, arms: Sequence[str], *, above: float = -np.inf, below: float = np.inf, level: float = 0.95
) -> Rule:
    """The largest minus the smallest value among arms, taken seed by seed, lies between two bounds.

    It is never negative, and larger than that of the arms' means: chance alone spreads them.
    """

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        values = pd.concat([values_of(table, arm, metric) for arm in arms], axis=1, join="inner")
        if values.empty:
            raise Missing(f"Arms {', '.join(arms)} share no seed.")
        interval = mean_interval((values.max(axis=1) - values.min(axis=1)).to_numpy(), level)
        return _decide(interval, above, below, f"spread of {metric} over {', '.join(arms)}", _law(above, below))

    return rule


def ratio(
    metric: str, arm: str, *, over: str, above: float = -np.inf, below: float = np.inf, level: float = 0.95
) -> Rule:
    """The factor between two arms, paired over seeds, lies between two bounds with its whole confidence interval.

    It is the geometric mean, so that swapping the arms gives the inverse. For positive metrics, such as times.
    """

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        numerator, denominator = (values_of(table, each, metric) for each in (arm, over))
        if not (numerator.gt(0).all() and denominator.gt(0).all()):
            raise Missing(f"{metric} of {arm} and {over} must be positive for a ratio.")
        logs = paired_difference(numerator.map(np.log), denominator.map(np.log), level)
        if logs is None:
            raise Missing(f"Arms {arm} and {over} share no seed.")
        mean, low, high = (float(np.exp(end)) for end in (logs.mean, logs.low, logs.high))
        interval = Interval(mean, low, high, logs.n)
        return _decide(interval, above, below, f"{metric} of {arm} over {over}", _law(above, below))

    return rule


def every_seed(metric: str, arm: str, *, at_least: float = -np.inf, at_most: float = np.inf) -> Rule:
    """A hard inequality: it holds for each seed, or the claim is not reproduced. For laws, not for tendencies."""

    @_rule
    def rule(table: pd.DataFrame) -> Verdict:
        values = values_of(table, arm, metric)
        holds = bool(values.between(at_least, at_most).all())
        worst = float(values.min() if np.isfinite(at_least) else values.max())
        law = f"at least {at_least:.6g}" if np.isfinite(at_least) else f"at most {at_most:.6g}"
        span = (float(values.min()), float(values.max()))
        return Verdict(
            "reproduced" if holds else "not reproduced",
            f"{metric} of {arm} spans {span[0]:.6g} to {span[1]:.6g} over {len(values)} seeds; the law is {law}.",
            worst,
            span,
        )

    return rule


def all_of(*rules: Rule) -> Rule:
    """Every rule holds: the worst verdict counts, and the reasons are joined."""
    severity: dict[Status, int] = {"not reproduced": 0, "not tested": 1, "inconclusive": 2, "reproduced": 3}

    def rule(table: pd.DataFrame) -> Verdict:
        verdicts = [each(table) for each in rules]
        worst = min(verdicts, key=lambda verdict: severity[verdict.status])
        return replace(worst, reason=" ".join(verdict.reason for verdict in verdicts))

    return rule


def with_note(rule: Rule, note: str) -> Rule:
    """The same rule, whose reason ends with a note on what it can't show."""

    def noted(table: pd.DataFrame) -> Verdict:
        verdict = rule(table)
        return verdict if verdict.status == "not tested" else replace(verdict, reason=f"{verdict.reason} {note}")

    return noted


def table_of(**arms: Mapping[str, Iterable[float]]) -> pd.DataFrame:
    """A small table for counterexamples: ``table_of(dense={"test_accuracy": [0.9, 0.91]})``; ``_`` reads as ``-``."""
    rows: list[dict[str, object]] = []
    for arm, metrics in arms.items():
        columns = {name: list(values) for name, values in metrics.items()}
        for seed in range(len(next(iter(columns.values())))):
            row: dict[str, object] = {"arm": arm.replace("_", "-"), "seed": seed, "status": "done", "error": None}
            rows.append(row | {name: values[seed] for name, values in columns.items()})
    return pd.DataFrame(rows)
