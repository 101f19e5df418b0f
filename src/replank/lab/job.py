"""A trial on its way: what an executor is given, what it tells meanwhile, and how the trial is run where it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import threadpoolctl
import torch

from replank.datasets import Data, load
from replank.errors import TrialError
from replank.lab.recording import recorded
from replank.lab.study import find_study
from replank.lab.trial import Measurements, Record, Settings, Trial, TrialKey


@dataclass(frozen=True)
class Job:
    """Names and settings of one trial: small, and the same wherever it is unpacked.

    Args:
        study: as :func:`replank.lab.study.find_study` takes it.
        key: identity of the trial.
        settings: resolved for its arm and data set.
        data_folder: where data files lie; ``None`` for the usual places.
        device: where to compute.
    """

    study: str
    key: TrialKey
    settings: Settings
    data_folder: Path | None
    device: str


@dataclass(frozen=True)
class Event:
    """Something that happened to a trial.

    Args:
        kind: ``started``, ``epoch``, ``finished`` or ``failed``; ``reused`` if the ledger had it already; ``waiting``
            if another run is at it.
        key: which trial.
        epoch: number of the epoch, of an ``epoch``.
        n_epochs: how many there will be.
        values: metrics of the epoch, or of a trial that ``finished``.
        error: why it ``failed``.
    """

    kind: Literal["started", "epoch", "finished", "failed", "reused", "waiting"]
    key: TrialKey
    epoch: int = 0
    n_epochs: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


OnEvent = Callable[[Event], None]


def execute(job: Job, on_event: OnEvent) -> Record:
    """Run a trial with its own number of threads; a failure is a record too, and never an exception."""
    key = job.key
    on_event(Event("started", key))

    def progress(epoch: int, n_epochs: int, values: Mapping[str, float]) -> None:
        on_event(Event("epoch", key, epoch, n_epochs, dict(values)))

    def measure() -> Measurements:
        study, data = find_study(job.study), loaded(key.dataset, job.data_folder)
        if data.card.sha256 != key.data_sha256:
            raise TrialError(f"{key.dataset}: the data must stay the same during a run, but have changed. Run again.")
        return study.run(Trial(key, study.arm(key.arm), job.settings, data, torch.device(job.device), progress))

    with _threads(key.threads):
        # loaded ahead, so that it does not count as time and memory of the first trial; a failure shows again inside
        with suppress(Exception):
            loaded(key.dataset, job.data_folder)
        record = recorded(key, measure, torch.device(job.device))
    return replace(record, environment=record.environment | {"data": _about(key.dataset, job.data_folder)})


def _about(name: str, folder: Path | None) -> dict[str, Any]:
    """What reports must say of the data: one name can stand for copies that differ, such as a JPEG-compressed one."""
    with suppress(Exception):  # the trial has failed for the same reason, and says so
        card = loaded(name, folder).card
        return {"title": card.title, "licence": card.licence, "known_differences": list(card.known_differences)}
    return {}


@lru_cache(maxsize=2)
def loaded(name: str, folder: Path | None) -> Data:
    """A data set, read once for the trials that this process runs one after the other."""
    return load(name, folder)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Compute with that many threads: torch's own, and those of NumPy's and scikit-learn's libraries."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with threadpoolctl.threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)
