from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from ark import LEVELS, STUDY, record

from replank.lab.claim import Judgement, judge
from replank.lab.records import Records
from replank.lab.study import Study

MakeRecords = Callable[..., Records]


@pytest.fixture
def study() -> Study:
    return STUDY


@pytest.fixture
def make_records() -> MakeRecords:
    """Records of given arms and seeds in one place; ``failed`` holds the (arm, seed) of trials that failed."""

    def make(
        *, arms: Sequence[str] = tuple(LEVELS), seeds: int = 3, failed: Sequence[tuple[str, int]] = (), **place: str
    ) -> Records:
        pairs = [(arm, seed) for seed in range(seeds) for arm in arms]
        return Records.of(record(arm, seed, failed=(arm, seed) in failed, **place) for arm, seed in pairs)

    return make


@pytest.fixture
def records(make_records: MakeRecords) -> Records:
    return make_records(failed=[("frozen-reed", 1)])


@pytest.fixture
def judgements(study: Study, records: Records) -> list[Judgement]:
    return judge(study.claims, records.table)
