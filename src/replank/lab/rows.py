"""From a record to rows of the ledger's tables, and back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import sqlalchemy as sa

from replank.lab.schema import artefacts, curves, environments, metrics, trials
from replank.lab.trial import Measurements, Record, TrialKey

_KEY_FIELDS = tuple(field.name for field in fields(TrialKey))
_CHUNK = 500  # values in one statement: databases have limits

ReadArtefact = Callable[[int, str], np.ndarray]
"""Reads an artefact, given the trial's number in the ledger and the artefact's name."""


def insert(connection: sa.Connection, record: Record) -> None:
    """Write a record with its environment, metrics, curves and artefacts."""
    written = connection.execute(
        sa.insert(trials).values(
            **asdict(record.key),
            digest=record.key.digest,
            status=record.status,
            started=record.started,
            wall_s=record.wall_s,
            cpu_s=_null_for_nan(record.cpu_s),
            error=record.error,
            traceback=record.traceback,
            environment=_environment(connection, record.environment),
        )
    )
    number = _number_of(written)
    measured = record.measurements
    rows: dict[sa.Table, list[dict[str, Any]]] = {
        metrics: [{"name": name, "value": _null_for_nan(value)} for name, value in measured.metrics.items()],
        curves: [
            {"epoch": int(point["epoch"]), "name": name, "value": _null_for_nan(value)}
            for point in measured.curves
            for name, value in point.items()
            if name != "epoch"
        ],
        artefacts: [{"name": name, "npy": _npy(array)} for name, array in measured.artefacts.items()],
    }
    for table, its_rows in rows.items():
        if its_rows:
            connection.execute(sa.insert(table), [row | {"trial": number} for row in its_rows])


def load(connection: sa.Connection, numbers: Sequence[int], read_artefact: ReadArtefact) -> list[Record]:
    """The records of the trials of these numbers, in this order; their artefacts are read when they are used."""
    found: dict[int, Record] = {}
    for some in chunks(numbers):
        for row in connection.execute(
            sa.select(trials, environments.c.content).join(environments).where(trials.c.id.in_(some))
        ).mappings():
            found[row["id"]] = _record(row)
        for trial, name, value in connection.execute(
            sa.select(metrics.c.trial, metrics.c.name, metrics.c.value).where(metrics.c.trial.in_(some))
        ):
            found[trial].measurements.metrics[name] = _nan_for_null(value)
        for trial, points in _curves(connection, some).items():
            found[trial].measurements.curves = points
        for trial, names in _artefact_names(connection, some).items():
            found[trial].measurements.artefacts = _Stored(trial, names, read_artefact)
    return [found[number] for number in numbers]


def artefact(connection: sa.Connection, trial: int, name: str) -> np.ndarray:
    """An artefact of the trial of that number."""
    query = sa.select(artefacts.c.npy).where(artefacts.c.trial == trial, artefacts.c.name == name)
    array: np.ndarray = np.load(io.BytesIO(connection.execute(query).scalar_one()), allow_pickle=False)
    return array


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


@dataclass(frozen=True)
class _Stored(Mapping[str, np.ndarray]):
    """Artefacts that lie in the ledger until they are asked for."""

    trial: int
    names: tuple[str, ...]
    read: ReadArtefact

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        return self.read(self.trial, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _record(row: sa.RowMapping) -> Record:
    return Record(
        key=TrialKey(**{name: row[name] for name in _KEY_FIELDS}),
        status=row["status"],
        measurements=Measurements({}),
        environment=row["content"],
        started=row["started"],
        wall_s=row["wall_s"],
        cpu_s=_nan_for_null(row["cpu_s"]),
        error=row["error"],
        traceback=row["traceback"],
    )


def _curves(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, list[dict[str, float]]]:
    points: dict[int, dict[int, dict[str, float]]] = {}
    query = sa.select(curves.c.trial, curves.c.epoch, curves.c.name, curves.c.value).where(curves.c.trial.in_(numbers))
    for trial, epoch, name, value in connection.execute(query.order_by(curves.c.trial, curves.c.epoch)):
        points.setdefault(trial, {}).setdefault(epoch, {"epoch": epoch})[name] = _nan_for_null(value)
    return {trial: list(by_epoch.values()) for trial, by_epoch in points.items()}


def _artefact_names(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    names: dict[int, tuple[str, ...]] = {}
    query = sa.select(artefacts.c.trial, artefacts.c.name).where(artefacts.c.trial.in_(numbers))
    for trial, name in connection.execute(query):
        names[trial] = (*names.get(trial, ()), name)
    return names


def _environment(connection: sa.Connection, content: dict[str, Any]) -> int:
    """The number of an environment, which is written if it is new."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    number = connection.execute(sa.select(environments.c.id).where(environments.c.digest == digest)).scalar()
    if number is None:
        number = _number_of(connection.execute(sa.insert(environments).values(digest=digest, content=content)))
    return int(number)


def _number_of(written: sa.CursorResult[Any]) -> int:
    key = written.inserted_primary_key
    assert key is not None  # only an insert of several rows has none
    return int(key[0])


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _null_for_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _nan_for_null(value: float | None) -> float:
    return float("nan") if value is None else value
