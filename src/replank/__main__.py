"""``python -m replank``."""

from __future__ import annotations

from replank.cli import main

main()
