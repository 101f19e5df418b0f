"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "environments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "trials",
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
    done = sa.text("status = 'done'")
    op.create_index("done_once", "trials", ["digest"], unique=True, sqlite_where=done, postgresql_where=done)
    for name in ("metrics", "curves"):
        op.create_table(
            name,
            sa.Column("trial", sa.Integer, sa.ForeignKey("trials.id"), primary_key=True),
            sa.Column("name", sa.String(255), primary_key=True),
            *([sa.Column("epoch", sa.Integer, primary_key=True)] if name == "curves" else []),
            sa.Column("value", sa.Double),
        )
    op.create_table(
        "artefacts",
        sa.Column("trial", sa.Integer, sa.ForeignKey("trials.id"), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("npy", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
