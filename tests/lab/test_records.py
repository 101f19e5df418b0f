from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from replank.errors import UnknownName, UsageError
from replank.lab.claim import judge
from replank.lab.ledger import Ledger
from replank.lab.records import Records
from replank.lab.trial import Record

MakeRecord = Callable[..., Record]


@pytest.fixture
def some(record: MakeRecord) -> list[Record]:
    return [
        record("steady", 0),
        record("steady", 1, metrics={"loss": 1.0, "extra": 2.0}),
        record("worse", 0, metrics={}, status="failed", error="odd", environment={"python": "4"}),
        record("steady", 0, protocol="late", dataset="mnist5k"),
    ]


def test_a_table_has_a_row_for_each_trial_and_a_column_for_each_metric(some: list[Record]) -> None:
    table = Records.of(some).table
    assert table[["protocol", "dataset", "arm", "seed", "status"]].to_numpy().tolist() == [
        ["plain", "digits", "steady", 0, "done"],
        ["plain", "digits", "steady", 1, "done"],
        ["plain", "digits", "worse", 0, "failed"],
        ["late", "mnist5k", "steady", 0, "done"],
    ]
    np.testing.assert_array_equal(table["loss"], [0.25, 1.0, np.nan, 0.25])
    np.testing.assert_array_equal(table["extra"], [np.nan, 2.0, np.nan, np.nan])
    assert table["digest"].tolist() == [record.key.digest for record in some]
    assert table["error"].tolist()[2] == "odd"


def test_curves_are_tidy(some: list[Record]) -> None:
    curves = Records.of(some[:1]).curves
    assert curves.columns.tolist() == ["scale", "protocol", "dataset", "arm", "seed", "epoch", "name", "value"]
    assert curves[["seed", "epoch", "name", "value"]].to_numpy().tolist() == [
        [0, 1, "loss", 1.0],
        [0, 2, "accuracy", 0.5],
        [0, 2, "loss", 0.25],
    ]


def test_a_ledger_gives_the_same_tables_as_a_list(ledger: Ledger, some: list[Record]) -> None:
    for record in some:
        ledger.add(record)
    listed, stored = Records.of(some), ledger.records(record.key for record in some)
    pd.testing.assert_frame_equal(listed.table, stored.table)
    pd.testing.assert_frame_equal(listed.curves, stored.curves)
    assert listed.environments == stored.environments == [{"python": "3"}, {"python": "4"}]


def test_no_records_make_an_empty_table_that_can_be_judged() -> None:
    empty = Records.of([])
    assert empty.table.empty
    assert empty.curves.empty
    assert {"scale", "arm", "seed", "status", "error"} <= set(empty.table)
    assert judge([], empty.table) == []


def test_only_narrows(some: list[Record]) -> None:
    records = Records(tuple(some), left_out=3)
    assert records.only(arm="steady", protocol="plain").table["seed"].tolist() == [0, 1]
    assert records.only(seed=0, dataset="mnist5k").table["protocol"].tolist() == ["late"]
    assert records.only(scale="paper").table.empty
    assert records.only().left_out == 3


@pytest.mark.parametrize("kept_in", ["list", "ledger"])
def test_an_artefact_is_found_by_arm_and_seed(ledger: Ledger, some: list[Record], kept_in: str) -> None:
    for record in some:
        ledger.add(record)
    records = Records.of(some) if kept_in == "list" else ledger.records(record.key for record in some)
    np.testing.assert_array_equal(records.artefact("kernel", "steady", seed=1), np.arange(6.0).reshape(2, 3))
    with pytest.raises(UnknownName, match=r"unknown artefact of steady 'kernels'. Did you mean 'kernel'\?"):
        records.artefact("kernels", "steady", seed=1)
    with pytest.raises(UsageError, match="exactly one trial must match, got 2"):
        records.artefact("kernel", "steady", seed=0)
    assert records.only(protocol="late").artefact("kernel", "steady").shape == (2, 3)
    with pytest.raises(UsageError, match="exactly one trial must match, got 0"):
        records.artefact("kernel", "nobody")


def test_artefacts_in_a_ledger_are_read_when_they_are_asked_for(ledger: Ledger, record: MakeRecord) -> None:
    ledger.add(record())
    records = ledger.records([record().key])
    with ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE artefacts SET npy = x'00'")
    assert records.table["loss"].tolist() == [0.25]
    with pytest.raises(ValueError, match="pickle"):
        records.artefact("kernel", "steady")
