"""A page of text, tables and pictures as one self-contained HTML file.

It opens offline, follows the reader's light or dark theme, fits narrow and wide screens, prints, and reads without
scripts. Equal pages give equal bytes. All text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from replank._version import __version__
from replank.lab.report.svg import to_svg

Tone = Literal["good", "bad", "open", "none"]


@dataclass(frozen=True)
class Badge:
    """A word with a sign and a colour that say the same."""

    word: str
    symbol: str
    tone: Tone


@dataclass(frozen=True)
class Cell:
    """What a table shows in one place.

    Args:
        text: first line.
        note: smaller second line.
        badge: shown instead of the text.
        url: where the text leads.
    """

    text: str = ""
    note: str = ""
    badge: Badge | None = None
    url: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: heading.
        cell: from a row to what is shown.
        sort_by: name of the frame's column that the reader may sort by.
        number: whether to align to the right.
        wide: whether it holds sentences.
    """

    title: str
    cell: Callable[[Mapping[str, Any]], Cell | str]
    sort_by: str | None = None
    number: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of a frame; the first column names the row.

    Args:
        frame: one row a line.
        columns: what is shown of it.
        caption: one sentence.
        stacked: on narrow screens, show each row as a block instead of scrolling: for tables of sentences.
        anchor: name of the frame's column with addresses of rows within the page; an empty one is none. A row with an
            address begins a group.
    """

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    caption: str = ""
    stacked: bool = False
    anchor: str | None = None

    def rows(self) -> list[list[tuple[Column, Cell, float | str | None]]]:
        """For each line: column, cell and sorting key."""
        return [[(column, _cell(column, row), _key(column, row)) for column in self.columns] for row in self._records()]

    def anchors(self) -> list[str]:
        """For each line its address within the page, or nothing."""
        return [str(row[self.anchor]) if self.anchor else "" for row in self._records()]

    def _records(self) -> list[dict[str, Any]]:
        return [{str(name): value for name, value in row.items()} for row in self.frame.to_dict("records")]


@dataclass(frozen=True)
class Picture:
    """A figure with its caption.

    Args:
        figure: drawn as inline SVG.
        caption: what to see.
        title: short heading above it.
        label: what a reader who can't see it is told; default: title and caption.
    """

    figure: Figure
    caption: str
    title: str = ""
    label: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Names and what belongs to them; a value may be several lines, or a link as ``(text, url)``."""

    pairs: Mapping[str, str | tuple[str, str]]


@dataclass(frozen=True)
class Badges:
    """Counts, each with its badge."""

    counts: tuple[tuple[int, Badge], ...]


@dataclass(frozen=True)
class Code:
    """Text to be copied, or printed as it stands."""

    text: str


@dataclass(frozen=True)
class Fold:
    """Something long behind a line that opens it."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Picture | Text | Heading | Facts | Badges | Code | Fold


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """The heading as an address within the page."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "section"


@dataclass(frozen=True)
class Page:
    """A whole page.

    Args:
        title: the question in a line.
        subtitle: one more line.
        sections: in order.
        lead: blocks ahead of the first section.
        wide: whether its tables need more than the usual width.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    lead: tuple[Block, ...] = field(default=())
    wide: bool = False


def render(page: Page) -> str:
    """The page as one HTML file."""
    templates = Environment(
        loader=PackageLoader("replank.lab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = 0

    def draw(picture: Picture) -> Markup:
        nonlocal drawn
        drawn += 1
        label = picture.label or ". ".join(text for text in (picture.title, picture.caption) if text)
        return Markup(to_svg(picture.figure, prefix=f"picture-{drawn}", label=label))

    return templates.get_template("page.html.j2").render(
        page=page, draw=draw, kind=lambda block: type(block).__name__, zip=zip, version=__version__
    )


def _cell(column: Column, row: Mapping[str, Any]) -> Cell:
    shown = column.cell(row)
    return Cell(shown) if isinstance(shown, str) else shown


def _key(column: Column, row: Mapping[str, Any]) -> float | str | None:
    value = row[column.sort_by] if column.sort_by else None
    return None if value is None or value != value else value
