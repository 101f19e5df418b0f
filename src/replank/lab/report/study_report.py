"""The page of a study, written from its records."""

from __future__ import annotations

import fnmatch
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from replank import datasets
from replank._version import __version__
from replank.lab.claim import Judgement
from replank.lab.records import Records
from replank.lab.report.arms_blocks import arms_blocks, environment_blocks, failures_blocks
from replank.lab.report.contrast import contrast_blocks
from replank.lab.report.figures import ladder_drawing
from replank.lab.report.page import Block, Code, Facts, Page, Picture, Section, Text
from replank.lab.report.tables import Slice, slices
from replank.lab.report.verdicts import badges, verdicts_table
from replank.lab.report.wording import duration
from replank.lab.report.writing import write_page
from replank.lab.study import Figure, Protocol, Study
from replank.lab.trial import Record, canonical_settings


def study_page(study: Study, records: Records, judgements: Sequence[Judgement], *, scale: str) -> Page:
    """The report of one study at one scale.

    Args:
        study: what was asked.
        records: what trials left, of that scale alone.
        judgements: the verdicts on these records.
        scale: name of the scale.
    """
    records = in_order(study, records)
    parts = slices(records.table)
    sections = [Section("What was asked", tuple(_question(study, records, scale)))]
    if study.contrast is not None:
        sections.append(Section("What the swap contributes", tuple(contrast_blocks(study, records.table))))
    sections.append(Section("What came out", tuple(_outcome(study, judgements))))
    if study.ladder is not None:
        sections.append(Section("The ladder", tuple(_ladders(study, scale, parts))))
    sections.append(Section("Verdicts", (verdicts_table(judgements),)))
    for place, _ in parts:
        title = "Arms" if len(parts) == 1 else f"Arms: {place.protocol}, {place.dataset}"
        sections.append(Section(title, tuple(_arms(study, records, place))))
    failed = failures_blocks(records)
    if failed:
        sections.append(Section("Trials that failed", tuple(failed)))
    sections += [
        Section("Where it ran", tuple(environment_blocks(records))),
        Section("Run it again", (Code(rerun_command(study, records, scale)),)),
        Section("Cite", (Code(citation(study)),)),
    ]
    return Page(study.title, f"{study.paper}", tuple(sections))


def in_order(study: Study, records: Records) -> Records:
    """Protocols, data sets and arms as the study lists them and seeds in order, whatever the order of their ends."""
    arms = [arm.name for arm in study.arms]

    def rank(record: Record) -> tuple[int, str, int, str, int, int]:
        key = record.key
        planned = study.scales.get(key.scale)
        protocols, sets = (tuple(planned.protocols), planned.datasets) if planned else ((), ())
        return (
            _position(key.protocol, protocols), key.protocol, _position(key.dataset, sets), key.dataset,
            _position(key.arm, arms), key.seed,
        )  # fmt: skip

    return Records(tuple(sorted(records.records, key=rank)), records.left_out)


def _position(name: str, names: Sequence[str]) -> int:
    """Where a name stands; one that is not there comes last."""
    return names.index(name) if name in names else len(names)


def page_path(ledger: str, study: Study, scale: str, datasets: Sequence[str] | None) -> Path:
    """Where a report goes unless somebody says otherwise: beside the ledger.

    Args:
        ledger: path or URL.
        study: what the report is of.
        scale: name of the scale.
        datasets: in the name of the file, if they were chosen.
    """
    return folder_beside(ledger) / f"{page_name(study, scale, datasets)}.html"


def page_name(study: Study, scale: str, datasets: Sequence[str] | None) -> str:
    """What the file of a report is called, without its ending."""
    return "-".join([study.slug, scale, *(datasets or ())]).replace(":", "-")


def folder_beside(ledger: str) -> Path:
    """The folder of a ledger; ``replank-runs`` for a server's."""
    return Path("replank-runs") if "://" in ledger else Path(ledger).parent


