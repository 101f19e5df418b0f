from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_study
import pytest

from replank import datasets
from replank.errors import DataError, LedgerError, UnknownName, UsageError
from replank.lab.executors import InProcess, ProcessPool
from replank.lab.job import Event
from replank.lab.ledger import Ledger
from replank.lab.run import Run, RunInterrupted, run_study


def run_fake(ledger: Ledger | Path, **options: Any) -> Run:
    given = {"scale": "smoke", "arms": ["steady", "worse"], "executor": InProcess(), "ledger": ledger} | options
    return run_study("fake_study:STUDY", **given)


def losses(run: Run) -> dict[tuple[str, int], float]:
    table = run.records.table
    return dict(zip(zip(table["arm"], table["seed"], strict=True), table["train_loss"], strict=True))


def statuses(run: Run) -> dict[str, str]:
    return {each.claim.id: each.verdict.status for each in run.judgements}


# -- what is run -------------------------------------------------------------------------------------------------------


def test_cheap_arms_may_have_more_seeds_unless_the_user_says_how_many(tmp_path, monkeypatch):
    smoke = replace(fake_study.STUDY.scale("smoke"), seeds=1, more_seeds={"stea*": 3})
    monkeypatch.setattr(fake_study, "STUDY", replace(fake_study.STUDY, scales={"smoke": smoke}))
    assert sorted(losses(run_fake(tmp_path / "a"))) == [("steady", 0), ("steady", 1), ("steady", 2), ("worse", 0)]
    assert sorted(losses(run_fake(tmp_path / "b", seeds=1))) == [("steady", 0), ("worse", 0)]


def test_a_run_runs_every_arm_with_every_seed_and_judges(ledger: Ledger) -> None:
    run = run_fake(ledger)
    assert [(key.seed, key.arm) for key in run.keys] == [(0, "steady"), (0, "worse"), (1, "steady"), (1, "worse")]
    assert (run.done, run.reused, run.failed) == (4, 0, 0)
    found = losses(run)
    assert found["worse", 1] - found["steady", 1] == pytest.approx(0.5)
    assert statuses(run) == {
        "C1": "reproduced", "C2": "not tested", "C3": "not tested", "C4": "not tested", "C5": "reproduced",
    }  # fmt: skip
    assert run.records.artefact("weight", "worse", seed=1).shape == (64,)


def test_a_second_run_reuses_and_another_setting_does_not(ledger: Ledger) -> None:
    first = run_fake(ledger)
    events: list[Event] = []
    second = run_fake(ledger, on_event=events.append)
    assert (second.done, second.reused, second.failed) == (0, 4, 0)
    assert {event.kind for event in events} == {"reused"}
    assert losses(second) == losses(first)
    other = run_fake(ledger, overrides={"lr": "0.2"})
    assert other.done == 4
    assert losses(other) != losses(first)
    assert json.loads(other.records.table["settings"][0])["lr"] == 0.2


def test_more_seeds_add_to_what_is_there(ledger: Ledger) -> None:
    first = run_fake(ledger, seeds=1)
    more = run_fake(ledger, seeds=3)
    assert (more.done, more.reused) == (4, 2)
    assert losses(first).items() <= losses(more).items()


def test_protocols_can_be_chosen(ledger: Ledger) -> None:
    assert run_fake(ledger, scale="paper").records.table["protocol"].tolist() == ["plain", "plain", "late", "late"]
    chosen = run_fake(ledger, scale="paper", protocols=["late"], arms=["steady"])
    assert (chosen.reused, chosen.records.table["protocol"].tolist()) == (1, ["late"])


def test_the_number_of_threads_is_part_of_a_trial(ledger: Ledger) -> None:
    run_fake(ledger, seeds=1)
    assert run_fake(ledger, seeds=1, threads=2).done == 2


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_failing_trial_is_recorded_and_the_rest_goes_on(ledger: Ledger) -> None:
    events: list[Event] = []
    run = run_fake(ledger, arms=["raises", "steady", "diverges", "worse"], seeds=2, on_event=events.append)
    assert (run.done, run.failed) == (4, 4)
    assert Counter(event.kind for event in events if event.kind != "epoch") == Counter(started=8, finished=4, failed=4)
    table = run.records.table.set_index(["arm", "seed"])
    assert table.loc[("raises", 0), "error"].startswith("RuntimeError: no luck")
    assert "not finite: train_loss" in table.loc[("diverges", 1), "error"]
    assert {"C1": "reproduced", "C2": "not tested", "C3": "not tested"}.items() <= statuses(run).items()
    reasons = {each.claim.id: each.verdict.reason for each in run.judgements}
    assert reasons["C2"].startswith("2 of 2 trials of arm raises failed (seed 0: RuntimeError: no luck")
    assert reasons["C3"].startswith("2 of 2 trials of arm diverges failed (seed 0: TrialError: not finite")


def test_a_failed_trial_is_tried_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_fake(ledger, arms=["raises"], seeds=1).failed == 1
    assert run_fake(ledger, arms=["raises"], seeds=1).failed == 1
    repaired = fake_study.STUDY
    object.__setattr__(repaired, "run", fake_study._descend)
    try:
        run = run_fake(ledger, arms=["raises"], seeds=1)
    finally:
        object.__setattr__(repaired, "run", fake_study.run)
    assert (run.done, run.failed) == (1, 0)
    assert run.records.table["status"].tolist() == ["done"]


