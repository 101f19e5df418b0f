"""How a ledger's schema came about: one revision a file, applied by alembic when a ledger is opened."""
