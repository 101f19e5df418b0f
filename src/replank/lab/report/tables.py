"""Tables of records and verdicts: as data frames, and as text for a terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from replank.lab.claim import Judgement
from replank.lab.pairs import paired_difference, values_by_seed
from replank.lab.report.wording import MISSING, metric, number
from replank.measure.statistics import Interval, mean_interval

_NOT_METRICS = {
    "study", "scale", "protocol", "dataset", "arm", "seed", "settings", "data_sha256", "code", "threads", "device",
    "digest", "data_differ", "status", "error", "traceback", "wall_s", "cpu_s", "started",
}  # fmt: skip

SYMBOLS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "≈", "not tested": "○"}
"""A sign for each verdict, so that colour is never the only one to tell."""

_COLOURS = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "not tested": "dim"}


@dataclass(frozen=True)
class Slice:
    """Names of records that can be compared with each other."""

    scale: str
    protocol: str
    dataset: str


def slices(table: pd.DataFrame) -> list[tuple[Slice, pd.DataFrame]]:
    """A table of trials cut into its slices, in the order of their first rows."""
    if table.empty:
        return []
    groups = table.groupby(["scale", "protocol", "dataset"], sort=False)
    return [(Slice(*map(str, names)), rows) for names, rows in groups]


def metric_names(table: pd.DataFrame) -> list[str]:
    """The columns of a table of trials that hold metrics."""
    return [name for name in map(str, table) if name not in _NOT_METRICS and pd.api.types.is_numeric_dtype(table[name])]


def arms_table(table: pd.DataFrame, *, baseline: str, metric: str) -> pd.DataFrame:
    """One row an arm, for one slice.

    Args:
        table: one row a trial.
        baseline: the arm that the others are compared with.
        metric: the headline metric.

    Returns:
        Columns ``arm``; ``seeds`` and ``failed``, numbers of trials; ``mean``, ``low``, ``high`` of the headline metric
        over seeds; ``difference``, ``difference_low``, ``difference_high`` to the baseline, paired by seed; and the
        mean of every metric under its own name. Intervals are Student's at 95 %; what can't be said is NaN.
    """
    done = table[table["status"] == "done"]
    names = metric_names(table)
    reference = values_by_seed(table, baseline, metric)
    rows = []
    for arm, trials in table.groupby("arm", sort=False):
        values = values_by_seed(table, str(arm), metric)
        level = mean_interval(values.to_numpy()) if len(values) else None
        gain = paired_difference(values, reference) if arm != baseline else None
        rows.append(
            {"arm": str(arm), "seeds": int(trials["status"].eq("done").sum())}
            | {"failed": int(trials["status"].eq("failed").sum())}
            | _interval_columns(level, "mean", "low", "high")
            | _interval_columns(gain, "difference", "difference_low", "difference_high")
            | done.loc[done["arm"] == arm, names].mean().to_dict()
        )
    return pd.DataFrame(rows)


def arms_text(summary: pd.DataFrame, metric_name: str, failures: Mapping[str, str] | None = None) -> str:
    """The table of arms for a terminal, with what failed below it.

    Args:
        summary: from :func:`arms_table`.
        metric_name: the headline metric.
        failures: error by trial.
    """
    lines = [f"failed: {trial}: {error}" for trial, error in (failures or {}).items()]
    return "\n".join([as_text(arms_grid(summary, metric_name)), *lines])


def arms_grid(summary: pd.DataFrame, metric_name: str) -> Table:
    """The table of arms, for a rich console; the arguments are those of :func:`arms_text`."""
    lead = metric(metric_name)
    more = [metric(name) for name in ("parameters", "train_wall_s_per_epoch") if name in summary]
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", caption="± is the 95 % interval over seeds")
    table.add_column("arm", no_wrap=True)
    for heading in (lead.label, "difference", *(each.label for each in more)):
        table.add_column(heading, justify="right")
    for row in summary.to_dict("records"):
        table.add_row(
            Text(row["arm"]),
            f"{lead.show(row['mean'])}{lead.show_half(row['low'], row['high'])}",
            f"{lead.show_signed(row['difference'])}{lead.show_half(row['difference_low'], row['difference_high'])}",
            *(each.show(row[each.name]) for each in more),
        )
    return table


def verdict_table(judgements: Sequence[Judgement]) -> Table:
    """The verdicts with their reasons, for a terminal."""
    table = Table(box=None, padding=(0, 2, 1, 0), header_style="bold")
    for heading in ("claim", "verdict", "here"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what decides", ratio=1)
    several = len(places(judgements)) > 1
    for each in judgements:
        status = each.verdict.status
        where = f" ({each.protocol}, {each.dataset})" if several else ""
        table.add_row(
            Text(each.claim.id),
            Text(f"{SYMBOLS[status]} {status}", style=_COLOURS[status]),
            number(each.verdict.measured),
            Text.assemble(f"{each.claim.statement}{where}\n", (each.verdict.reason, "dim")),
        )
    return table


def places(judgements: Sequence[Judgement]) -> set[tuple[str, str]]:
    """The protocols and data sets on which claims were judged; those that could not be tested have none."""
    return {(each.protocol, each.dataset) for each in judgements if each.dataset != MISSING}


def as_text(table: Table, width: int = 160) -> str:
    """A table as plain lines, without colours or trailing blanks."""
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())


def _interval_columns(interval: Interval | None, *names: str) -> dict[str, float]:
    ends = (np.nan, np.nan, np.nan) if interval is None else (interval.mean, interval.low, interval.high)
    return dict(zip(names, ends, strict=True))
