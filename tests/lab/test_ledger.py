from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from replank.errors import LedgerError
from replank.lab import schema
from replank.lab.ledger import Ledger
from replank.lab.trial import Record, TrialKey

MakeRecord = Callable[..., Record]
MakeKey = Callable[..., TrialKey]


def count(ledger: Ledger, table: sa.Table) -> int:
    with ledger._engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


# -- what goes in comes out --------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was(ledger: Ledger, record: MakeRecord) -> None:
    original = record(error="odd", status="failed")
    assert ledger.add(original)
    (back,) = Ledger(ledger.path).records([original.key]).records
    artefacts = back.measurements.artefacts
    assert set(artefacts) == {"kernel"}
    np.testing.assert_array_equal(artefacts["kernel"], original.measurements.artefacts["kernel"])
    assert artefacts["kernel"].dtype == np.float32
    back.measurements.artefacts = original.measurements.artefacts
    assert back == original


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.1 + 0.2, 5e-324], ids=str)
def test_any_float_comes_back_as_it_was(ledger: Ledger, record: MakeRecord, value: float) -> None:
    original = record(metrics={"odd": value}, status="failed")
    ledger.add(original)
    np.testing.assert_equal(ledger.records([original.key]).table["odd"].item(), value)


def test_records_have_the_order_of_the_keys_and_lack_what_was_not_run(
    ledger: Ledger, record: MakeRecord, key: MakeKey
) -> None:
    for seed in range(3):
        ledger.add(record(seed=seed))
    found = ledger.records([key(seed=2), key(seed=7), key(seed=0)])
    assert list(found.table["seed"]) == [2, 0]


def test_more_trials_than_fit_into_one_statement(ledger: Ledger, record: MakeRecord, key: MakeKey) -> None:
    ledger.add(record(seed=0))
    ledger.add(record(seed=1200))
    keys = [key(seed=seed) for seed in range(1201)]
    assert ledger.done(keys) == {keys[0], keys[1200]}
    assert list(ledger.records(keys).table["seed"]) == [0, 1200]


def test_a_done_trial_is_never_overwritten(ledger: Ledger, record: MakeRecord) -> None:
    first = record(metrics={"loss": 1.0})
    assert ledger.add(first)
    assert not ledger.add(record(metrics={"loss": 2.0}))
    assert not ledger.add(record(status="failed", error="too late"))
    assert ledger.records([first.key]).table["loss"].tolist() == [1.0]


def test_the_database_itself_refuses_a_second_done_row(ledger: Ledger, record: MakeRecord) -> None:
    ledger.add(record())
    with ledger._engine.begin() as connection:
        row = dict(connection.execute(sa.select(schema.trials)).mappings().one())
        del row["id"]
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(schema.trials).values(row))


def test_the_latest_attempt_counts_and_failures_stay_in_the_history(ledger: Ledger, record: MakeRecord) -> None:
    for error in ("first", "second"):
        ledger.add(record(status="failed", error=error))
    key = record().key
    assert ledger.done([key]) == set()
    assert ledger.records([key]).table["error"].tolist() == ["second"]
    ledger.add(record())
    assert ledger.done([key]) == {key}
    assert ledger.records([key]).table["status"].tolist() == ["done"]
    assert count(ledger, schema.trials) == 3


def test_an_environment_is_stored_once(ledger: Ledger, record: MakeRecord) -> None:
    for seed in range(3):
        ledger.add(record(seed=seed, environment={"a": 1, "b": 2}))
    ledger.add(record(seed=3, environment={"b": 2, "a": 1}))
    ledger.add(record(seed=4, environment={"a": 2}))
    assert count(ledger, schema.environments) == 2


def test_a_record_that_can_not_be_written_whole_is_not_written_at_all(ledger: Ledger, record: MakeRecord) -> None:
    bad = record()
    bad.measurements.artefacts = {"kernel": np.array([object()])}
    with pytest.raises(ValueError, match="Object arrays"):
        ledger.add(bad)
    assert [count(ledger, table) for table in schema.metadata.sorted_tables] == [0] * 6


