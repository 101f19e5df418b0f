from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from ark import LEVELS, PAPER, STUDY, ArkSettings, Planks, record
from test_page import HOSTILE, Outline

from replank.errors import UsageError
from replank.lab.claim import Judgement, judge
from replank.lab.records import Records
from replank.lab.report.comparison_report import comparison_page
from replank.lab.report.page import render
from replank.lab.report.study_report import (
    citation,
    in_order,
    page_path,
    rerun_command,
    study_page,
    write_study_page,
)
from replank.lab.study import Figure, Protocol, Study
from replank.lab.trial import Measurements, Record

MakeRecords = Callable[..., Records]


def quick(records: Records) -> Records:
    """The same trials without what pictures are made of: pages of them cost little."""
    return Records.of(
        replace(each, measurements=Measurements({"test_accuracy": 0.5}) if each.status == "done" else Measurements({}))
        for each in records.records
    )


@pytest.fixture(scope="module")
def whole() -> Outline:
    """The page of all arms, with one failed trial."""
    records = Records.of(
        record(arm, seed, failed=(arm, seed) == ("frozen-reed", 1)) for seed in range(3) for arm in LEVELS
    )
    return Outline(html(STUDY, records))


def html(study: Study, records: Records, judgements: Sequence[Judgement] | None = None) -> str:
    judged = judgements if judgements is not None else judge(study.claims, records.table)
    return render(study_page(study, records, judged, scale="small"))


def test_a_report_answers_the_questions_in_order(whole: Outline) -> None:
    headings = [attributes["id"] for tag, attributes in whole.tags if tag == "h2"]
    assert headings == [
        "what-was-asked", "what-the-swap-contributes", "what-came-out", "the-ladder", "verdicts", "arms",
        "trials-that-failed", "where-it-ran", "run-it-again", "cite",
    ]  # fmt: skip
    assert STUDY.contrast is not None
    for words in (
        STUDY.question,
        STUDY.contrast.says,
        STUDY.finding[0],
        "mnist5k (",
        "14 done, 1 failed",
        "arXiv",
        "replank run ark",
    ):
        assert words in whole.text


def test_every_verdict_is_told_with_its_reason_and_the_papers_number(
    whole: Outline, judgements: list[Judgement]
) -> None:
    text = whole.text
    for each in judgements:
        for words in (each.claim.statement, each.claim.reported, str(each.claim.source), each.verdict.reason):
            assert words in text
        assert each.verdict.status in text


def test_failed_trials_show_their_tracebacks(whole: Outline) -> None:
    assert 'File "ark.py", line 7' in whole.text
    assert "TrialError: not finite: train_loss." in whole.text


def test_a_trial_that_died_without_a_traceback_is_told(study: Study, make_records: MakeRecords) -> None:
    failed = quick(make_records(failed=[("oak", 0), ("reed", 0)]))
    died = Records.of(
        replace(each, traceback=None if each.key.arm == "oak" else each.traceback) for each in failed.records
    )
    assert "The process died: there is no traceback." in html(study, died)


def test_a_study_without_a_contrast_has_no_such_section(study: Study, make_records: MakeRecords) -> None:
    assert "What the swap contributes" not in html(replace(study, contrast=None), quick(make_records()))


def test_protocols_come_in_the_order_of_the_study(study: Study, make_records: MakeRecords) -> None:
    small = study.scales["small"]
    turned = replace(small, protocols={"Z": small.protocols["A"], "A": small.protocols["A"]})
    mixed = Records.of([*make_records(seeds=1).records, *make_records(seeds=1, protocol="Z").records])
    ordered = in_order(replace(study, scales={"small": turned}), mixed)
    assert list(ordered.table["protocol"].unique()) == ["Z", "A"]


def test_protocols_with_ladders_of_their_own_show_them_all(study: Study, make_records: MakeRecords) -> None:
    small = study.scales["small"]
    protocols = {name: Protocol(replace(ArkSettings(), epochs=n)) for n, name in enumerate("AB", 1)}

    class Rung(Planks):
        def __init__(self, epochs: int) -> None:
            self.epochs = epochs

        def table(self) -> pd.DataFrame:
            return super().table().assign(deck=f"Deck{self.epochs}")

    both = Records.of([*make_records(seeds=1).records, *make_records(seeds=1, protocol="B").records])
    own = replace(
        study, scales={"small": replace(small, protocols=protocols)},
        ladder=lambda settings, dataset: Rung(settings.epochs),  # type: ignore[arg-type,return-value]
    )  # fmt: skip
    assert {"Deck1", "Deck2"} <= set(Outline(html(own, quick(both))).text.split())
    shared = replace(own, ladder=lambda settings, dataset: Planks())  # type: ignore[arg-type,return-value]
    assert "Protocol A" not in html(shared, quick(both))


def test_a_ladder_that_fails_leaves_the_rest_of_the_page(study: Study, records: Records) -> None:
    def fail(settings: object, dataset: str) -> object:
        raise KeyError("hull")

    text = Outline(html(replace(study, ladder=fail), quick(records))).text  # type: ignore[arg-type]
    assert "The ladder can't be drawn for mnist5k: KeyError: 'hull'" in text
    assert "Where it ran" in text


def test_a_report_without_failures_has_no_such_section(study: Study, make_records: MakeRecords) -> None:
    assert "Trials that failed" not in html(study, quick(make_records()))


