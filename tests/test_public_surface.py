"""What users see: names that exist, imports that cost little, licences that fit, documents that work when pasted."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import replank

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "sklearn", "matplotlib", "pandas", "scipy", "sqlalchemy")
# permissive only: no copyleft reaches who installs replank
PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|HPND|MPL-2.0|Unlicense|0BSD|CC0|Zlib", re.I)
NOT_TO_IMPORT = re.compile(r"__main__|migrations\.")  # what runs on import; migrations are alembic's to load
NOT_OURS = {"pip", "setuptools"}


@pytest.mark.parametrize("name", replank.__all__)
def test_every_public_name_exists(name):
    assert getattr(replank, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'swpa'"):
        replank.swpa  # noqa: B018


@pytest.mark.parametrize("statement", ["import replank", "import replank.cli"])
def test_import_is_cheap(statement):
    code = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_module_imports():
    found = [
        info.name for info in pkgutil.walk_packages(replank.__path__, "replank.") if not NOT_TO_IMPORT.search(info.name)
    ]
    assert len(found) > 40
    for name in found:
        importlib.import_module(name)


def _requirements(name: str, seen: set[str]) -> set[str]:
    """A distribution with all it needs at run time, without extras."""
    if name in seen:
        return seen
    seen.add(name)
    for requirement in metadata.requires(name) or ():
        needed = re.match(r"[\w.-]+", requirement)
        if needed and "extra ==" not in requirement and _installed(needed[0]):
            _requirements(_key(needed[0]), seen)
    return seen


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.parametrize("name", sorted(_requirements("replank", set()) - NOT_OURS))
def test_licence_is_permissive(name):
    info = metadata.metadata(name)
    stated = [info.get("License-Expression"), *(info.get_all("Classifier") or ()), (info.get("License") or "")[:200]]
    assert any(text and PERMISSIVE.search(text) for text in stated if text), stated


def _python_blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_readme_examples_run_as_pasted(number, tmp_path):
    block = _python_blocks("README.md")[number].replace("epochs=10", "epochs=1")  # all but the waiting
    subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True, capture_output=True, timeout=300)


def test_readme_has_no_other_examples():
    assert len(_python_blocks("README.md")) == 3


DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/*.md") if ".venv" not in path.parts)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith(("http:", "https:")):
            assert (ROOT / document).parent.joinpath(target).exists(), target


def test_changelog_has_a_place_for_what_is_new():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_citation_file_names_the_version():
    assert f"version: {replank.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
