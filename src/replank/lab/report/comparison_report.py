"""The page of a comparison on the user's own model and data."""

from __future__ import annotations

from replank.lab.records import Records
from replank.lab.report.arms_blocks import arms_blocks, environment_blocks, failures_blocks
from replank.lab.report.figures import ladder_drawing
from replank.lab.report.page import Code, Facts, Page, Picture, Section
from replank.lab.report.study_report import own_citation
from replank.lab.report.wording import duration
from replank.slots import Ladder


def comparison_page(ladder: Ladder, records: Records, baseline: str, metric: str) -> Page:
    """The report of :func:`replank.compare`.

    Args:
        ladder: what was compared.
        records: what the trials left.
        baseline: the arm that the others are compared with.
        metric: the metric that leads.
    """
    table = records.table
    facts = {
        "Arms": ", ".join(ladder.rungs),
        "Seeds": str(table["seed"].nunique()),
        "Time": duration(table["wall_s"].sum()),
    }
    about = {name: "; ".join(map(str, swaps)) for name, swaps in ladder.rungs.items()}
    drawing = Picture(ladder_drawing(ladder.table()), "Planks that differ from the first rung's are in colour.")
    sections = [
        Section("What was compared", (Facts(facts), drawing)),
        Section("Arms", tuple(arms_blocks(records, baseline=baseline, headline=metric, about=about, drawn={}))),
    ]
    failed = failures_blocks(records)
    if failed:
        sections.append(Section("Trials that failed", tuple(failed)))
    sections += [
        Section("Where it ran", tuple(environment_blocks(records))),
        Section("Cite", (Code(own_citation()),)),
    ]
    return Page("What changed when parts were replaced?", f"Compared with {baseline}, all else fixed", tuple(sections))
