"""Plain data on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replank.lab.report.overview import Row
from replank.lab.report.tables import arms_grid, arms_table, slices, verdict_table
from replank.lab.report.wording import MISSING, duration, metric
from replank.lab.run import Run


def print_rows(console: Console, rows: Sequence[Mapping[str, Any]], *, wide: str | None = None) -> None:
    """Rows as a table, a column for each key of the first one.

    Args:
        console: where to.
        rows: of equal keys.
        wide: the column that takes the space that is left.
    """
    if not rows:
        console.print("none")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in rows[0]:
        figures = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(
            name.replace("_", " "), justify="right" if figures else "left", ratio=1 if name == wide else None,
            no_wrap=name == next(iter(rows[0])), overflow="fold",
        )  # fmt: skip
    for row in rows:
        table.add_row(*(Text(_cell(name, value)) for name, value in row.items()))
    console.print(table)


def print_studies(console: Console, rows: Sequence[Row]) -> None:
    """The studies with what they take, and those that can't be imported."""
    shown = [
        {name: row[name] for name in ("study", "title", "arms", "claims", "minutes")}
        for row in rows
        if not row["error"]
    ]
    print_rows(console, shown, wide="title")
    for row in rows:
        if row["error"]:
            console.print(Text(f"{row['study']} can't be imported: {row['error']}", style="red"), soft_wrap=True)


def print_study(console: Console, overview: Row) -> None:
    """What a study asks, swaps, claims and needs."""
    console.print(Text(overview["title"], style="bold"))
    console.print(Text(f"{overview['paper']['text']}  {overview['paper']['url'] or ''}\n", style="dim"))
    console.print(Text(f"{overview['question']}\n"))
    contrast = overview["contrast"]
    if contrast:
        rivals = ", ".join(contrast["same_size"])
        console.print(Text(f"{contrast['says']} ({contrast['arm']} against its size in {rivals})\n"))
    seeds, minutes = overview["seeds"], duration(overview["minutes"] * 60)
    more = "".join(f" ({arms}: {n})" for arms, n in overview["more_seeds"].items())
    console.print(Text(f"scale {overview['scale']}: {seeds} seeds{more}, about {minutes} on two cores\n"))
    protocols = [{"protocol": name, "about": about} for name, about in overview["protocols"].items()]
    data = [
        {"data": row["name"], "found": "yes" if row["found"] else "no: " + _missing(row), "title": row["title"]}
        for row in overview["data"]
    ]
    claims = [
        {"claim": each["id"], "statement": f"{each['statement']}\npaper: {each['reported']}\n{each['source']}\n"}
        for each in overview["claims"]
    ]
    for heading, rows, wide in (
        ("What is swapped", overview["ladder"], None),
        ("Arms", overview["arms"], "about"),
        ("Protocols", protocols, "about"),
        ("Data", data, "title"),
        ("Claims", claims, "statement"),
    ):
        if rows:
            console.print(Text(heading, style="bold"))
            with console.capture() as captured:
                print_rows(console, rows, wide=wide)
            console.print(Padding(Text.from_ansi(captured.get()), (0, 0, 1, 2)))


def print_data(console: Console, rows: Sequence[Row]) -> None:
    """Which data sets are there, and what is missing of the others."""
    shown = [
        {"name": row["name"], "found": row["found"], "title": row["title"] if row["found"] else _missing(row)}
        for row in rows
    ]
    print_rows(console, shown, wide="title")


def print_run(console: Console, ran: Run, page: Path | None) -> None:
    """Arms and verdicts of a run, and where its report lies."""
    study, table = ran.study, ran.records.table
    for place, trials in slices(table):
        console.print(Text(f"{study.slug}, {place.protocol}, {place.dataset}", style="bold"))
        baseline = study.baseline_under(place.scale, place.protocol)
        headline = study.headline_under(place.scale, place.protocol)
        summary = arms_table(trials, baseline=baseline, metric=headline)
        failed = trials[trials["status"] == "failed"]
        failures = {f"{row.arm} seed {row.seed}": str(row.error) for row in failed.itertuples()}
        console.print(arms_grid(summary, headline))
        for trial, error in failures.items():
            console.print(Text(f"failed: {trial}: {error}", style="red"))
        console.print()
    console.print(verdict_table(ran.judgements))
    counts = f"{ran.done} trials run, {ran.reused} already in the ledger, {ran.failed} failed, {duration(ran.seconds)}"
    console.print(Text(counts), soft_wrap=True)
    if page:
        console.print(Text(f"report: {page}"), soft_wrap=True)


def print_facts(console: Console, facts: Mapping[str, Any], indent: int = 0) -> None:
    """Nested facts, one a line."""
    for name, value in facts.items():
        label = " " * indent + name
        if isinstance(value, Mapping) and value:
            console.print(Text(label, style="bold" if not indent else ""))
            print_facts(console, value, indent + 2)
        elif value not in (None, {}, [], ""):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            console.print(Text(f"{label}: {shown}"), soft_wrap=True)


def _missing(row: Row) -> str:
    return ", ".join(f"{file['name']} {file['state']}" for file in row["files"] if file["state"] != "ok")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return metric(name).show(value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key} {inner:g}" if isinstance(inner, float) else f"{key} {inner}" for key, inner in value.items()
        )
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