def test_a_worker_that_dies_takes_its_trial_along_and_nothing_else(ledger: Ledger) -> None:
    run = run_fake(ledger, arms=["exits", "killed", "steady"], seeds=1, executor=ProcessPool(2))
    assert (run.done, run.failed) == (1, 2)
    errors = run.records.table.set_index("arm")["error"]
    assert errors["exits"] == "worker died (exit code 3)"
    assert errors["killed"] == "worker died (killed by SIGKILL; perhaps it ran out of memory)"
    (claim,) = (each for each in run.judgements if each.claim.id == "C4")
    assert claim.verdict.status == "not tested"
    assert "worker died" in claim.verdict.reason


def test_a_pool_gives_the_same_numbers_and_tells_as_much(ledger: Ledger, tmp_path: Path) -> None:
    told: dict[str, list[Event]] = {"here": [], "pool": []}
    here = run_fake(ledger, on_event=told["here"].append)
    pool = run_fake(tmp_path / "pool.db", executor=ProcessPool(2), on_event=told["pool"].append)
    assert losses(pool) == losses(here)
    assert pool.done == 4
    mine, theirs = (Counter((event.kind, event.key, event.epoch) for event in events) for events in told.values())
    assert mine == theirs


# -- a full disk, an interruption --------------------------------------------------------------------------------------


def test_a_full_disk_stops_the_run_and_loses_no_finished_trial(
    ledger: Ledger, tmp_path: Path, leave_room: Callable[[Ledger, int], None]
) -> None:
    def no_more_room(event: Event) -> None:
        if event.kind == "finished":
            leave_room(ledger, 0)

    with pytest.raises(LedgerError, match=r"the disk is full.*is kept in .*: the same command takes it in") as caught:
        run_fake(ledger, seeds=4, arms=["steady"], on_event=no_more_room)
    (rescued,) = tmp_path.glob("ledger.db.rescued-*.npz")
    assert str(rescued) in str(caught.value)
    run = run_fake(Ledger(ledger.path), seeds=4, arms=["steady"])
    assert (run.reused, run.done) == (2, 2)
    assert not rescued.exists()


def test_an_interruption_keeps_what_is_finished_and_says_how_to_resume(ledger: Ledger) -> None:
    def interrupt(event: Event) -> None:
        if event.kind == "epoch" and event.key.seed == 1:
            raise KeyboardInterrupt

    with pytest.raises(
        RunInterrupted, match=r"2 trials are in the ledger, 0 failed, 2 are left. The same command"
    ) as stop:
        run_fake(ledger, on_event=interrupt)
    assert (stop.value.done, stop.value.failed, stop.value.left) == (2, 0, 2)
    run = run_fake(ledger)  # leases were given up: no waiting
    assert (run.done, run.reused) == (2, 2)


# -- bad requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "law"),
    [
        ({"scale": "tiny"}, UnknownName, "unknown scale of fake 'tiny'"),
        ({"arms": ["stead"]}, UnknownName, r"unknown arm of fake 'stead'. Did you mean 'steady'\?"),
        ({"arms": []}, UsageError, "at least one arm of fake must be named"),
        ({"datasets": ["digit"]}, UnknownName, r"unknown data set 'digit'. Did you mean 'digits'\?"),
        ({"datasets": []}, UsageError, "at least one data set must be named"),
        ({"protocols": ["slow"]}, UnknownName, "unknown protocol of fake at scale smoke 'slow'"),
        ({"overrides": {"epoch": "3"}}, UnknownName, r"unknown setting 'epoch'. Did you mean 'epochs'\?"),
        ({"overrides": {"epochs": "many"}}, UsageError, "epochs must be int, got 'many'"),
        ({"seeds": 0}, UsageError, "`seeds` must be at least 1, got seeds=0"),
        ({"threads": 0}, UsageError, "`threads` must be at least 1, got threads=0"),
        ({"device": "abacus"}, UsageError, "`device` must be one that torch can use, got 'abacus'"),
        ({"device": "cuda:99"}, UsageError, "`device` must be one that torch can use, got 'cuda:99'"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_a_bad_request_is_said_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], law: str
) -> None:
    with pytest.raises(error, match=law):
        run_fake(tmp_path / "new" / "ledger.db", **options)
    assert list(tmp_path.iterdir()) == []


def test_missing_data_are_said_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="cifar10"):
        run_fake(tmp_path / "new" / "ledger.db", datasets=["digits", "cifar10"], data_folder=tmp_path / "data")
    assert not (tmp_path / "new").exists()


def test_an_unknown_study_is_said(ledger: Ledger) -> None:
    with pytest.raises(UnknownName, match="unknown study 'quantum-leap'"):
        run_study("quantum-leap", scale="smoke", ledger=ledger, executor=InProcess())


@pytest.mark.parametrize("workers", [0, -1])
def test_a_pool_needs_a_worker(workers: int) -> None:
    with pytest.raises(UsageError, match=f"`workers` must be at least 1, got workers={workers}"):
        ProcessPool(workers)


def test_the_fake_study_needs_nothing_but_an_embedded_set() -> None:
    assert datasets.load("digits").card.sha256
