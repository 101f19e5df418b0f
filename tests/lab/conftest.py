from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from replank.lab.ledger import Ledger
from replank.lab.trial import Measurements, Record, TrialKey

MakeRecord = Callable[..., Record]


def make_key(arm: str = "steady", seed: int = 0, settings: str = "{}", **other: object) -> TrialKey:
    fields: dict[str, object] = {
        "study": "fake", "scale": "smoke", "protocol": "plain", "dataset": "digits", "arm": arm, "seed": seed,
        "settings": settings, "data_sha256": "d" * 64, "code": "c" * 64, "threads": 1,
    }  # fmt: skip
    return TrialKey(**(fields | other))  # type: ignore[arg-type]


def make_record(
    arm: str = "steady",
    seed: int = 0,
    *,
    metrics: dict[str, float] | None = None,
    status: str = "done",
    error: str | None = None,
    started: float = 1000.0,
    environment: dict[str, object] | None = None,
    **key: object,
) -> Record:
    return Record(
        key=make_key(arm, seed, **key),
        status=status,
        measurements=Measurements(
            {"loss": 0.25, "accuracy": 0.5} if metrics is None else metrics,
            [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.25, "accuracy": 0.5}],
            {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)},
        ),
        environment={"python": "3"} if environment is None else environment,
        started=started,
        wall_s=2.0,
        cpu_s=1.5,
        error=error,
        traceback=None if error is None else f"Traceback: {error}",
    )


@pytest.fixture
def key() -> Callable[..., TrialKey]:
    return make_key


@pytest.fixture
def record() -> MakeRecord:
    return make_record


@pytest.fixture
def leave_room() -> Callable[[Ledger, int], None]:
    """From now on a ledger's disk has room for so many pages more."""

    def limit(ledger: Ledger, more: int) -> None:
        with ledger._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + more
        sa.event.listen(
            ledger._engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}")
        )

    return limit


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")
