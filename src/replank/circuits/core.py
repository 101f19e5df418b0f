"""The compiled core, where there is one: circuits run on torch without it, more slowly.

It is compiled from ``cpp/`` when replank is installed. There is none if ``REPLANK_NO_CORE=1`` was set then or is now.
"""

from __future__ import annotations

import importlib
import os
import re
from functools import cache

import torch  # noqa: F401  the core joins the OpenMP threads of a torch that is there first, else it brings its own

from replank.errors import UsageError


def available() -> bool:
    """Whether there is a compiled core and ``REPLANK_NO_CORE`` does not forbid it.

    Raises:
        UsageError: ``REPLANK_ISA`` names an instruction set that this machine does not have.
    """
    return why_not() is None


def why_not() -> str | None:
    """Why there is no compiled core, or ``None`` if there is one.

    Raises:
        UsageError: ``REPLANK_ISA`` names an instruction set that this machine does not have.
    """
    if os.environ.get("REPLANK_NO_CORE", "0") not in ("", "0"):
        return "REPLANK_NO_CORE is set"
    return _import_error()


def require() -> None:
    """Return if ``from replank.circuits import _core`` works and its kernels may be called.

    Raises:
        UsageError: they may not.
    """
    reason = why_not()
    if reason is not None:
        raise UsageError(f"core: the compiled core must be there, got none: {reason}. Use the torch backend.")


def isa() -> str:
    """The instruction set that the core uses: ``"avx512"``, ``"avx2"`` or ``"baseline"``.

    Raises:
        UsageError: there is no core, or ``REPLANK_ISA`` names an instruction set that this machine does not have.
    """
    require()
    from replank.circuits import _core

    return _core.isa()


def source_hash() -> str | None:
    """SHA-256 of the C++ sources of the core in use, as 64 hexadecimal digits; ``None`` if there is no core."""
    if not available():
        return None
    from replank.circuits import _core

    return _core.source_hash()


@cache
def _import_error() -> str | None:
    try:
        importlib.import_module("replank.circuits._core").isa()
    except ModuleNotFoundError:
        return "replank was installed without it"
    except ImportError as error:
        return "it can't be loaded: " + re.sub(r"\S*/", "", str(error))  # goes into records, which name no folders
    except ValueError as error:
        raise UsageError(str(error)) from None
    return None
