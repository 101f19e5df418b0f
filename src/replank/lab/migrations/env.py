"""What alembic runs: the revisions, on the connection and inside the transaction that the ledger has opened."""

from __future__ import annotations

from alembic import context

from replank.lab.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
