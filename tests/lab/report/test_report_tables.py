from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from replank.lab.claim import Judgement
from replank.lab.records import Records
from replank.lab.report.tables import arms_table, arms_text, as_text, metric_names, slices, verdict_table


def _summary(records: Records) -> pd.DataFrame:
    return arms_table(records.table, baseline="keel", metric="test_accuracy").set_index("arm")


def test_differences_are_paired_by_seed(records: Records) -> None:
    row = _summary(records).loc["oak"]
    by_seed = records.table.pivot(index="seed", columns="arm", values="test_accuracy")
    expected = stats.ttest_rel(by_seed["oak"], by_seed["keel"])
    interval = expected.confidence_interval(0.95)
    assert row["difference"] == pytest.approx((by_seed["oak"] - by_seed["keel"]).mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((interval.low, interval.high))


def test_a_failed_trial_is_counted_and_its_seed_left_out_of_the_pairs(records: Records) -> None:
    row = _summary(records).loc["frozen-reed"]
    by_seed = records.table.pivot(index="seed", columns="arm", values="test_accuracy").loc[[0, 2]]
    assert (row["seeds"], row["failed"]) == (2, 1)
    assert row["difference"] == pytest.approx((by_seed["frozen-reed"] - by_seed["keel"]).mean())


def test_the_baseline_has_no_difference(records: Records) -> None:
    assert np.isnan(_summary(records).loc["keel", "difference"])


def test_one_seed_gives_means_without_intervals(make_records: Callable[..., Records]) -> None:
    row = _summary(make_records(seeds=1)).loc["oak"]
    assert np.isfinite(row["difference"])
    assert np.isinf([row["low"], row["high"], row["difference_low"], row["difference_high"]]).all()


def test_an_arm_that_only_failed_has_no_numbers(make_records: Callable[..., Records]) -> None:
    row = _summary(make_records(seeds=1, failed=[("reed", 0)])).loc["reed"]
    assert row["failed"] == 1
    assert row[["mean", "low", "high", "difference", "parameters"]].isna().all()


def test_slices_separate_protocols_and_data_sets(make_records: Callable[..., Records]) -> None:
    tables = [
        make_records(protocol=protocol, dataset=name).table for protocol, name in (("B", "mnist"), ("A", "digits"))
    ]
    found = slices(pd.concat(tables))
    assert [(place.protocol, place.dataset, len(rows)) for place, rows in found] == [
        ("B", "mnist", 15),
        ("A", "digits", 15),
    ]


def test_what_identifies_a_trial_is_no_metric(records: Records) -> None:
    names = metric_names(records.table)
    assert "test_accuracy" in names
    assert not {"seed", "threads", "wall_s", "started", "digest"} & set(names)


def test_the_text_names_arms_and_failures(records: Records) -> None:
    summary = arms_table(records.table, baseline="keel", metric="test_accuracy")
    text = arms_text(summary, "test_accuracy", {"frozen-reed seed 1": "it [sank]"})
    assert "oak-small" in text
    assert text.endswith("failed: frozen-reed seed 1: it [sank]")


def test_every_verdict_stands_in_the_text_with_its_reason(judgements: list[Judgement]) -> None:
    words = " ".join(as_text(verdict_table(judgements), 300).split())
    for each in judgements:
        assert f"{each.claim.id} " in words
        assert each.verdict.status in words
        assert " ".join(each.verdict.reason.split()) in words