def test_writers_in_several_threads_and_objects_lose_nothing(ledger: Ledger, record: MakeRecord) -> None:
    others = [Ledger(ledger.path) for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: others[n % 3].add(record(seed=n // 2)), range(60)))
    assert sum(written) == 30
    assert count(ledger, schema.trials) == 30


def test_nothing_lies_beside_a_ledger_that_nobody_has_open(ledger: Ledger, record: MakeRecord) -> None:
    ledger.add(record())
    assert ledger.path is not None
    assert [path.name for path in ledger.path.parent.iterdir()] == ["ledger.db"]


# -- the newest --------------------------------------------------------------------------------------------------------


def test_newest_takes_the_latest_attempt_and_never_mixes_settings_of_an_arm(ledger: Ledger, record: MakeRecord) -> None:
    ledger.add(record(seed=0, settings="old", metrics={"loss": 1.0}))
    ledger.add(record(seed=1, settings="old", metrics={"loss": 1.0}))
    ledger.add(record(seed=0, settings="new", code="1" * 64, metrics={"loss": 2.0}))
    ledger.add(record(seed=0, settings="new", code="2" * 64, metrics={"loss": 3.0}))
    ledger.add(record("worse", seed=1, settings="old", metrics={"loss": 4.0}))
    ledger.add(record(seed=0, scale="paper", metrics={"loss": 5.0}))
    ledger.add(record(seed=0, study="other", metrics={"loss": 6.0}))
    found = ledger.newest("fake", scale="smoke")
    assert found.table[["arm", "seed", "loss"]].to_numpy().tolist() == [["steady", 0, 3.0], ["worse", 1, 4.0]]
    assert found.left_out == 2
    assert ledger.newest("fake").table["loss"].tolist() == [3.0, 4.0, 5.0]
    assert ledger.newest("nobody").table.empty


# -- leases ------------------------------------------------------------------------------------------------------------


def test_it_names_the_studies_that_have_trials(ledger: Ledger, record: MakeRecord) -> None:
    assert ledger.studies() == []
    for study, scale in (("raft", "small"), ("ark", "smoke"), ("raft", "smoke")):
        ledger.add(record(study=study, scale=scale))
    ledger.add(record(study="canoe", scale="small", status="failed", error="it sank"))
    assert ledger.studies() == ["ark", "canoe", "raft"]
    assert ledger.studies(scale="smoke") == ["ark", "raft"]


def test_one_run_holds_a_lease_until_it_gives_it_up(ledger: Ledger, key: MakeKey) -> None:
    other = Ledger(ledger.path)
    assert ledger.claim(key())
    assert not other.claim(key())
    assert other.claim(key(seed=1))
    other.release()
    assert not other.claim(key())
    ledger.release()
    assert other.claim(key())


def test_a_lease_that_is_not_renewed_expires(ledger: Ledger, key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> None:
    other, clock = Ledger(ledger.path), SimpleNamespace(now=0.0)
    monkeypatch.setattr("replank.lab.ledger.time", SimpleNamespace(time=lambda: clock.now))
    assert ledger.claim(key())
    clock.now = 0.9 * ledger.lease_s
    ledger.renew()
    clock.now = 1.8 * ledger.lease_s
    assert not other.claim(key())
    clock.now = 2 * ledger.lease_s
    assert other.claim(key())
    ledger.renew()
    ledger.release()  # neither touches what is no longer its own
    clock.now = 2.5 * ledger.lease_s
    assert not ledger.claim(key())


def test_a_done_trial_can_not_be_claimed_and_leaves_no_lease(ledger: Ledger, record: MakeRecord) -> None:
    assert ledger.claim(record().key)
    ledger.add(record())
    assert count(ledger, schema.leases) == 0
    assert not ledger.claim(record().key)
    assert count(ledger, schema.leases) == 0


def test_a_failed_trial_can_be_claimed_again(ledger: Ledger, record: MakeRecord) -> None:
    assert ledger.claim(record().key)
    ledger.add(record(status="failed", error="odd"))
    assert Ledger(ledger.path).claim(record().key)


# -- what can go wrong -------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_keeps_what_is_there(
    ledger: Ledger, record: MakeRecord, leave_room: Callable[[Ledger, int], None]
) -> None:
    leave_room(ledger, 2)
    ledger.add(record())
    large = record(seed=1)
    large.measurements.artefacts = {"kernel": np.zeros(100_000)}
    with pytest.raises(LedgerError, match=r"the disk is full. Free some space"):
        ledger.add(large)
    again = Ledger(ledger.path)
    assert again.done([record().key, large.key]) == {record().key}
    assert again.add(large)


def test_a_read_only_ledger_is_said(ledger: Ledger, record: MakeRecord) -> None:
    ledger.add(record())
    with pytest.raises(LedgerError, match=r"it is read-only. Make the file and its folder writable"):
        Ledger(f"sqlite:///file:{ledger.path}?mode=ro&uri=true").add(record(seed=1))
    assert Ledger(ledger.path).done([record().key]) == {record().key}


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match=r"the folder of .* can't be made"):
        Ledger(tmp_path / "file" / "deeper" / "ledger.db")


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    Ledger(tmp_path / "a" / "b" / "ledger.db")
    assert (tmp_path / "a" / "b" / "ledger.db").is_file()


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="must be a file, got a folder"):
        Ledger(tmp_path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 200)
    with pytest.raises(LedgerError, match="it is not a ledger: the file is no SQLite database"):
        Ledger(path)
    assert path.read_text() == "not a database\n" * 200


def test_a_damaged_page_is_found_when_the_ledger_is_opened(ledger: Ledger, record: MakeRecord) -> None:
    assert ledger.path is not None
    for seed in range(50):
        ledger.add(record(seed=seed))
    content = bytearray(ledger.path.read_bytes())
    with ledger._engine.connect() as connection:
        root = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'trials'").scalar_one()
    content[4096 * (root - 1) : 4096 * root] = b"\xff" * 4096
    ledger.path.write_bytes(content)
    with pytest.raises(LedgerError, match="it is damaged"):
        Ledger(ledger.path)
    assert ledger.path.read_bytes() == content


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "gpfs", "cifs", "fuse.sshfs"])
def test_a_network_file_system_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype=kind)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    with pytest.raises(LedgerError, match=rf"local disk, got a file system of type {kind}.*postgresql://"):
        Ledger(tmp_path / "new" / "ledger.db")
    assert not (tmp_path / "new").exists()


