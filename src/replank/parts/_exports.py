"""The public names of a group's package, found in its files when they are asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from replank import discovery
from replank.parts.part import Part

Kind = TypeVar("Kind")


def parts_defined_in(module: ModuleType) -> list[type[Part]]:
    """The public, concrete parts that a module itself defines."""
    return classes_defined_in(module, Part)  # type: ignore[type-abstract]


def classes_defined_in(module: ModuleType, base: type[Kind]) -> list[type[Kind]]:
    """The public, concrete subclasses of a class that a module itself defines."""
    return [
        kind
        for name, kind in vars(module).items()
        if not name.startswith("_")
        and inspect.isclass(kind)
        and issubclass(kind, base)
        and not inspect.isabstract(kind)
        and kind.__module__ == module.__name__
    ]


def exports(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A group package's ``__getattr__`` and ``__dir__``: its interface's public names, and the parts in its files.

    Nothing is imported before a name is asked for.
    """

    def public() -> dict[str, Any]:
        contract = [importlib.import_module(f"{package}.{name}") for name in ("_interface", "_group")]
        found = {name: getattr(module, name) for module in contract for name in module.__all__}
        for module in discovery.submodules(importlib.import_module(package)).values():
            found |= {kind.__name__: kind for kind in parts_defined_in(module)}
        return found

    def get(name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        names = public()
        if name == "__all__":
            return sorted(names)
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return names[name]

    return get, lambda: sorted(public())
