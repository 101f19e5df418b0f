"""The same page as Markdown, with its pictures as files beside it: for repositories and notes."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from replank.lab.report.page import Badges, Block, Cell, Code, Facts, Fold, Heading, Page, Picture, Table, Text

_DOTS_PER_INCH = 80


def write_markdown(page: Page, path: Path) -> Path:
    """Write a page as Markdown; pictures go into a folder of the same name.

    What a page folds away (long tables, tracebacks) is left out: it is in the HTML page.

    Args:
        page: what to write.
        path: the file, ending in ``.md``.

    Returns:
        The path.
    """
    writer = _Writer(path.with_suffix(""))
    lines = [f"# {page.title}", "", page.subtitle, ""]
    for block in page.lead:
        lines += writer.block(block)
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += writer.block(block)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return path


def table_lines(table: Table) -> list[str]:
    """A table as lines of Markdown, its caption ahead of it and an empty line at the end."""
    heads = " | ".join(_escaped(column.title) for column in table.columns)
    rules = " | ".join("---:" if column.number else "---" for column in table.columns)
    rows = [" | ".join(_cell(cell) for _, cell, _ in row) for row in table.rows()]
    caption = [table.caption, ""] if table.caption else []
    return [*caption, f"| {heads} |", f"| {rules} |", *(f"| {row} |" for row in rows), ""]


class _Writer:
    """Turns blocks into lines, and counts pictures."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._names: Counter[str] = Counter()

    def block(self, block: Block) -> list[str]:
        """The lines of a block, an empty one at the end."""
        if isinstance(block, Table):
            return table_lines(block)
        if isinstance(block, Picture):
            return self._picture(block)
        if isinstance(block, Facts):
            pairs = block.pairs.items()
            return [*(f"- **{name}:** {_fact(value)}" for name, value in pairs), ""]
        if isinstance(block, Badges):
            return [", ".join(f"{count} {badge.symbol} {badge.word}" for count, badge in block.counts), ""]
        if isinstance(block, Code):
            return ["```", block.text, "```", ""]
        if isinstance(block, Heading):
            return [f"### {block.text}", ""]
        if isinstance(block, Fold):
            return []
        assert isinstance(block, Text)
        return [block.text, ""]

    def _picture(self, picture: Picture) -> list[str]:
        title = picture.title or picture.label.split(".")[0]
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        self._names[name] += 1
        name = (f"{name}-{self._names[name]}" if self._names[name] > 1 else name) + ".png"
        self._folder.mkdir(parents=True, exist_ok=True)
        # without metadata, so that equal figures give equal bytes
        picture.figure.savefig(self._folder / name, dpi=_DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
        return [f"![{title}]({self._folder.name}/{name})", "", f"*{picture.caption}*", ""]


def _cell(cell: Cell) -> str:
    text = f"{cell.badge.symbol} {cell.badge.word}" if cell.badge else cell.text
    if cell.url and not cell.url.startswith("#"):  # rows have no addresses here
        text = f"[{text}]({cell.url})"
    return _escaped(f"{text}<br>{cell.note}" if cell.note else text)


def _fact(value: str | tuple[str, str]) -> str:
    if isinstance(value, tuple):
        return f"[{value[0]}]({value[1]})"
    return value.replace("\n", "; ")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