def test_a_local_disk_below_a_network_one_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [
        SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs"),
        SimpleNamespace(mountpoint=str(tmp_path / "disk"), fstype="ext4"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    Ledger(tmp_path / "disk" / "ledger.db")


@pytest.mark.parametrize("where", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_keeps_nothing(where: str) -> None:
    with pytest.raises(LedgerError, match="must be kept in a file or on a server"):
        Ledger(where)


@pytest.mark.parametrize("where", ["nosuchdatabase://host/name", "://", "postgresql+nosuchdriver://host/name"])
def test_a_url_that_means_nothing_is_said(where: str) -> None:
    with pytest.raises(LedgerError, match=r"can't be used: .*Name a path or a URL."):
        Ledger(where)


def test_every_connection_is_set_up(ledger: Ledger) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 30000, "foreign_keys": 1}
    with ledger._engine.connect() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted


# -- schemas -----------------------------------------------------------------------------------------------------------

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"

def upgrade():
    op.add_column("trials", sa.Column("note", sa.Text))
    {more}
"""


def revise(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "") -> None:
    """As if the code were a revision further."""
    (folder / "versions").mkdir(parents=True)
    for path in schema.MIGRATIONS.rglob("*.py"):
        (folder / path.relative_to(schema.MIGRATIONS)).write_text(path.read_text())
    (folder / "versions" / "r9999_later.py").write_text(LATER.format(head=schema.HEAD, more=more))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "HEAD", "9999")


def columns_of_trials(path: Path | None) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{path}")
    names = {column["name"] for column in sa.inspect(engine).get_columns("trials")}
    engine.dispose()
    return names


def test_the_migrations_make_the_tables_that_the_code_uses(ledger: Ledger) -> None:
    with ledger._engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_heads() == (schema.HEAD,)
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert scripts.get_heads() == [schema.HEAD]


def test_an_older_ledger_is_migrated_with_its_records(
    ledger: Ledger, record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.add(record())
    revise(monkeypatch, tmp_path / "migrations")
    assert Ledger(ledger.path).done([record().key]) == {record().key}
    assert "note" in columns_of_trials(ledger.path)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(
    ledger: Ledger, record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.add(record())
    with monkeypatch.context() as patch:
        revise(patch, tmp_path / "migrations", more='op.execute("SELECT * FROM nowhere")')
        with pytest.raises(LedgerError, match="no such table: nowhere"):
            Ledger(ledger.path)
    assert "note" not in columns_of_trials(ledger.path)
    assert Ledger(ledger.path).done([record().key]) == {record().key}


def test_a_newer_ledger_is_refused_and_left_alone(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        revise(patch, tmp_path / "migrations")
        Ledger(ledger.path)
    assert ledger.path is not None
    before = ledger.path.read_bytes()
    with pytest.raises(LedgerError, match=r"its schema '9999' is newer than this replank, which knows '0001'. Install"):
        Ledger(ledger.path)
    assert ledger.path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE trials (number INTEGER)")
    engine.dispose()
    with pytest.raises(LedgerError, match="it belongs to another program: it has a table 'trials'"):
        Ledger(tmp_path / "other.db")
