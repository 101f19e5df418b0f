"""One page over all studies that a ledger holds: verdicts, contrasts, and where to read on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from replank.lab.claim import Judgement, judge
from replank.lab.records import Records
from replank.lab.report.contrast import COLOURS, Contrasted, contrasts
from replank.lab.report.forest import Panel, Row, forest_plot
from replank.lab.report.page import Block, Cell, Code, Column, Facts, Page, Picture, Section, Table, Text
from replank.lab.report.study_report import folder_beside, own_citation, page_name, write_study_page
from replank.lab.report.verdicts import STATUSES, badge, badges, measured_cell
from replank.lab.report.wording import MISSING, duration
from replank.lab.report.writing import write_page
from replank.lab.study import Study


@dataclass(frozen=True)
class Entry:
    """One study on the page.

    Args:
        name: as the command line takes it.
        study: what was asked.
        records: what its trials left, of one scale alone.
        judgements: the verdicts on these records.
        page: its own report, as an address beside the index.
    """

    name: str
    study: Study
    records: Records
    judgements: tuple[Judgement, ...]
    page: str

    @property
    def seconds(self) -> float:
        """Time of its trials, summed."""
        return float(self.records.table["wall_s"].sum())

    @property
    def data(self) -> str:
        """Names of the data sets that it was run on."""
        return ", ".join(map(str, self.records.table["dataset"].unique()))


def index_path(ledger: str, scale: str, datasets: Sequence[str] | None) -> Path:
    """Where the page goes unless somebody says otherwise: beside the ledger; the arguments are those of a study's."""
    return folder_beside(ledger) / ("-".join(["index", scale, *(datasets or ())]).replace(":", "-") + ".html")


def write_index(
    path: Path,
    found: Mapping[str, tuple[Study, Records]],
    *,
    scale: str,
    datasets: Sequence[str] | None = None,
    unknown: Sequence[str] = (),
) -> Path:
    """Write the reports of all studies that have records, and beside the first one a page that leads to them.

    Args:
        path: of the page; HTML, or Markdown if it ends in ``.md``, and the reports likewise.
        found: studies by the names that the command line takes, each with what the ledger holds of it at that scale.
        scale: name of the scale.
        datasets: in the names of the reports, if they were chosen.
        unknown: studies that the ledger has trials of, but that are not installed here.

    Returns:
        The path.

    Raises:
        UsageError: it can't be written there.
    """
    suffix = ".md" if path.suffix == ".md" else ".html"
    entries, not_run = [], {}
    for name, (study, records) in found.items():
        if not records.records:
            not_run[name] = study
            continue
        judgements = tuple(judge(study.claims, records.table))
        page = path.with_name(page_name(study, scale, datasets) + suffix)
        write_study_page(page, study, records, judgements, scale=scale)
        entries.append(Entry(name, study, records, judgements, page.name))
    return write_page(index_page(entries, not_run, scale=scale, unknown=unknown), path)


def index_page(
    entries: Sequence[Entry], not_run: Mapping[str, Study], *, scale: str, unknown: Sequence[str] = ()
) -> Page:
    """The page over all studies at one scale.

    Args:
        entries: studies with records.
        not_run: those without, by the names that the command line takes.
        scale: name of the scale.
        unknown: studies that the ledger has trials of, but that are not installed here.
    """
    judgements = [judgement for entry in entries for judgement in entry.judgements]
    n_trials = sum(len(entry.records.records) for entry in entries)
    facts = {
        "Studies": f"{len(entries)} run, {len(not_run)} not run",
        "Scale": scale,
        "Verdicts": f"{len(judgements)}, on the claims of the studies that were run",
        "Trials": f"{n_trials}, which took {duration(sum(entry.seconds for entry in entries))}, summed",
    }
    if unknown:
        facts["Left out"] = f"trials of {', '.join(unknown)}, which no package that is installed here provides"
    sections = [Section("Studies", (_studies(entries),)), Section("Claims", (_claims(entries, scale),))]
    contrasted = [(entry, each) for entry in entries for each in contrasts(entry.study, entry.records.table)]
    if contrasted:
        sections.insert(0, Section("What the swaps contribute", tuple(_contrasts(contrasted))))
    if not_run:
        sections.append(Section("Not run", tuple(_not_run(not_run, scale))))
    sections.append(Section("Cite", (Code(own_citation()),)))
    lead: tuple[Block, ...] = (badges(judgements), Facts(facts))
    return Page("What do the studies show?", "All studies that the ledger holds", tuple(sections), lead, wide=True)


