from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from ark import STUDY
from test_page import HOSTILE, Outline

from replank.errors import UsageError
from replank.lab.claim import judge
from replank.lab.records import Records
from replank.lab.report.contrast import contrasts
from replank.lab.report.index_report import Entry, index_page, index_path, write_index
from replank.lab.report.page import Picture, render
from replank.lab.study import Study
from replank.lab.trial import Measurements, Record

MakeRecords = Callable[..., Records]
Found = dict[str, tuple[Study, Records]]


@pytest.fixture
def found(make_records: MakeRecords) -> Found:
    """Two studies that were run, the second on two sets and by its loss, and one that was not."""
    raft = replace(STUDY, slug="raft", title="Does a raft float?")
    raft = replace(raft, contrast=replace(raft.contrast, metric="test_loss"))  # type: ignore[type-var]
    both = [*make_records().records, *make_records(dataset="digits", seeds=1).records]
    return {
        "ark": (STUDY, light(make_records(failed=[("reed", 1)]))),
        "raft": (raft, light(Records.of(both))),
        "canoe": (replace(STUDY, slug="canoe", title="Does a canoe float?"), Records.of([])),
    }


def light(records: Records) -> Records:
    """The same trials without curves and kernels, of which pictures are made: pages of them cost little."""

    def lightened(record: Record) -> Record:
        wanted = ("test_accuracy", "test_loss", "train_loss")
        metrics = {name: value for name, value in record.measurements.metrics.items() if name in wanted}
        return replace(record, measurements=Measurements(metrics))

    return Records.of(lightened(each) for each in records.records)


def entries(found: Mapping[str, tuple[Study, Records]]) -> list[Entry]:
    return [
        Entry(name, study, records, tuple(judge(study.claims, records.table)), f"{name}.html")
        for name, (study, records) in found.items()
        if records.records
    ]


def outline(found: Found) -> Outline:
    not_run = {name: study for name, (study, records) in found.items() if not records.records}
    return Outline(render(index_page(entries(found), not_run, scale="small")))


def test_the_page_tells_verdicts_contrasts_studies_and_claims(found: Found) -> None:
    page = outline(found)
    headings = [attributes["id"] for tag, attributes in page.tags if tag == "h2"]
    assert headings == ["what-the-swaps-contribute", "studies", "claims", "not-run", "cite"]
    assert "2 run, 1 not run" in page.text
    assert "replank run canoe --scale small" in page.text


def test_the_counts_are_those_of_all_verdicts(found: Found) -> None:
    counts = Counter(each.verdict.status for entry in entries(found) for each in entry.judgements)
    page = Outline(render(index_page(entries(found), {}, scale="small")))
    shown = page.text.split("Studies")[0]
    for status, count in counts.items():
        assert f"{count} {status}" in " ".join(
            shown.replace("✓", "").replace("✗", "").replace("≈", "").replace("○", "").split()
        )


def test_every_claim_has_a_row_with_the_papers_number_and_its_provenance(found: Found) -> None:
    page = outline(found)
    n_claims = sum(len(entry.judgements) for entry in entries(found))
    provenances = page.text.count("[paper]") + page.text.count("[official code]") + page.text.count("[recalled]")
    assert provenances + page.text.count("[derived]") == n_claims
    assert page.text.count("92.30 ± 0.15 / 92.34 ± 0.14 %") == 3  # C1 once for each slice


def test_links_lead_to_reports_and_to_rows(found: Found) -> None:
    page = outline(found)
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert {"ark.html", "raft.html", "#claims-ark", "#claims-raft"} <= links
    assert {"claims-ark", "claims-raft"} <= {attributes.get("id") for tag, attributes in page.tags if tag == "tr"}


def test_contrasts_of_one_unit_share_an_axis_and_others_have_their_own(found: Found) -> None:
    section = index_page(entries(found), {}, scale="small").sections[0]
    (picture,) = [block for block in section.blocks if isinstance(block, Picture)]
    labels = [axes.get_xlabel() for axes in picture.figure.axes]
    assert labels == ["test accuracy, arm minus rival (points)", "test loss, arm minus rival"]
    rows = [text.get_text() for axes in picture.figure.axes for text in axes.texts]
    assert {"ark, mnist5k", "raft, mnist5k", "raft, digits"} <= set(rows)
    best = contrasts(*(found["ark"][0], found["ark"][1].table))[0].best
    assert best is not None
    assert f"oak − {best.name}; A, test accuracy" in rows


def test_studies_without_a_contrast_are_listed_all_the_same(found: Found) -> None:
    bare = {name: (replace(study, contrast=None), records) for name, (study, records) in found.items()}
    page = outline(bare)
    assert "What the swaps contribute" not in page.text
    assert "Does a raft float?" in page.text


def test_a_contrast_without_a_rival_that_was_run_is_told(found: Found, make_records: MakeRecords) -> None:
    alone: Found = {"ark": (STUDY, light(make_records(arms=("oak",))))}
    assert "no rival that shares a seed" in outline(alone).text


def test_studies_that_are_not_installed_are_told(found: Found) -> None:
    page = Outline(render(index_page(entries(found), {}, scale="small", unknown=["coracle"])))
    assert "trials of coracle, which no package that is installed here provides" in page.text


def test_minutes_are_those_of_the_trials(found: Found) -> None:
    (ark, _) = entries(found)
    assert ark.seconds == pytest.approx(14 * 12.5 + 3.2)
    assert f"{ark.seconds / 60:.1f}" in outline(found).text


def test_hostile_names_stay_text(found: Found) -> None:
    study, records = found["ark"]
    page = outline({HOSTILE: (replace(study, title=HOSTILE), records)})
    assert "img" not in {tag for tag, _ in page.tags}
    assert sum(tag == "script" for tag, _ in page.tags) == 1


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_reports_are_written_beside_the_page_and_bytes_repeat(found: Found, tmp_path: Path, suffix: str) -> None:
    written = [write_index(tmp_path / name / f"all.{suffix}", found, scale="small") for name in "ab"]
    names = {path.name for path in written[0].parent.glob(f"*.{suffix}")}
    assert names == {f"all.{suffix}", f"ark-small.{suffix}", f"raft-small.{suffix}"}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert f"ark-small.{suffix}" in written[0].read_text(encoding="utf-8")


def test_markdown_has_its_pictures_and_no_links_into_itself(found: Found, tmp_path: Path) -> None:
    text = write_index(tmp_path / "index.md", found, scale="small").read_text(encoding="utf-8")
    picture = "index/each-arm-in-question-minus-its-best-rival-of-the-same-size.png"
    assert f"({picture})" in text
    assert (tmp_path / picture).exists()
    assert "](#" not in text
    assert "[ark](ark-small.md)" in text


def test_chosen_data_stand_in_the_names_of_the_files(found: Found, tmp_path: Path) -> None:
    write_index(tmp_path / "index.html", found, scale="small", datasets=["digits"])
    assert (tmp_path / "ark-small-digits.html").exists()
    assert index_path("runs/l.sqlite", "small", ["digits"]) == Path("runs/index-small-digits.html")


def test_a_place_that_can_not_be_written_is_a_usage_error(found: Found, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="must be writable"):
        write_index(tmp_path / "file" / "index.html", found, scale="small")
