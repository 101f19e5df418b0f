"""Where a finished trial goes if the ledger can't take it: into a file of its own, which the next run takes in."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from replank.errors import LedgerError
from replank.lab.ledger import Ledger
from replank.lab.trial import Measurements, Record, TrialKey

_HEAD = "record"


def rescue(record: Record, ledger: Ledger) -> Path:
    """Write a record to a file, beside the ledger or else in the folder for temporary files.

    Returns:
        The file, which :func:`take_in` finds.

    Raises:
        LedgerError: nothing can be written anywhere.
    """
    content = _to_bytes(record)
    for stem in _stems(ledger):
        path = stem.with_name(f"{stem.name}{record.key.digest[:16]}.npz")
        part = path.with_suffix(".part")
        try:
            part.write_bytes(content)
            return part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
    raise LedgerError(
        f"Ledger {ledger}: neither it nor the folder for temporary files can be written. Free some space."
    )


def take_in(ledger: Ledger) -> int:
    """Move rescued records into the ledger.

    Returns:
        How many there were.
    """
    paths = [
        path
        for stem in _stems(ledger)
        for path in sorted(stem.parent.iterdir())
        if path.name.startswith(stem.name) and path.suffix == ".npz"
    ]
    for path in paths:
        ledger.add(_from_bytes(path.read_bytes()))
        path.unlink()
    return len(paths)


def _stems(ledger: Ledger) -> Iterator[Path]:
    """How the names of this ledger's rescue files begin, in the places to try."""
    if ledger.path:
        yield ledger.path.absolute().with_name(f"{ledger.path.name}.rescued-")
    name = str(ledger.path.absolute() if ledger.path else ledger)
    yield Path(tempfile.gettempdir()) / f"replank-rescued-{hashlib.sha256(name.encode()).hexdigest()[:16]}-"


def _to_bytes(record: Record) -> bytes:
    head = asdict(record)
    arrays: dict[str, Any] = {
        f"artefact {name}": array for name, array in head["measurements"].pop("artefacts").items()
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_HEAD: np.array(json.dumps(head))}, **arrays)
    return buffer.getvalue()


def _from_bytes(content: bytes) -> Record:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        head = json.loads(str(stored[_HEAD]))
        arrays = {name.removeprefix("artefact "): stored[name] for name in stored.files if name != _HEAD}
    key, measured = TrialKey(**head.pop("key")), head.pop("measurements")
    return Record(key=key, measurements=Measurements(**measured, artefacts=arrays), **head)
