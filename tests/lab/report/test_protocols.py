"""Protocols with a baseline and pictures of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from ark import STUDY, ArkSettings
from matplotlib.figure import Figure as MatplotlibFigure
from test_page import Outline

from replank.lab.claim import spread, table_of
from replank.lab.records import Records
from replank.lab.report.page import render
from replank.lab.report.study_report import study_page
from replank.lab.study import Figure, Protocol
from replank.lab.trial import Measurements

RULE = spread("score", ("a", "b", "c"), above=0.1)


def scores(**arms: list[float]) -> pd.DataFrame:
    return table_of(**{arm: {"score": values} for arm, values in arms.items()})


@pytest.mark.parametrize(
    ("table", "status"),
    [
        (scores(a=[0.0, 0.5, 0.9], b=[0.5, 0.9, 0.0], c=[0.9, 0.0, 0.5]), "reproduced"),  # equal means, unequal seeds
        (scores(a=[0.0, 0.5, 0.9], b=[0.01, 0.5, 0.9], c=[0.0, 0.51, 0.9]), "not reproduced"),
        (scores(a=[0.0, 0.0, 0.0], b=[0.0, 0.2, 0.0], c=[0.0, 0.0, 0.1]), "inconclusive"),
        (scores(a=[0.0], b=[0.9], c=[0.0]), "inconclusive"),
        (scores(a=[0.0, 0.0], b=[0.9, 0.9]), "not tested"),
    ],
)
def test_a_spread_is_taken_seed_by_seed(table: pd.DataFrame, status: str) -> None:
    assert RULE(table).status == status


def test_arms_without_a_common_seed_have_no_spread() -> None:
    table = scores(a=[0.0, 0.0, 0.0], b=[0.1, 0.1, 0.1], c=[0.2, 0.2, 0.2])
    apart = table.assign(seed=range(len(table)))
    assert RULE(apart).status == "not tested"
    assert "share no seed" in RULE(apart).reason


def test_a_protocol_may_have_its_own_baseline() -> None:
    small = replace(
        STUDY.scales["small"], protocols={"A": Protocol(ArkSettings()), "B": Protocol(ArkSettings(), baseline="oak")}
    )
    study = replace(STUDY, scales={"small": small})
    assert study.baseline_under("small", "A") == study.baseline.name
    assert study.baseline_under("small", "B") == "oak"
    assert study.baseline_under("gone", "B") == study.baseline_under("small", "gone") == study.baseline.name


def test_tables_of_a_protocol_lead_with_its_own_metric(make_records: Callable[..., Records]) -> None:
    protocols = {"A": Protocol(ArkSettings()), "B": Protocol(ArkSettings(), headline_metric="leaks")}
    small = replace(STUDY.scales["small"], protocols=protocols)
    study = replace(STUDY, scales={"small": small}, contrast=None, ladder=None, claims=(), figures=())
    assert study.headline_under("small", "A") == study.headline_under("gone", "B") == study.headline_metric
    assert study.headline_under("small", "B") == "leaks"
    metrics = {"test_accuracy": 0.5, "leaks": 3.0}
    for protocol, lead in (("A", "Accuracy"), ("B", "Leaks")):
        trials = make_records(seeds=1, protocol=protocol).records
        quick = Records.of(replace(each, measurements=Measurements(metrics)) for each in trials)
        text = Outline(render(study_page(study, quick, [], scale="small"))).text
        assert f"{lead} and its difference to" in text.replace("Test accuracy", "Accuracy")


def test_pictures_are_of_their_protocols_alone(make_records: Callable[..., Records]) -> None:
    drawn: list[str] = []

    def draw(records: Records) -> MatplotlibFigure:
        drawn.extend(records.table["protocol"].unique())
        return MatplotlibFigure(figsize=(1, 1))

    protocols = {name: Protocol(ArkSettings(), baseline="oak") for name in "AB"}
    small = replace(STUDY.scales["small"], protocols=protocols)
    study = replace(
        STUDY, scales={"small": small}, contrast=None, ladder=None, claims=(),
        figures=(Figure("hull", "The hull", "What of B is seen.", draw, protocol="B*"),),
    )  # fmt: skip
    trials = [*make_records(seeds=1).records, *make_records(seeds=1, protocol="B").records]
    quick = Records.of(replace(each, measurements=Measurements({"test_accuracy": 0.5})) for each in trials)
    text = Outline(render(study_page(study, quick, [], scale="small"))).text
    assert drawn == ["B"]
    assert "What of B is seen." in text
    assert "its difference to oak" in text
