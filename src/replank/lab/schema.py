"""The tables of a ledger, and how an older ledger gets them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from replank.errors import LedgerError

VERSION_TABLE = "replank_schema_version"
MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0001"
"""The revision that the tables below are."""

metadata = sa.MetaData()

environments = sa.Table(
    "environments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("content", sa.JSON, nullable=False),
)

trials = sa.Table(
    "trials",
    metadata,
    # numbers are never given twice: a larger one is a later attempt
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("study", sa.Text, nullable=False, index=True),
    sa.Column("scale", sa.Text, nullable=False),
    sa.Column("protocol", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("data_sha256", sa.String(64), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("started", sa.Double, nullable=False),
    sa.Column("wall_s", sa.Double, nullable=False),
    sa.Column("cpu_s", sa.Double),
    sa.Column("error", sa.Text),
    sa.Column("traceback", sa.Text),
    sa.Column("environment", sa.Integer, sa.ForeignKey("environments.id"), nullable=False),
    sa.CheckConstraint("status IN ('done', 'failed')", name="status_is_known"),
    sqlite_autoincrement=True,
)

# whatever two runs do at once, a trial is done once
sa.Index(
    "done_once",
    trials.c.digest,
    unique=True,
    sqlite_where=trials.c.status == "done",
    postgresql_where=trials.c.status == "done",
)

metrics = sa.Table(
    "metrics",
    metadata,
    sa.Column("trial", sa.Integer, sa.ForeignKey("trials.id"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    # NULL stands for NaN, which SQLite has not
    sa.Column("value", sa.Double),
)

curves = sa.Table(
    "curves",
    metadata,
    sa.Column("trial", sa.Integer, sa.ForeignKey("trials.id"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("value", sa.Double),
)

artefacts = sa.Table(
    "artefacts",
    metadata,
    sa.Column("trial", sa.Integer, sa.ForeignKey("trials.id"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("npy", sa.LargeBinary, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
)


def migrate(connection: sa.Connection) -> None:
    """Bring a database to the schema of this code, inside the transaction of the connection.

    Raises:
        LedgerError: a newer replank has written it, or it belongs to another program.
    """
    current = _revision(connection)
    if current == HEAD:
        return
    if current is None:
        _refuse_foreign_tables(connection)
    _upgrade(connection, current)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE))).scalar()


def _upgrade(connection: sa.Connection, current: str | None) -> None:
    # alembic takes half a second to import, and most ledgers are up to date
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise LedgerError(
            f"its schema {current!r} is newer than this replank, which knows {HEAD!r}. "
            "Install the replank that wrote it, or name another ledger"
        )
    command.upgrade(config, HEAD)


def _refuse_foreign_tables(connection: sa.Connection) -> None:
    taken = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise LedgerError(
            f"it belongs to another program: it has a table {taken[0]!r} that replank did not write. "
            "Name another file or database"
        )
