"""A fingerprint of the code that can change a trial's numbers.

It is part of a trial's key: after a change of this code a trial runs again, after any other change it is reused. It
covers

- every module of replank, except those that only ask for trials, keep them, judge them or show them, and other studies;
- the C++ sources that the compiled core was built from, or that there is none: torch rounds otherwise;
- of a hosted study's folder every module but ``claims.py`` and ``figures.py``: a new margin is not a new measurement;
- of a study from outside its whole top-level package (or its single module), likewise, and the version of the
  distribution that it came with.

It does not cover the libraries underneath: their versions are in each record's environment.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from replank.circuits import core

NOT_NUMBERS = (
    "__main__",
    "cli",
    "comparison",
    "studies",
    "lab/cells",
    "lab/claim",
    "lab/code_version",
    "lab/environment",
    "lab/ledger",
    "lab/migrations",
    "lab/pairs",
    "lab/records",
    "lab/report",
    "lab/rescue",
    "lab/rows",
    "lab/run",
    "lab/schema",
    "testing",
)
"""Modules and packages of replank that can't change what a study's trial measures (``comparison`` is above studies)."""

_ROOT = Path(__file__).parents[1]
_NOT_NUMBERS_OF_STUDY = ("claims.py", "figures.py")


def code_version(study: ModuleType) -> str:
    """Fingerprint of replank and of one study.

    Args:
        study: the module that holds the study's ``STUDY``.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256((core.source_hash() or "no core").encode())
    for name, content in _replank_files():
        digest.update(f"{name}\0".encode() + content)
    if study.__name__.startswith("replank.studies."):
        root = study
    else:
        root = importlib.import_module(study.__name__.partition(".")[0])
        digest.update(_distribution_version(root.__name__).encode())
    for name, content in _study_files(root):
        digest.update(f"{name}\0".encode() + content)
    return digest.hexdigest()


def _replank_files() -> Iterator[tuple[str, bytes]]:
    for name, content in _files(_ROOT):
        if not any(f"{other}.py" == name or name.startswith(f"{other}/") for other in NOT_NUMBERS):
            yield name, content


def _study_files(module: ModuleType) -> Iterator[tuple[str, bytes]]:
    for root in map(Path, getattr(module, "__path__", [])):
        for name, content in _files(root):
            if Path(name).name not in _NOT_NUMBERS_OF_STUDY:
                yield name, content
    if not hasattr(module, "__path__") and module.__file__:
        yield Path(module.__file__).name, Path(module.__file__).read_bytes()


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names, relative to the folder, and contents of all Python files in it."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _distribution_version(package: str) -> str:
    names = importlib.metadata.packages_distributions().get(package, [])
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names)))
