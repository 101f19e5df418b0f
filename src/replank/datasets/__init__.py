"""Data sets with their provenance: verified, split, fingerprinted. Found by looking: each set is a module here.

To add a set, add a module with a ``SET``, an :class:`Embedded` or a :class:`FromFiles`; a plug-in registers a package
of such modules under the entry point ``replank.datasets``.
"""

from __future__ import annotations

from pathlib import Path

from replank import discovery
from replank.datasets._card import Arrays as Arrays
from replank.datasets._card import Card as Card
from replank.datasets._card import Dataset as Dataset
from replank.datasets._card import fingerprint as fingerprint
from replank.datasets._data import Data as Data
from replank.datasets._files import DataFile as DataFile
from replank.datasets._files import Edition as Edition
from replank.datasets._files import FileState as FileState
from replank.datasets._folders import data_folder as data_folder
from replank.datasets._recipe import Embedded as Embedded
from replank.datasets._recipe import FromFiles as FromFiles
from replank.datasets._recipe import Info as Info
from replank.datasets._recipe import Recipe as Recipe
from replank.datasets._recipe import Verification as Verification
from replank.datasets._sequences import Labelled as Labelled
from replank.datasets._sequences import Sequences as Sequences
from replank.datasets._series import Series as Series
from replank.datasets._series import Values as Values
from replank.errors import DataError, UnknownName

GENERATED = "generated"
"""The set of the trials that make their data themselves."""

_GROUP = "replank.datasets"


def names() -> list[str]:
    """The names of all data sets; a plug-in's are ``plugin:name``."""
    return list(_recipes())


def info(name: str) -> Info:
    """What is known of a data set without loading it.

    Raises:
        UnknownName: there is no set of that name.
    """
    return _recipe(name).info


def load(name: str, folder: Path | None = None) -> Data:
    """A data set, from verified data only: images as :class:`Dataset`, or :class:`Series`, or :class:`Sequences`.

    Args:
        name: one of :func:`names`.
        folder: where its files lie; by default what ``REPLANK_DATA`` names, else the user's cache.

    Raises:
        UnknownName: there is no set of that name.
        DataError: files are missing or damaged; the message says which, and how to get them.
    """
    return _recipe(name).load(folder)


def verify(name: str, folder: Path | None = None) -> Verification:
    """The state of each file that :func:`load` would read.

    Raises:
        UnknownName: there is no set of that name.
    """
    return _recipe(name).verify(folder)


def fetch(name: str, folder: Path | None = None) -> Verification:
    """Download a data set into a folder, unless it is there already, and verify it.

    Raises:
        UnknownName: there is no set of that name.
        DataError: the files can't be downloaded or written, or are not the known ones; nothing half-written is left.
    """
    return _recipe(name).fetch(folder)


def _recipes() -> dict[str, Recipe]:
    found = discovery.members(_GROUP)
    return {name: module.SET for name, module in found.items() if hasattr(module, "SET")}


def _recipe(name: str) -> Recipe:
    broken = discovery.broken(_GROUP)
    if name in broken:
        raise DataError(f"load: the module of a data set must be importable, got {name}: {broken[name]}. Repair it.")
    known = _recipes()
    if name not in known:
        raise UnknownName("data set", name, known)
    return known[name]
