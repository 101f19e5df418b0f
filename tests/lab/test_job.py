from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import fake_study
import pytest
import torch

from replank.datasets import load
from replank.lab.job import Event, Job, execute
from replank.lab.trial import Measurements, Trial, TrialKey

MakeJob = Callable[..., Job]


@pytest.fixture
def job(key: Callable[..., TrialKey]) -> MakeJob:
    def make(arm: str = "steady", seed: int = 0, *, threads: int = 1, **fields: object) -> Job:
        identity = key(arm, seed, threads=threads, data_sha256=load("digits").card.sha256)
        given = Job("fake_study:STUDY", identity, fake_study.FakeSettings(), None, "cpu")
        return dataclasses.replace(given, **fields)  # type: ignore[arg-type]

    return make


@pytest.fixture
def study_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Trial], Measurements]], None]]:
    """Gives the fake study another function to run."""

    def use(function: Callable[[Trial], Measurements]) -> None:
        monkeypatch.setattr(fake_study, "STUDY", dataclasses.replace(fake_study.STUDY, run=function))

    return use


def silent(event: Event) -> None:
    pass


def test_a_trial_tells_how_it_goes_and_leaves_a_record(job: MakeJob) -> None:
    events: list[Event] = []
    record = execute(job(), events.append)
    assert [(event.kind, event.epoch, event.n_epochs) for event in events] == [
        ("started", 0, 0),
        ("epoch", 1, 2),
        ("epoch", 2, 2),
    ]
    assert events[2].values == record.measurements.curves[1]
    assert record.status == "done"
    assert record.measurements.metrics.keys() == {"train_loss", "peak_memory_mib"}
    assert record.wall_s > 0
    assert record.environment["torch"]["threads"] == 1


def test_the_same_job_gives_the_same_numbers_and_another_seed_others(job: MakeJob) -> None:
    losses = [execute(job(seed=seed), silent).measurements.metrics["train_loss"] for seed in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]


def test_a_trial_leaves_no_trace_in_this_process(job: MakeJob) -> None:
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    execute(job(threads=2), silent)
    execute(job("raises"), silent)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_a_trial_computes_with_its_own_number_of_threads(
    job: MakeJob, study_runs: Callable[[Callable[[Trial], Measurements]], None]
) -> None:
    study_runs(lambda trial: Measurements({"threads": torch.get_num_threads()}))
    assert execute(job(threads=2), silent).measurements.metrics["threads"] == 2


def test_an_exception_is_a_record_with_a_traceback_that_names_no_folder(job: MakeJob) -> None:
    record = execute(job("raises"), silent)
    assert record.status == "failed"
    assert record.error is not None
    assert record.error.startswith("RuntimeError: no luck with")
    assert record.traceback is not None
    assert "in run\n" in record.traceback
    assert str(Path(fake_study.__file__).parent) not in record.traceback


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_a_number_that_is_not_finite_is_a_failure_that_names_it(
    job: MakeJob, study_runs: Callable[[Callable[[Trial], Measurements]], None], value: float
) -> None:
    study_runs(lambda trial: Measurements({"train_loss": value, "other": 1.0}))
    record = execute(job(), silent)
    assert record.status == "failed"
    assert record.error is not None
    assert "not finite: train_loss" in record.error
    assert record.measurements.metrics["other"] == 1.0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"study": "no_such_module:STUDY"}, "must be a module that can be imported"),
        ({"data_folder": Path("nowhere"), "key": "stale"}, "the data must stay the same during a run"),
    ],
    ids=["study missing", "data changed"],
)
def test_what_goes_wrong_on_arrival_is_a_record_too(job: MakeJob, change: dict[str, object], error: str) -> None:
    if "key" in change:
        change = change | {"key": dataclasses.replace(job().key, data_sha256="0" * 64)}
    record = execute(job(**change), silent)
    assert record.status == "failed"
    assert record.error is not None
    assert error in record.error


def test_a_job_is_small_when_it_travels(job: MakeJob) -> None:
    assert len(pickle.dumps(job())) < 1000
    assert pickle.loads(pickle.dumps(job())) == job()


def test_data_of_another_kind_fail_the_trial_in_words(job: MakeJob, study_runs: Callable[..., None]) -> None:
    def run(trial: Trial) -> Measurements:
        return Measurements({"points": float(len(trial.series.values))})

    study_runs(run)
    record = execute(job(), silent)
    assert record.status == "failed"
    assert record.error is not None
    assert (
        "DataError: fake: the data set must be a time series, got digits, which is images with labels" in record.error
    )
