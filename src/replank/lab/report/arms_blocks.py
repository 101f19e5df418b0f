"""What a page says about the arms of one slice of records: tables and pictures that studies and comparisons share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from replank.lab.records import Records
from replank.lab.report.figures import learning_curves, metric_against
from replank.lab.report.page import Block, Cell, Code, Column, Facts, Fold, Picture, Table, Text
from replank.lab.report.tables import arms_table, metric_names
from replank.lab.report.wording import Metric, metric
from replank.measure.flops import FLOP_COUNTER

_COSTS = (
    "parameters", "trainable_parameters", "forward_flops", "train_wall_s_per_epoch", "train_cpu_s_per_epoch",
    "train_samples_per_s", "peak_memory_mib",
)  # fmt: skip


def arms_blocks(
    records: Records, *, baseline: str, headline: str, about: Mapping[str, str], drawn: Mapping[str, Block]
) -> list[Block]:
    """Tables and pictures of one slice.

    Args:
        records: of one scale, protocol and data set.
        baseline: the arm that the others are compared with.
        headline: the metric that leads.
        about: a sentence for each arm.
        drawn: pictures by name that take the place of the standard ones of that name, a metric's or a curve's.
    """
    summary = arms_table(records.table, baseline=baseline, metric=headline)
    quality = [name for name in _quality_names(records.table, headline) if name in summary]
    costs = [name for name in _COSTS if name in summary and summary[name].notna().any()]
    rest = [name for name in metric_names(records.table) if name not in {headline, *quality, *costs}]
    blocks: list[Block] = [_quality_table(summary, baseline, headline, quality, about)]
    blocks += _pictures(records, headline, drawn)
    if costs:
        counter = f" FLOPs: {FLOP_COUNTER}." if "forward_flops" in costs else ""
        caption = (
            f"What each arm costs: means over seeds; times are of training alone, memory is of a trial alone.{counter}"
        )
        blocks.append(_means_table(summary, costs, caption))
    if rest:
        table = _means_table(summary, rest, "Means over seeds.")
        blocks.append(Fold(f"All other measurements ({len(rest)})", (table,)))
    return blocks


def failures_blocks(records: Records) -> list[Block]:
    """What failed, each with its traceback behind a line."""
    return [
        Fold(f"{each.key}: {each.error}", (Code(each.traceback or "The process died: there is no traceback."),))
        for each in records.records
        if each.status == "failed"
    ]


def environment_blocks(records: Records) -> list[Block]:
    """Where the trials ran; several environments one after the other."""
    facts: list[Block] = []
    for environment in records.environments:
        # what the data were is told where the question is
        each = Facts(_flat({name: value for name, value in environment.items() if name != "data"}))
        if each not in facts:
            facts.append(each)
    if len(facts) < 2:
        return facts or [Text("No trial has been run.")]
    note = Text(
        f"The trials ran in {len(facts)} environments; times are comparable within one of them only.", strong=True
    )
    return [note, *(Fold(f"Environment {number}", (block,)) for number, block in enumerate(facts, 1))]


def _quality_names(table: pd.DataFrame, headline: str) -> list[str]:
    """Metrics of the same kind as the headline's: its training twin, with what bounds it, and what that set has."""
    prefix, _, rest = headline.partition("_")
    names = metric_names(table)
    own = [f"train_{rest}", f"train_ceiling_{rest}", *(name for name in names if name.startswith(f"{prefix}_"))]
    return [name for name in dict.fromkeys(own) if name in names and name != headline][:6]


def _quality_table(
    summary: pd.DataFrame, baseline: str, headline: str, names: list[str], about: Mapping[str, str]
) -> Table:
    lead = metric(headline)

    def level(row: Mapping[str, Any]) -> Cell:
        return Cell(lead.show(row["mean"]), lead.show_interval(row["low"], row["high"]))

    def gain(row: Mapping[str, Any]) -> Cell:
        if row["arm"] == baseline:
            return Cell("baseline")
        interval = lead.show_interval(row["difference_low"], row["difference_high"], signed=True)
        return Cell(lead.show_signed(row["difference"]), interval)

    def trials(row: Mapping[str, Any]) -> Cell:
        return Cell(str(row["seeds"]), f"{row['failed']} failed" if row["failed"] else "")

    columns = (
        Column("arm", lambda row: Cell(row["arm"], about.get(row["arm"], "")), sort_by="arm", wide=True),
        Column(lead.label, level, sort_by="mean", number=True),
        Column("difference", gain, sort_by="difference", number=True),
        *(Column(metric(name).label, _shower(metric(name)), sort_by=name, number=True) for name in names),
        Column("seeds", trials, sort_by="seeds", number=True),
    )
    what = f"{lead.words.capitalize()} and its difference to {baseline}, paired by seed"
    return Table(summary, columns, f"{what}, each with its 95 % interval over seeds.")


def _means_table(summary: pd.DataFrame, names: list[str], caption: str) -> Table:
    arm = Column("arm", lambda row: str(row["arm"]), sort_by="arm")
    means = (Column(metric(name).label, _shower(metric(name)), sort_by=name, number=True) for name in names)
    return Table(summary, (arm, *means), caption)


def _shower(shown: Metric) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: shown.show(row[shown.name])


def _pictures(records: Records, headline: str, drawn: Mapping[str, Block]) -> list[Block]:
    done = records.table[records.table["status"] == "done"]
    lead = metric(headline)
    pictures: dict[str, Block] = {}
    for name in ("parameters", "train_wall_s_per_epoch"):
        if _has(done, name, headline):
            pictures[name] = Picture(
                metric_against(done, name, headline),
                "Means over seeds with their 95 % intervals.",
                f"{lead.words.capitalize()} against {metric(name).words}",
            )
    curves = records.curves
    for name in dict.fromkeys((headline, "train_loss")):
        if curves["name"].eq(name).any():
            pictures[name] = Picture(
                learning_curves(records, name),
                "One panel an arm: mean and range over seeds in colour, the first arm dashed, the others faint.",
                f"{metric(name).words.capitalize()} over training",
            )
    return list((pictures | dict(drawn)).values())


def _has(table: pd.DataFrame, *names: str) -> bool:
    return set(names) <= set(table.columns) and bool(table[list(names)].notna().all(axis=1).any())


def _flat(environment: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as one line each; what is empty is left out."""
    lines: dict[str, str] = {}
    for name, value in environment.items():
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            lines |= _flat(value, f"{prefix}{name} ")
        elif value not in ({}, [], None, ""):
            lines[f"{prefix}{name}"] = _line(value)
    return lines


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {_line(inner)}" for name, inner in value.items() if inner is not None
        )
    if isinstance(value, list):
        return "; ".join(map(_line, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