def write_study_page(
    path: Path, study: Study, records: Records, judgements: Sequence[Judgement], *, scale: str
) -> Path:
    """Write the report, as HTML or, if the file's name ends in ``.md``, as Markdown with its pictures beside it.

    Returns:
        The path.

    Raises:
        UsageError: it can't be written there.
    """
    return write_page(study_page(study, records, judgements, scale=scale), path)


def citation(study: Study) -> str:
    """BibTeX of the study's paper and of replank."""
    return f"{study.paper.bibtex()}\n\n{own_citation()}"


def own_citation() -> str:
    """BibTeX of replank."""
    return (
        f"@software{{replank,\n  title = {{replank: replace one part of a neural network, keep the rest, "
        f"and measure what changed}},\n  author = {{{{The replank developers}}}},\n  version = {{{__version__}}},\n"
        f"  url = {{https://github.com/replank/replank}}\n}}"
    )


def rerun_command(study: Study, records: Records, scale: str) -> str:
    """The command that gives these records again, as far as they follow from one."""
    words = ["replank", "run", study.slug, "--scale", scale]
    table, planned = records.table, study.scale(scale)
    protocols = [each for name, each in planned.protocols.items() if name in _ran(table, "protocol")]
    arms = [arm.name for arm in study.arms if any(each.is_for_arm(arm.name) for each in protocols)]
    for option, ran, usual in (
        ("--arms", _ran(table, "arm"), arms),
        ("--dataset", [name for name in _ran(table, "dataset") if name != datasets.GENERATED], list(planned.datasets)),
        ("--protocol", _ran(table, "protocol"), list(planned.protocols)),
    ):
        if ran and set(ran) != set(usual):
            words += [option, ",".join(ran)]
    seeds = table.groupby("arm")["seed"].nunique()
    if any(seeds[arm] != planned.seeds_of(str(arm)) for arm in seeds.index):
        words += ["--seeds", str(seeds.max())]
    threads = table["threads"].unique()
    if len(threads) and threads[0] != 1:
        words += ["--threads", str(threads[0])]
    for name, value in _overrides(study, table, scale).items():
        words += ["--set", f"{name}={value}"]
    return shlex.join(words)


def _question(study: Study, records: Records, scale: str) -> list[Block]:
    table, planned = records.table, study.scale(scale)
    counts = table["status"].value_counts()
    about = {name: protocol.about for name, protocol in planned.protocols.items()}
    facts: dict[str, str | tuple[str, str]] = {
        "Paper": (str(study.paper), study.paper.url) if study.paper.url else str(study.paper),
        "Scale": f"{scale}, planned for about {duration(planned.minutes * 60)} on two cores",
        "Protocol": "\n".join(f"{name}: {about.get(name, '')}".removesuffix(": ") for name in _ran(table, "protocol")),
        "Data": "\n".join(line for name in _ran(table, "dataset") for line in _data_lines(records, name)),
        "Seeds": _seeds(table),
        "Trials": f"{counts.get('done', 0)} done, {counts.get('failed', 0)} failed",
        "Time": f"{duration(table['wall_s'].sum())}, summed over trials",
    }
    if len(table):
        facts["Run"] = " to ".join(
            dict.fromkeys(_moment(time) for time in (table["started"].min(), table["started"].max()))
        )
    if records.left_out:
        facts["Left out"] = f"{records.left_out} trials of the same arms that were run with older settings"
    return [Text(study.question, strong=True), Facts({name: value for name, value in facts.items() if value})]


def _seeds(table: pd.DataFrame) -> str:
    """How many seeds the arms were run with: cheap ones may have more."""
    counts = sorted(table.groupby("arm")["seed"].nunique().unique())
    return " to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else "none"


def _outcome(study: Study, judgements: Sequence[Judgement]) -> list[Block]:
    return [badges(judgements), *(Text(paragraph) for paragraph in study.finding)]


