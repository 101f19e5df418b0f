"""The site that `make docs` builds: the pages in docs/, those that live elsewhere, and one for each study.

Pages from elsewhere are written to docs/studies/ and docs/project/ when the site is built, with their links turned to
where they lie there. Nothing is listed by hand: studies, parts, results and decisions are found by looking.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from replank import __version__, discovery
from replank.lab.report.markdown import table_lines
from replank.lab.report.page import Column, Table
from replank.lab.study import Study, studies

DOCS = Path(__file__).parent.resolve()
ROOT = DOCS.parent
REPOSITORY = "https://github.com/replank/replank/tree/main"
GENERATED = (DOCS / "studies", DOCS / "project")

project, author, version = "replank", "The replank developers", __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme, html_title, html_show_copyright = "furo", f"replank {__version__}", False
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
add_module_names = False


def study_readmes() -> dict[str, Path]:
    """The READMEs of the hosted studies, by slug."""
    folders = (path.parent for path in (ROOT / "src/replank/studies").glob("*/README.md"))
    return {folder.name.replace("_", "-"): folder / "README.md" for folder in sorted(folders)}


def pages() -> dict[Path, Path]:
    """Where pages that live outside docs/ lie on the site."""
    studies, other = GENERATED
    found = {path: studies / f"{slug}.md" for slug, path in study_readmes().items()}
    found |= {ROOT / name: other / name.lower() for name in ("CONTRIBUTING.md", "CHANGELOG.md")}
    return found | {
        path: other / "benchmarks" / path.name for path in sorted((ROOT / "benchmarks/results").glob("*.md"))
    }


def relinked(text: str, origin: Path, place: Path) -> str:
    """A page's text with its links turned to where it lies on the site.

    Args:
        text: Markdown.
        origin: the file that it comes from.
        place: the file of the site.
    """
    moved = pages()

    def turned(link: re.Match[str]) -> str:
        if re.match(r"[a-z]+:", link[1]):
            return link[0]
        target = (origin.parent / link[1]).resolve()
        if target.is_dir() and (target / "README.md").exists() and target.is_relative_to(DOCS):
            target /= "README.md"
        if target.is_dir():
            return f"]({REPOSITORY}/{target.relative_to(ROOT).as_posix()})"
        return f"]({Path(os.path.relpath(moved.get(target, target), place.parent)).as_posix()}{link[2] or ''})"

    return re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", turned, text)


def study_tables(study: Study) -> str:
    """What a study's page says of its arms and claims, from its code."""
    arms = [{"arm": arm.name, "kind": arm.kind, "what it is": arm.about} for arm in study.arms]
    claims = [
        {
            "claim": f"{claim.id}  {claim.statement}",
            "the paper's number": claim.reported,
            "source": str(claim.source),
            "judged under": ", ".join(claim.rules),
            "on": ", ".join(claim.datasets) or "any data",
        }
        for claim in study.claims
    ]
    lines = ["## All arms", "", *_table(arms), "## All claims", "", *_table(claims)]
    if study.contrast:
        arm, rivals = study.contrast.arm, ", ".join(study.contrast.same_size)
        lines[2:2] = [f"The report leads with `{arm}` against controls of its size: {rivals}.", ""]
    return "\n".join(lines)


def _table(rows: list[dict[str, str]]) -> list[str]:
    def column(name: str) -> Column:
        return Column(name, lambda row: str(row[name]))

    return table_lines(Table(pd.DataFrame(rows), tuple(column(name) for name in rows[0])))


def bring_in(*_: Any) -> None:
    """Write the pages that live elsewhere; a study's has tables of its arms and claims."""
    for folder in GENERATED:
        shutil.rmtree(folder, ignore_errors=True)
    known = studies()
    for origin, place in pages().items():
        text = relinked(origin.read_text(encoding="utf-8"), origin, place)
        study = known.get(place.stem) if place.parent == GENERATED[0] else None
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n{study_tables(study)}" if study else text, encoding="utf-8")


def _listed(names: Iterable[str]) -> str:
    """A table of contents that shows pages under their files' names."""
    return "\n".join(["", "```{toctree}", ":hidden:", "", *(f"{name} <{name}>" for name in names), "```", ""])


def _beside(folder: str) -> list[str]:
    return sorted(path.stem for path in (DOCS / folder).glob("*.md") if path.stem != "README")


def _groups() -> str:
    packages = [each for each in discovery.members("replank.parts").values() if hasattr(each, "__path__")]
    blocks = (f".. automodule:: {package.__name__}\n   :members:\n" for package in packages)
    return "\n".join(["", "```{eval-rst}", *blocks, "```", ""])


MORE: Mapping[str, Callable[[], str]] = {
    "results/README": lambda: _listed(_beside("results")),
    "decisions/README": lambda: _listed(_beside("decisions")),
    "api/parts": _groups,
}
"""What the site adds to a page."""


def read(_: Any, name: str, source: list[str]) -> None:
    """Turn the links of a page in docs/, and add what the site adds."""
    place = DOCS / f"{name}.md"
    if not any(place.is_relative_to(folder) for folder in GENERATED):
        source[0] = relinked(source[0], place, place)
    if name in MORE:
        source[0] += MORE[name]()


def told_already(_: Any, kind: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Leave out the fields of a named tuple: its arguments say what they are."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def setup(app: Any) -> None:
    """Sphinx calls it."""
    app.connect("autodoc-skip-member", told_already)
    app.connect("builder-inited", bring_in)
    app.connect("source-read", read)
