"""What a solver computed, kept as an archive that says how: parameters, mesh, seeds, versions, and a checksum.

An archive that is damaged, holds NaN or says that it is something else is refused, not made anew without a word.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replank.datasets._folders import cache_folder
from replank.errors import DataError

Arrays = Mapping[str, NDArray[Any]]
About = Mapping[str, Any]
"""What tells one simulation from all others, as it is written in JSON."""

_ABOUT, _CHECKSUM = "about", "sha256"


def kept_simulation(name: str, about: About, simulate: Callable[[], Arrays], folder: Path | None = None) -> Arrays:
    """What ``simulate`` returns, kept for the next time.

    Args:
        name: first words of the file's name.
        about: parameters, mesh, seeds and versions of the solver: all that the arrays depend on.
        simulate: the slow way.
        folder: where the archive is kept; the user's cache unless given.

    Raises:
        DataError: the archive is there but damaged, or what was computed is not finite.
    """
    folder = cache_folder() / "simulated" if folder is None else folder
    path = folder / f"{name}-{hashlib.sha256(_text(about).encode()).hexdigest()[:16]}.npz"
    if path.exists():
        return read_simulation(path, about)
    arrays = simulate()
    _check_finite(name, arrays)
    with suppress(OSError):  # a cache that can't be written costs time, not truth
        write_simulation(path, arrays, about)
    return arrays


def write_simulation(path: Path, arrays: Arrays, about: About) -> None:
    """Write an archive, whole or not at all.

    Raises:
        DataError: an array holds NaN or infinity.
        OSError: it can't be written.
    """
    _check_finite(str(path), arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _text(about)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        whole = Path(scratch) / path.name
        described = {_ABOUT: np.array(text), _CHECKSUM: np.array(_checksum(arrays, text))}
        np.savez(whole, allow_pickle=False, **arrays, **described)
        whole.replace(path)


def read_simulation(path: Path, about: About | None = None) -> Arrays:
    """The arrays of an archive, verified.

    Args:
        path: of the archive.
        about: what it must say that it is, if that is known.

    Raises:
        DataError: it can't be read, its checksum is another one, it holds NaN, or it is of something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        text, checksum = str(arrays.pop(_ABOUT)), str(arrays.pop(_CHECKSUM))
    except Exception as error:  # zipfile, zlib and NumPy raise half a dozen kinds on broken archives
        raise DataError(f"read_simulation: {path} must be an archive of a simulation, got {error}. {_REMEDY}") from None
    found = _checksum(arrays, text)
    if found != checksum:
        raise DataError(f"read_simulation: {path} must have sha256:{checksum}, got sha256:{found}. {_REMEDY}")
    _check_finite(str(path), arrays)
    if about is not None and json.loads(text) != json.loads(_text(about)):
        raise DataError(f"read_simulation: {path} must be of {_text(about)}, got {text}. {_REMEDY}")
    return arrays


_REMEDY = "Delete it: it is then computed anew."


def _text(about: About) -> str:
    return json.dumps(about, sort_keys=True)


def _checksum(arrays: Arrays, text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _check_finite(what: str, arrays: Arrays) -> None:
    for name, array in arrays.items():
        bad = int((~np.isfinite(array)).sum())
        if bad:
            raise DataError(f"simulation: all values must be finite, got {bad} that are not in {name!r} of {what}.")