def _contrasts(contrasted: Sequence[tuple[Entry, Contrasted]]) -> Iterator[Block]:
    yield Text(
        "Each study puts one part in a place where another could stand. Shown is the arm with that part minus its best "
        "rival of the same size, paired over seeds: what the part itself contributes.",
        strong=True,
    )
    panels = _panels(contrasted)
    if panels:
        title = "Each arm in question minus its best rival of the same size"
        label = ". ".join((title, *(each.sentence() for _, each in contrasted)))
        caption = f"Means over seeds with 95 % intervals. The rival is the one with the best mean. {COLOURS}"
        yield Picture(forest_plot(panels), caption, title, label=label)
    yield _contrast_table(contrasted)


def _panels(contrasted: Sequence[tuple[Entry, Contrasted]]) -> list[Panel]:
    """Rows that share an axis: all in points of the same direction, and otherwise those of one metric."""
    rows: dict[tuple[str, bool], list[tuple[Contrasted, Row]]] = {}
    for entry, each in contrasted:
        if each.best is not None:
            unit, less = each.metric.difference_unit, each.metric.less_is_better
            row = Row(
                f"{entry.name}, {each.place.dataset}",
                each.best.difference,
                note=f"{each.contrast.arm} − {each.best.name}; {each.place.protocol}, {each.metric.words}",
            )
            rows.setdefault(("" if unit == "points" else each.metric.name, less), []).append((each, row))
    return [
        Panel(
            "",
            some[0][0].metric,
            tuple(row for _, row in some),
            f"{_words(some)}, arm minus rival",
            ("rival better", "arm better"),
        )
        for some in rows.values()
    ]


def _words(some: Sequence[tuple[Contrasted, Row]]) -> str:
    words = {each.metric.words for each, _ in some}
    return words.pop() if len(words) == 1 else "difference"


def _contrast_table(contrasted: Sequence[tuple[Entry, Contrasted]]) -> Table:
    names = [entry.name for entry, _ in contrasted]
    frame = pd.DataFrame(
        {
            "study": names,
            "entry": [entry for entry, _ in contrasted],
            "contrasted": [each for _, each in contrasted],
            "first": [name not in names[:number] for number, name in enumerate(names)],
        }
    )

    def compared(row: Mapping[str, Any]) -> Cell:
        each: Contrasted = row["contrasted"]
        rival = each.best.name if each.best else "no rival that shares a seed"
        return Cell(
            f"{each.contrast.arm} − {rival}", f"{each.metric.words}; {each.place.protocol}, {each.place.dataset}"
        )

    def says(row: Mapping[str, Any]) -> str:
        return row["contrasted"].contrast.says if row["first"] else ""

    def difference(row: Mapping[str, Any]) -> Cell:
        each: Contrasted = row["contrasted"]
        if each.best is None:
            return Cell(MISSING)
        low, high = each.best.difference.low, each.best.difference.high
        unit = f" {each.metric.difference_unit}" if each.metric.difference_unit else ""
        interval = each.metric.show_interval(low, high, signed=True)
        return Cell(
            f"{each.metric.show_signed(each.best.difference.mean)}{unit}", "" if interval == MISSING else interval
        )

    columns = (
        Column("study", lambda row: Cell(row["study"], url=row["entry"].page), sort_by="study"),
        Column("compared", compared, wide=True),
        Column("difference", difference, number=True),
        Column("seeds", lambda row: _seeds(row["contrasted"]), number=True),
        Column("the interval", lambda row: _zero(row["contrasted"])),
        Column("what the part contributes", says, wide=True),
    )
    return Table(frame, columns, "The same in numbers, with what each study says about it.", stacked=True)


def _seeds(each: Contrasted) -> str:
    return str(each.best.difference.n) if each.best else "0"


