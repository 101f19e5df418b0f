"""What the site of `make docs` is made of, as far as that can be seen without Sphinx."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from replank.lab.study import studies

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONF = _conf()
STUDIES = {slug: study for slug, study in studies().items() if ":" not in slug}
PAGES = CONF.pages()


@pytest.mark.parametrize("slug", STUDIES)
def test_every_study_has_a_page_that_is_headed_by_its_name(slug: str) -> None:
    readme = CONF.study_readmes()[slug]
    assert readme.read_text(encoding="utf-8").splitlines()[0] == f"# {slug}"


@pytest.mark.parametrize("slug", STUDIES)
def test_its_tables_have_a_row_for_each_arm_and_claim(slug: str) -> None:
    study = STUDIES[slug]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in CONF.study_tables(study).splitlines() if "|" in line]
    first = [*(arm.name for arm in study.arms), *(f"{claim.id}  {claim.statement}" for claim in study.claims)]
    assert [row for row in rows if row not in ("arm", "---", "claim")] == [
        name.replace("|", "\\|").replace("\n", " ") for name in first
    ]


@pytest.mark.parametrize("origin", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_a_page_of_the_site_or_a_file(origin: Path) -> None:
    place = PAGES[origin]
    for link in _links(CONF.relinked(origin.read_text(encoding="utf-8"), origin, place)):
        target = (place.parent / link).resolve()
        assert target in PAGES.values() or target.is_file(), link


@pytest.mark.parametrize("page", sorted(DOCS.glob("**/*.md")), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_links_from_pages_in_docs_do_so_too(page: Path) -> None:
    for link in _links(CONF.relinked(page.read_text(encoding="utf-8"), page, page)):
        target = (page.parent / link).resolve()
        assert target in PAGES.values() or target.is_file(), link


def test_links_are_turned_to_where_pages_lie() -> None:
    readme = ROOT / "src/replank/studies/quantum_creep/README.md"
    text = (
        "[a](../../../../docs/results/README.md#top) [b](../../../../CONTRIBUTING.md) [c](https://example.org) [d](#x)"
    )
    assert CONF.relinked(text, readme, DOCS / "studies/quantum-creep.md") == (
        "[a](../results/README.md#top) [b](../project/contributing.md) [c](https://example.org) [d](#x)"
    )
    folder = CONF.relinked("[a](../src/replank/parts) [b](decisions)", DOCS / "x.md", DOCS / "x.md")
    assert folder == f"[a]({CONF.REPOSITORY}/src/replank/parts) [b](decisions/README.md)"


def test_the_table_of_contents_names_pages_that_exist() -> None:
    entries = [
        line
        for block in TOCTREE.findall((DOCS / "index.md").read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line and not line.startswith(":") and "*" not in line
    ]
    assert entries
    assert [entry for entry in entries if not (DOCS / f"{entry}.md").is_file()] == []


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=lambda path: path.stem)
def test_the_reference_names_things_that_exist(page: Path) -> None:
    found = re.findall(r"^\.\. auto(module|class):: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    for kind, name in found:
        home, _, attribute = (name, "", "") if kind == "module" else name.rpartition(".")
        module = importlib.import_module(home)
        assert not attribute or hasattr(module, attribute)


def _links(text: str) -> list[str]:
    """The relative links of a page, without what stands behind a hash."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]
