"""Packages of the extra ``dynamics``, imported when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from replank.errors import MissingExtra


def package(name: str, asker: str) -> ModuleType:
    """The package.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(asker, "dynamics") from error
