from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from replank.circuits import core
from replank.lab import code_version as module
from replank.lab.code_version import code_version


def package(name: str, root: Path) -> ModuleType:
    made = ModuleType(name)
    made.__path__ = [str(root)]
    made.__file__ = str(root / "__init__.py")
    return made


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small copy of the rooms, with two studies, and a study of an outsider's."""
    for name in (
        "replank/seeding.py", "replank/cli.py", "replank/comparison.py", "replank/parts/linear/low_rank.py",
        "replank/lab/training.py", "replank/lab/claim.py", "replank/lab/ledger.py", "replank/lab/report/html.py",
        "replank/studies/mine/__init__.py", "replank/studies/mine/model.py", "replank/studies/mine/claims.py",
        "replank/studies/mine/figures.py", "replank/studies/mine/README.md", "replank/studies/other/model.py",
        "outside_fake/__init__.py", "outside_fake/study.py", "outside_fake/model.py", "outside_fake/claims.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(module, "_ROOT", tmp_path / "replank")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("outside_fake", None)


def mine(house: Path) -> ModuleType:
    return package("replank.studies.mine", house / "replank/studies/mine")


@pytest.mark.parametrize(
    "name",
    ["seeding.py", "parts/linear/low_rank.py", "lab/training.py", "studies/mine/__init__.py", "studies/mine/model.py"],
)
def test_code_that_can_change_numbers_counts(house: Path, name: str) -> None:
    before = code_version(mine(house))
    (house / "replank" / name).write_text("2")
    assert code_version(mine(house)) != before


@pytest.mark.parametrize(
    "name",
    [
        "cli.py", "comparison.py", "lab/claim.py", "lab/ledger.py", "lab/report/html.py", "studies/other/model.py",
        "studies/mine/claims.py", "studies/mine/figures.py", "studies/mine/README.md",
    ],
)  # fmt: skip
def test_code_that_can_not_does_not(house: Path, name: str) -> None:
    before = code_version(mine(house))
    (house / "replank" / name).write_text("2")
    assert code_version(mine(house)) == before


def test_the_compiled_core_counts_and_so_does_its_absence(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for source_hash in ("a" * 64, "b" * 64, None):
        monkeypatch.setattr(core, "source_hash", lambda source_hash=source_hash: source_hash)
        seen.add(code_version(mine(house)))
    assert len(seen) == 3


def test_a_renamed_module_is_another_code(house: Path) -> None:
    before = code_version(mine(house))
    (house / "replank/seeding.py").rename(house / "replank/sowing.py")
    assert code_version(mine(house)) != before


@pytest.mark.parametrize(("name", "counts"), [("study.py", True), ("model.py", True), ("claims.py", False)])
def test_an_outsiders_package_counts_as_a_whole(house: Path, name: str, counts: bool) -> None:
    study = ModuleType("outside_fake.study")
    before = code_version(study)
    (house / "outside_fake" / name).write_text("2")
    assert (code_version(study) != before) is counts


def test_an_outsiders_single_module_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "single_fake.py"
    file.write_text("")
    study = importlib.import_module("single_fake")
    before = code_version(study)
    file.write_text("# changed")
    assert code_version(study) != before
    sys.modules.pop("single_fake")


def test_every_name_that_does_not_count_exists() -> None:
    root = Path(importlib.import_module("replank").__file__ or "").parent
    assert [
        name for name in module.NOT_NUMBERS if not ((root / name).is_dir() or (root / f"{name}.py").is_file())
    ] == []