@pytest.mark.parametrize(
    "what",
    [
        {"seeds": 1},
        {"arms": ("keel",)},
        {"arms": ("oak", "reed")},
        {"seeds": 0},
        {"seeds": 1, "failed": [(arm, 0) for arm in ("keel", "oak", "reed", "frozen-reed", "oak-small")]},
    ],
    ids=["one seed", "baseline alone", "no baseline", "no trials", "all failed"],
)
def test_a_report_of_little_is_still_a_report(study: Study, make_records: MakeRecords, what: dict[str, object]) -> None:
    text = Outline(html(study, make_records(**what))).text
    assert "nan" not in text.replace("inconclusive", "").lower().split()
    assert "inf]" not in text


def test_the_order_in_which_trials_ended_does_not_matter(study: Study, records: Records) -> None:
    judged = judge(study.claims, records.table)
    backwards = Records(records.records[::-1])
    pages = [study_page(replace(study, figures=()), each, judged, scale="small") for each in (records, backwards)]
    assert render(pages[0]) == render(pages[1])


def test_protocols_and_data_sets_have_sections_of_their_own(study: Study, make_records: MakeRecords) -> None:
    both = [*make_records().records, *make_records(protocol="B", dataset="digits").records]
    headings = [each["id"] for tag, each in Outline(html(study, quick(Records.of(both)))).tags if tag == "h2"]
    assert [name for name in headings if name and name.startswith("arms")] == ["arms-a-mnist5k", "arms-b-digits"]


def test_a_figure_of_the_study_takes_the_place_of_the_standard_one(whole: Outline, make_records: MakeRecords) -> None:
    assert "Train loss over training" not in whole.text
    assert "Train loss over training" in html(replace(STUDY, figures=()), make_records(arms=("keel",), seeds=1))


def test_a_figure_that_fails_leaves_the_rest_of_the_page(study: Study, records: Records) -> None:
    def fail(records: Records) -> object:
        raise KeyError("kernels")

    broken = replace(study, figures=(Figure("kernels", "Kernels", "", fail),))  # type: ignore[arg-type]
    text = Outline(html(broken, quick(records))).text
    assert "“Kernels” can't be drawn from these records: KeyError" in text
    assert "Where it ran" in text


def test_hostile_names_stay_text(study: Study, records: Records) -> None:
    def renamed(record: Record) -> Record:
        key = replace(record.key, dataset=HOSTILE, arm=record.key.arm + HOSTILE)
        return replace(record, key=key, error=record.error and HOSTILE, traceback=record.traceback and HOSTILE)

    wild = Records.of(renamed(record) for record in records.records)
    arms = tuple(replace(arm, name=arm.name + HOSTILE, about=HOSTILE) for arm in study.arms)
    hostile = replace(study, title=HOSTILE, question=HOSTILE, arms=arms, figures=(), ladder=None)
    outline = Outline(html(hostile, wild))
    assert "img" not in {tag for tag, _ in outline.tags}
    assert sum(tag == "script" for tag, _ in outline.tags) == 1


def test_the_data_set_is_named_as_the_trials_recorded_it(study: Study, records: Records) -> None:
    card = {"title": "mnist5k, half of it", "known_differences": ["JPEG-compressed"]}
    noted = Records.of(replace(each, environment=each.environment | {"data": card}) for each in records.records)
    text = Outline(html(study, quick(noted))).text
    assert "mnist5k, half of it\nJPEG-compressed" in text


def test_the_command_gives_the_same_trials_again(study: Study, make_records: MakeRecords) -> None:
    assert rerun_command(study, make_records(), "small") == "replank run ark --scale small"
    some = make_records(arms=("keel", "oak"), seeds=2, dataset="digits")
    settings = '{"epochs": 6, "lr": 0.5, "sinks": false}'
    changed = Records.of(replace(each, key=replace(each.key, settings=settings, threads=2)) for each in some.records)
    assert rerun_command(study, changed, "small") == (
        "replank run ark --scale small --arms keel,oak --dataset digits --seeds 2 --threads 2 --set lr=0.5"
    )


def test_the_command_names_arms_only_if_its_protocols_have_more(study: Study, make_records: MakeRecords) -> None:
    small = study.scales["small"]
    protocols = {"A": replace(small.protocols["A"], arms=("keel", "oak*")), "B": small.protocols["A"]}
    own = replace(study, scales={"small": replace(small, protocols=protocols)})
    ran = make_records(arms=("keel", "oak", "oak-small"))
    assert rerun_command(own, ran, "small") == "replank run ark --scale small --protocol A"


def test_the_citation_names_the_paper_and_the_software(study: Study) -> None:
    assert PAPER.bibtex() in citation(study)
    assert "@software{replank" in citation(study)


def test_reports_lie_beside_their_ledger(study: Study) -> None:
    assert page_path("runs/l.sqlite", study, "small", None) == Path("runs/ark-small.html")
    assert page_path("postgresql://h/d", study, "small", ["a"]) == Path("replank-runs/ark-small-a.html")


def test_a_place_that_can_not_be_written_is_a_usage_error(study: Study, records: Records, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="must be writable"):
        write_study_page(tmp_path / "file" / "x.html", study, records, [], scale="small")


class Rungs:
    """Stands in for a ladder."""

    def __init__(self) -> None:
        self.rungs: dict[str, tuple[str, ...]] = {"keel": (), "oak": ("hull -> OakConv2d",)}

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"hull": ["Conv2d", "OakConv2d"], "parameters": [1, 2]}, index=list(self.rungs))


def test_a_comparison_has_a_page_of_its_own(make_records: MakeRecords) -> None:
    records = make_records(arms=("keel", "oak"), failed=[("oak", 2)])
    text = Outline(render(comparison_page(Rungs(), records, "keel", "test_accuracy"))).text  # type: ignore[arg-type]
    for words in ("hull -> OakConv2d", "1 failed", "Test accuracy over training", "@software{replank"):
        assert words in text
