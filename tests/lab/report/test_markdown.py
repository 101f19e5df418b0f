from __future__ import annotations

from pathlib import Path

import matplotlib.image
import pandas as pd
from matplotlib.figure import Figure

from replank.lab.report.markdown import write_markdown
from replank.lab.report.page import (
    Badge,
    Badges,
    Cell,
    Code,
    Column,
    Facts,
    Fold,
    Heading,
    Page,
    Picture,
    Section,
    Table,
    Text,
)  # fmt: skip


def page() -> Page:
    frame = pd.DataFrame({"arm": ["a|b", "c"], "value": [1.0, 2.0]})
    columns = (
        Column("arm", lambda row: Cell(row["arm"], "a note", url="#here" if row["arm"] == "c" else "")),
        Column("page", lambda row: Cell("read", url=f"{row['value']:.0f}.md")),
        Column("value", lambda row: f"{row['value']:.1f}", number=True),
        Column("verdict", lambda row: Cell(badge=Badge("reproduced", "✓", "good"))),
    )
    figure = Figure()
    figure.subplots().plot([0, 1])
    blocks = (
        Text("A paragraph."), Heading("Within"), Facts({"Paper": ("Title", "https://example.org"), "Data": "one\ntwo"}),
        Badges(((2, Badge("not tested", "○", "none")),)), Table(frame, columns, "What it shows."), Code("make run"),
        Fold("Long", (Text("hidden"),)), Picture(figure, "A line.", "The picture"),
    )  # fmt: skip
    return Page("A question?", "Somebody (2024)", (Section("One", blocks),))


def test_every_kind_of_block_is_written(tmp_path: Path) -> None:
    text = write_markdown(page(), tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for line in (
        "# A question?", "## One", "### Within", "A paragraph.", "- **Paper:** [Title](https://example.org)",
        "- **Data:** one; two", "2 ○ not tested", "| arm | page | value | verdict |", "| --- | --- | ---: | --- |",
        "| a\\|b<br>a note | [read](1.md) | 1.0 | ✓ reproduced |",
        "| c<br>a note | [read](2.md) | 2.0 | ✓ reproduced |",
        "make run", "![The picture](report/the-picture.png)",
    ):  # fmt: skip
        assert line in text.splitlines(), line
    assert "hidden" not in text
    assert (tmp_path / "out" / "report" / "the-picture.png").stat().st_size > 1000


def test_equal_pages_give_equal_bytes(tmp_path: Path) -> None:
    written = [write_markdown(page(), tmp_path / name / "report.md") for name in "ab"]
    assert written[0].read_bytes() == written[1].read_bytes()
    pictures = [path.parent / "report" / "the-picture.png" for path in written]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_pictures_of_one_title_are_files_of_their_own(tmp_path: Path) -> None:
    figures = [Figure(figsize=(1, 1)), Figure(figsize=(2, 1))]
    sections = tuple(Section(str(n), (Picture(each, "", "Same"),)) for n, each in enumerate(figures))
    text = write_markdown(Page("t", "s", sections), tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.index("(report/same.png)") < text.index("(report/same-2.png)")
    drawn = [matplotlib.image.imread(tmp_path / "report" / name) for name in ("same.png", "same-2.png")]
    assert [each.shape[:2] for each in drawn] == [(80, 80), (80, 160)]