def _zero(each: Contrasted) -> str:
    if each.best is None or each.best.difference.n < 2:
        return "there is none"
    return "spans 0" if each.best.difference.spans_zero else "does not span 0"


def _studies(entries: Sequence[Entry]) -> Table:
    frame = pd.DataFrame(
        [
            {
                "study": entry.name,
                "entry": entry,
                "minutes": entry.seconds / 60,
                "trials": len(entry.records.records),
                "failed": int(entry.records.table["status"].eq("failed").sum()),
            }
            | {status: sum(each.verdict.status == status for each in entry.judgements) for status in STATUSES}
            for entry in entries
        ]
    )

    def trials(row: Mapping[str, Any]) -> Cell:
        return Cell(str(row["trials"]), f"{row['failed']} failed" if row["failed"] else "")

    def claims(row: Mapping[str, Any]) -> Cell:
        return Cell(str(len(row["entry"].study.claims)), url=f"#{_anchor(row['study'])}")

    def count(status: str) -> Column:
        return Column(status, lambda row: str(row[status] or MISSING), sort_by=status, number=True)

    columns = (
        Column(
            "study", lambda row: Cell(row["study"], row["entry"].study.title, url=row["entry"].page),
            sort_by="study", wide=True,
        ),
        Column("data", lambda row: row["entry"].data),
        Column("claims", claims, number=True),
        *(count(status) for status in STATUSES),
        Column("trials", trials, sort_by="trials", number=True),
        Column("minutes", lambda row: f"{row['minutes']:.1f}", sort_by="minutes", number=True),
    )  # fmt: skip
    return Table(frame, columns, "Verdicts by study; the time is that of its trials, summed.")


def _claims(entries: Sequence[Entry], scale: str) -> Table:
    rows = [
        {
            "study": entry.name,
            "anchor": "" if number else _anchor(entry.name),
            "order": number,
            "status": each.verdict.status,
            "data": each.dataset,
            "minutes": entry.seconds / 60,
            "entry": entry,
            "judgement": each,
        }
        for entry in entries
        for number, each in enumerate(entry.judgements)
    ]

    def reported(row: Mapping[str, Any]) -> Cell:
        claim = row["judgement"].claim
        return Cell(claim.reported, f"[{claim.source.provenance}]")

    columns = (
        Column("study", lambda row: Cell(row["study"], url=row["entry"].page), sort_by="study"),
        Column("claim", lambda row: f"{row['judgement'].claim.id}  {row['judgement'].claim.statement}", wide=True),
        Column("the paper's number", reported),
        Column("ours, interval", lambda row: measured_cell(row["judgement"].verdict)),
        Column("verdict", lambda row: Cell(badge=badge(row["status"])), sort_by="status"),
        Column("data", lambda row: row["data"], sort_by="data"),
        Column("scale", lambda row: scale),
        Column("minutes", lambda row: f"{row['minutes']:.1f}", sort_by="minutes", number=True),
    )
    caption = (
        "Every claim of the studies that were run; in brackets how the paper's number is known. What decides each "
        "verdict stands in the study's own report. Minutes are those of the study's trials."
    )
    names = ("study", "anchor", "order", "status", "data", "minutes", "entry", "judgement")
    return Table(pd.DataFrame(rows, columns=list(names)), columns, caption, stacked=True, anchor="anchor")


def _not_run(not_run: Mapping[str, Study], scale: str) -> Iterator[Block]:
    frame = pd.DataFrame({"study": list(not_run), "entry": list(not_run.values())})
    columns = (
        Column("study", lambda row: row["study"], sort_by="study"),
        Column("question", lambda row: row["entry"].title, wide=True),
        Column("claims", lambda row: str(len(row["entry"].claims)), number=True),
        Column("planned", lambda row: duration(row["entry"].scale(scale).minutes * 60), number=True),
    )
    yield Table(frame, columns, "The ledger holds no trials of these studies at this scale.", stacked=True)
    yield Code("\n".join(shlex.join(["replank", "run", name, "--scale", scale]) for name in not_run))


def _anchor(name: str) -> str:
    return "claims-" + name.replace(":", "-")
