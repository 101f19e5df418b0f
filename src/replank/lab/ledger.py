"""The ledger: a database with a row for each trial, written in one transaction when the trial ends.

A trial that is done is never written again. One that failed stays in the history and is tried again by the next run:
its latest attempt counts. Two runs may share a ledger: before a run starts a trial it takes a lease of it, which it
renews while the trial runs; a lease of a run that was killed expires.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from replank.errors import LedgerError
from replank.lab import rows
from replank.lab.records import Records
from replank.lab.schema import leases, migrate, trials
from replank.lab.trial import Record, TrialKey

# Locks and shared memory of SQLite's write-ahead log do not work there: ledgers get corrupted without a word.
_NETWORK = ("nfs", "lustre", "gpfs", "cifs", "smb", "beegfs", "fuse")

_REASONS = {
    "SQLITE_FULL": "the disk is full. Free some space; what is in the ledger is safe",
    "SQLITE_READONLY": "it is read-only. Make the file and its folder writable, or name another file",
    "SQLITE_CANTOPEN": "the file can't be opened or created. Check that its folder exists and is writable",
    "SQLITE_NOTADB": "it is not a ledger: the file is no SQLite database. Move it away, or name another file",
    "SQLITE_CORRUPT": "it is damaged. Save what can be read with `sqlite3 FILE .recover`, or move it away",
    "SQLITE_IOERR": "the disk does not answer as it should. Check the disk",
    "SQLITE_BUSY": "another program has kept it locked for 30 s. Close that program",
}


class Ledger:
    """A database of records.

    Opening one creates it, or brings an older one to this code's schema. Do that before other processes use it.

    Args:
        where: a path, for an SQLite file whose folder is created if need be, or any SQLAlchemy URL.
        lease_s: seconds after which a trial may be started by another run, if the run that started it has not renewed
            its lease.

    Attributes:
        path: the SQLite file, or ``None`` for a database server.

    Raises:
        LedgerError: it can't be used; the message says why and what to do.
    """

    def __init__(self, where: str | Path, *, lease_s: float = 20.0):
        self._owner = uuid.uuid4().hex
        self.lease_s = lease_s
        try:
            self._url = sa.make_url(str(where)) if "://" in str(where) else sa.URL.create("sqlite", database=str(where))
            self._engine = _engine(self._url)
        except (sa.exc.ArgumentError, ImportError) as error:
            raise LedgerError(f"Ledger: {str(where)!r} can't be used: {error}. Name a path or a URL.") from None
        self.path = _file(self._url)
        if self.path:
            _prepare(self.path)
        with self._writing() as connection:
            if connection.dialect.name == "sqlite":
                _check_pages(connection)
            migrate(connection)

    def __str__(self) -> str:
        return str(self.path) if self.path else self._url.render_as_string(hide_password=True)

    # -- trials ------------------------------------------------------------------------------------------------------

    def add(self, record: Record) -> bool:
        """Write what a trial left, and give up its lease.

        Returns:
            Whether it was written; it is not if the trial is already done.
        """
        digest = record.key.digest
        try:
            with self._writing() as connection:
                connection.execute(sa.delete(leases).where(leases.c.digest == digest, leases.c.owner == self._owner))
                if _done(connection, [digest]):
                    return False
                rows.insert(connection, record)
                return True
        except sa.exc.IntegrityError:  # another run was quicker
            return False

    def done(self, keys: Iterable[TrialKey]) -> set[TrialKey]:
        """Those of the trials that are done."""
        by_digest = {key.digest: key for key in keys}
        with self._reading() as connection:
            return {by_digest[digest] for digest in _done(connection, list(by_digest))}

    def records(self, keys: Iterable[TrialKey]) -> Records:
        """Exactly these trials, in this order, the latest attempt of each; those that never ended are not there."""
        digests = [key.digest for key in keys]
        attempts = sa.select(trials.c.digest, sa.func.max(trials.c.id).label("id")).group_by(trials.c.digest)
        with self._reading() as connection:
            latest: dict[str, int] = {}
            for some in rows.chunks(digests):
                latest |= {row.digest: row.id for row in connection.execute(attempts.where(trials.c.digest.in_(some)))}
            numbers = [latest[digest] for digest in digests if digest in latest]
            return Records.of(rows.load(connection, numbers, self._artefact))

    def studies(self, *, scale: str | None = None) -> list[str]:
        """The slugs of the studies that have trials, done or failed, sorted.

        Args:
            scale: at this scale only.
        """
        query = sa.select(trials.c.study).distinct().order_by(trials.c.study)
        if scale is not None:
            query = query.where(trials.c.scale == scale)
        with self._reading() as connection:
            return list(connection.scalars(query))

    def newest(self, study: str, *, scale: str | None = None) -> Records:
        """What is known of a study now: of each scale, protocol, data set, arm and seed the newest attempt.

        Two settings of an arm are never mixed: trials with other settings than the arm's newest trial are left out,
        and ``left_out`` says how many they are.

        Args:
            study: slug.
            scale: only this one.
        """
        columns = trials.c
        query = sa.select(trials).where(columns.study == study).order_by(columns.id)
        if scale is not None:
            query = query.where(columns.scale == scale)
        with self._reading() as connection:
            found = connection.execute(query).all()
            settings = {_arm(row): row.settings for row in found}
            newest = {(*_arm(row), row.seed): row.id for row in found if row.settings == settings[_arm(row)]}
            left_out = {row.digest for row in found if row.settings != settings[_arm(row)]}
            return Records(tuple(rows.load(connection, list(newest.values()), self._artefact)), len(left_out))

    # -- leases ------------------------------------------------------------------------------------------------------

    def claim(self, key: TrialKey) -> bool:
        """Take the lease of a trial; false if another run has it, or if the trial is done."""
        now, digest = time.time(), key.digest
        try:
            with self._writing() as connection:
                connection.execute(sa.delete(leases).where(leases.c.digest == digest, leases.c.expires < now))
                connection.execute(
                    sa.insert(leases).values(digest=digest, owner=self._owner, expires=now + self.lease_s)
                )
                # asked only now: a run that has finished it gave up its lease in the same transaction
                if not _done(connection, [digest]):
                    return True
                connection.execute(sa.delete(leases).where(leases.c.digest == digest))
                return False
        except sa.exc.IntegrityError:
            return False

    def renew(self) -> None:
        """Make the leases taken through this object last for their full time again."""
        with self._writing() as connection:
            mine = sa.update(leases).where(leases.c.owner == self._owner)
            connection.execute(mine.values(expires=time.time() + self.lease_s))

    def release(self) -> None:
        """Give up the leases taken through this object."""
        with self._writing() as connection:
            connection.execute(sa.delete(leases).where(leases.c.owner == self._owner))

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._explained(), self._engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Database errors as one sentence with a remedy."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise  # a race between two runs, which the caller expects
        except sa.exc.SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            name = getattr(cause, "sqlite_errorname", "")
            known = (reason for start, reason in _REASONS.items() if name.startswith(start))
            raise LedgerError(f"Ledger {self}: {next(known, str(cause))}.") from None
        except LedgerError as error:
            raise LedgerError(f"Ledger {self}: {error}.") from None

    def _artefact(self, trial: int, name: str) -> np.ndarray:
        with self._reading() as connection:
            return rows.artefact(connection, trial, name)


def _done(connection: sa.Connection, digests: list[str]) -> set[str]:
    query = sa.select(trials.c.digest).where(trials.c.status == "done")
    return {
        digest
        for some in rows.chunks(digests)
        for (digest,) in connection.execute(query.where(trials.c.digest.in_(some)))
    }


def _arm(row: Any) -> tuple[str, str, str, str]:
    return row.scale, row.protocol, row.dataset, row.arm


# -- files -------------------------------------------------------------------------------------------------------------


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url)
    # A connection for each transaction costs less than a millisecond, may be used from any thread, and leaves no
    # write-ahead log behind: a ledger that nobody has open is a single file.
    engine = sa.create_engine(url, poolclass=NullPool)
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver starts no transactions of its own
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads and then writes can't wait for another writer, so writers say at once what they are.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _file(url: sa.URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if url.database in (None, "", ":memory:"):
        raise LedgerError(
            "Ledger: records must be kept in a file or on a server, got a database in memory. Name a path."
        )
    return Path(str(url.database).removeprefix("file:"))


def _prepare(path: Path) -> None:
    kind = _file_system(path)
    if kind.startswith(_NETWORK) and kind != "fuseblk":  # which is a local disk of another system
        raise LedgerError(
            f"Ledger: {path} must be on a local disk, got a file system of type {kind}, where SQLite ledgers get "
            "corrupted. Name a file on a local disk, or a database server such as postgresql://."
        )
    if path.is_dir():
        raise LedgerError(f"Ledger: {path} must be a file, got a folder. Name a file in it, e.g. {path / 'ledger.db'}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"Ledger: the folder of {path} can't be made ({error.strerror}). Name a file where you may write."
        ) from None


def _file_system(path: Path) -> str:
    """Type of the file system that a path lies on, as the system calls it; empty if it does not say."""
    place = path.resolve()
    mounts = {Path(each.mountpoint): each.fstype for each in psutil.disk_partitions(all=True)}
    return next((mounts[folder] for folder in (place, *place.parents) if folder in mounts), "")


def _check_pages(connection: sa.Connection) -> None:
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        raise LedgerError(_REASONS["SQLITE_CORRUPT"])
