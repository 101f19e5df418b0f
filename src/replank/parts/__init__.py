"""What can fill a slot, in groups named after what they replace.

Nothing is listed by hand. A *group* is a package whose ``_group`` module holds a ``GROUP``, a
:class:`~replank.parts.part.Group`; a *part* is a public, concrete subclass of a group's base class. They are looked for
in our own package and in those that plug-ins register under the entry-point group ``replank.parts``; a plug-in's names
are ``plugin:Name``.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from types import ModuleType

from torch import nn

from replank import discovery
from replank.errors import UnknownName
from replank.parts._exports import Kind, classes_defined_in
from replank.parts.part import Group, Part

__all__ = ["Group", "Part", "broken", "classes_of", "find_part", "group_of", "groups", "parts_of"]


def groups() -> dict[str, Group]:
    """All groups, by name."""
    found = (_group(module) for module in discovery.members("replank.parts").values())
    return {module.GROUP.name: module.GROUP for module in found if module is not None}


def parts_of(group: str) -> dict[str, type[Part]]:
    """The parts of a group, by class name.

    Raises:
        UnknownName: there is no such group.
    """
    known = groups()
    if group not in known:
        raise UnknownName("group of parts", group, known)
    return {name: kind for name, kind in _parts() if issubclass(kind, known[group].base)}


def find_part(name: str) -> type[Part]:
    """The part of that class name.

    Raises:
        UnknownName: there is none; the message names the nearest.
    """
    known = dict(_parts())
    if name not in known:
        raise UnknownName("part", name, known)
    return known[name]


def group_of(module: nn.Module) -> Group | None:
    """The group whose interface a module has, if any."""
    return next((group for group in groups().values() if group.holds(module)), None)


def classes_of(base: type[Kind]) -> dict[str, type[Kind]]:
    """The public, concrete subclasses of a class among what is registered, by name: parts that are no modules."""
    return dict(_classes(base))


def broken() -> dict[str, str]:
    """What is registered as parts but can't be imported, with the errors."""
    failed = discovery.broken("replank.parts")
    for name, module in discovery.members("replank.parts").items():
        failed |= {
            f"{name}.{short}": str(found) for short, found in _submodules(module) if isinstance(found, Exception)
        }
    return failed


def _group(module: ModuleType) -> ModuleType | None:
    name = f"{module.__name__}._group"
    is_group = hasattr(module, "__path__") and importlib.util.find_spec(name) is not None
    return importlib.import_module(name) if is_group else None


def _submodules(module: ModuleType) -> Iterator[tuple[str, ModuleType | Exception]]:
    """The public modules of a package, imported, or why not; nothing for a plain module."""
    for short in discovery.submodule_names(module) if hasattr(module, "__path__") else []:
        try:
            yield short, importlib.import_module(f"{module.__name__}.{short}")
        except Exception as error:  # a plug-in's broken file must not take the others down; `broken` tells
            yield short, error


def _parts() -> Iterator[tuple[str, type[Part]]]:
    return _classes(Part)  # type: ignore[type-abstract]


def _classes(base: type[Kind]) -> Iterator[tuple[str, type[Kind]]]:
    for member, module in discovery.members("replank.parts").items():
        plugin, colon, _ = member.rpartition(":")
        files = [module, *(found for _, found in _submodules(module) if isinstance(found, ModuleType))]
        for file in files:
            for kind in classes_defined_in(file, base):
                yield f"{plugin}{colon}{kind.__name__}", kind
