"""Finding what is there: parts, studies and data sets are found by looking, no central list is kept.

An entry point of the groups ``replank.parts``, ``replank.studies`` or ``replank.datasets`` names a package; the modules
in that package are the members. Our own packages are registered in the same way as everyone else's. What can't be
imported is reported by :func:`broken`, and never stops the rest.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType


def submodule_names(package: ModuleType) -> list[str]:
    """The names of the public modules directly inside a package, sorted."""
    return sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))


def submodules(package: ModuleType) -> dict[str, ModuleType]:
    """The public modules directly inside a package, imported, by short name."""
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in submodule_names(package)}


def _points(group: str) -> list[EntryPoint]:
    # our own first, so that a plug-in can't take the name of a hosted member
    return sorted(entry_points(group=group), key=lambda point: (point.name != "replank", point.name))


@cache
def _load(group: str) -> tuple[dict[str, ModuleType], dict[str, str]]:
    found: dict[str, ModuleType] = {}
    failed: dict[str, str] = {}
    for point in _points(group):
        prefix = "" if point.name == "replank" else f"{point.name}:"
        try:
            names = submodule_names(importlib.import_module(point.value))
        except Exception as error:  # whatever a plug-in raises must not take the laboratory down
            failed[point.name] = f"{type(error).__name__}: {error}"
            continue
        for name in names:
            try:
                found[prefix + name] = importlib.import_module(f"{point.value}.{name}")
            except Exception as error:
                failed[prefix + name] = f"{type(error).__name__}: {error}"
    return found, failed


def members(group: str) -> dict[str, ModuleType]:
    """The modules registered under an entry-point group, by name; a plug-in's are ``plugin:name``."""
    return dict(_load(group)[0])


def broken(group: str) -> dict[str, str]:
    """The registered modules that can't be imported, with their errors."""
    return dict(_load(group)[1])