def _ladders(study: Study, scale: str, parts: Sequence[tuple[Slice, pd.DataFrame]]) -> list[Block]:
    """The ladder of each protocol that was run; protocols with the same ladder share one."""
    planned = study.scale(scale)
    ran = {place.protocol: place.dataset for place, _ in reversed(parts)}  # each with its first data set
    ran = ran or {next(iter(planned.protocols)): (*planned.datasets, datasets.GENERATED)[0]}
    tables = {
        name: _ladder_table(study, planned.protocols[name], ran[name]) for name in planned.protocols if name in ran
    }
    drawn: dict[str, tuple[pd.DataFrame, list[str]]] = {}
    for name, table in tables.items():
        if isinstance(table, pd.DataFrame):
            drawn.setdefault(table.to_csv(), (table, []))[1].append(name)
    pictures = [
        _ladder_picture(table, f"Protocol {', '.join(names)}" if len(drawn) > 1 else "")
        for table, names in drawn.values()
    ]
    return [*pictures, *(table for table in tables.values() if isinstance(table, Text))]


def _ladder_table(study: Study, protocol: Protocol, dataset: str) -> pd.DataFrame | Text:
    """What stands in the ladder; if it can't be built for these data, a line that says so."""
    assert study.ladder is not None
    try:
        baseline = protocol.baseline or study.baseline.name
        return study.ladder(protocol.resolve(baseline, dataset, {}), dataset).table()
    except Exception as error:  # whatever a study's function raises must not take the verdicts with it
        return Text(f"The ladder can't be drawn for {dataset}: {type(error).__name__}: {error}")


def _ladder_picture(table: pd.DataFrame, title: str) -> Picture:
    return Picture(
        ladder_drawing(table),
        "Rungs from top to bottom, slots from left to right; planks that differ from the first rung's are in colour.",
        title,
        label="The ladder. "
        + " ".join(
            f"{rung}: {', '.join(map(str, row))}." for rung, row in zip(table.index, table.to_numpy(), strict=True)
        ),
    )


def _arms(study: Study, records: Records, place: Slice) -> list[Block]:
    part = records.only(scale=place.scale, protocol=place.protocol, dataset=place.dataset)
    figures = [each for each in study.figures if fnmatch.fnmatchcase(place.protocol, each.protocol)]
    own = {each.name: _drawn(each, part) for each in figures}
    about = {arm.name: arm.about for arm in study.arms}
    baseline = study.baseline_under(place.scale, place.protocol)
    headline = study.headline_under(place.scale, place.protocol)
    return arms_blocks(part, baseline=baseline, headline=headline, about=about, drawn=own)


def _drawn(figure: Figure, records: Records) -> Block:
    """A study's own picture; if these records do not suffice for it, the page says so and goes on."""
    try:
        return Picture(figure.draw(records), figure.caption, figure.title)
    except Exception as error:  # whatever a study's function raises must not take the verdicts with it
        return Text(f"“{figure.title}” can't be drawn from these records: {type(error).__name__}: {error}")


def _data_lines(records: Records, name: str) -> list[str]:
    """The data set's title and what is different about it, as the trials recorded them."""
    card: Mapping[str, Any] = next(
        (each.environment.get("data", {}) for each in records.only(dataset=name).records), {}
    )
    title = card.get("title") or (datasets.info(name).title if name in datasets.names() else name)
    return [title, *card.get("known_differences", ())]


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ran(table: pd.DataFrame, column: str) -> list[str]:
    return [str(name) for name in table[column].unique()]


def _overrides(study: Study, table: pd.DataFrame, scale: str) -> dict[str, Any]:
    """Settings of the trials that are not what the study says, and so came from the command line."""
    changed: dict[str, Any] = {}
    for row in table.to_dict("records"):
        protocol = study.scale(scale).protocols.get(row["protocol"])
        if protocol is None:
            continue
        usual = json.loads(canonical_settings(protocol.resolve(row["arm"], row["dataset"], {})))
        ran = json.loads(row["settings"])
        changed |= {name: value for name, value in ran.items() if name in usual and usual[name] != value}
    return changed
