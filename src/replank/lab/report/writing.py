"""Pages as files."""

from __future__ import annotations

from pathlib import Path

from replank.errors import UsageError
from replank.lab.report.markdown import write_markdown
from replank.lab.report.page import Page, render


def write_page(page: Page, path: Path) -> Path:
    """Write a page, as HTML or, if the file's name ends in ``.md``, as Markdown with its pictures beside it.

    Returns:
        The path.

    Raises:
        UsageError: it can't be written there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        if path.suffix == ".md":
            return write_markdown(page, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(render(page), encoding="utf-8")
        return part.replace(path)
    except OSError as error:
        raise UsageError(f"report: {path} must be writable, got: {error.strerror}. Name another file.") from None
