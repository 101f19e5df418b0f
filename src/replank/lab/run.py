"""Run a study: plan its trials, run those that the ledger does not have, and judge the claims."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from replank.errors import LedgerError, UsageError
from replank.lab.cells import cells
from replank.lab.claim import Judgement, judge
from replank.lab.code_version import code_version
from replank.lab.executors import Executor
from replank.lab.job import Event, Job, OnEvent, loaded
from replank.lab.ledger import Ledger
from replank.lab.records import Records
from replank.lab.rescue import rescue, take_in
from replank.lab.study import Study, locate_study
from replank.lab.trial import Record, TrialKey, canonical_settings


@dataclass(frozen=True)
class Run:
    """What a run left.

    Args:
        study: what was run.
        scale: at which scale.
        keys: the trials that were asked for.
        records: theirs, from the ledger.
        judgements: the claims, judged on these records.
        done: how many trials were run now and are done.
        reused: how many the ledger had already, or another run has finished meanwhile.
        failed: how many were run now and failed.
        seconds: elapsed time.
    """

    study: Study
    scale: str
    keys: tuple[TrialKey, ...]
    records: Records
    judgements: list[Judgement]
    done: int
    reused: int
    failed: int
    seconds: float


class RunInterrupted(KeyboardInterrupt):
    """A run was stopped by Ctrl-C; the message says how to resume it.

    Args:
        done: how many of its trials are done and in the ledger.
        failed: how many have failed.
        left: how many are left.
    """

    def __init__(self, done: int, failed: int, left: int):
        super().__init__(
            f"Stopped. {done} trials are in the ledger, {failed} failed, {left} are left. "
            "The same command goes on from here."
        )
        self.done, self.failed, self.left = done, failed, left


def run_study(
    study: Study | str,
    *,
    scale: str,
    ledger: Ledger | str | Path,
    executor: Executor,
    arms: Sequence[str] | None = None,
    seeds: int | None = None,
    datasets: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    data_folder: str | Path | None = None,
    device: str | None = None,
    threads: int = 1,
    on_event: OnEvent = lambda event: None,
) -> Run:
    """Run the trials of a study that the ledger does not have yet, and judge its claims on all that were asked for.

    Everything is checked before anything is written. Run again after an interruption, it goes on where it stopped;
    a trial that failed is tried again. Two runs on one ledger share the work.

    Args:
        study: a study, or its name as :func:`~replank.lab.study.find_study` takes it.
        scale: name of the scale.
        ledger: where records are kept.
        executor: where trials run.
        arms: names of arms; all unless given.
        seeds: number of seeds, numbered from 0; as the scale says unless given.
        datasets: names of data sets; as the scale says, and as there are files, unless given.
        protocols: names of protocols; all of the scale unless given.
        overrides: settings as text, by name.
        data_folder: where data files lie.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``; CUDA if there is any unless given.
        threads: compute threads of each trial. Metrics depend on it, but not on the number of workers.
        on_event: told what happens to trials.

    Raises:
        UnknownName: an arm, scale, protocol, data set or setting that does not exist.
        UsageError: a setting, a number or a device that can't be used.
        DataError: data are missing or damaged.
        LedgerError: the ledger can't be used.
        RunInterrupted: Ctrl-C; what was finished is in the ledger.
    """
    began = time.perf_counter()
    reference = study if isinstance(study, str) else study.slug
    found, module = locate_study(reference)
    folder, where = None if data_folder is None else Path(data_folder), _device(device)
    if threads < 1:
        raise UsageError(f"run_study: `threads` must be at least 1, got threads={threads}.")
    code = code_version(module)
    planned = cells(
        found,
        scale,
        arms=arms,
        seeds=seeds,
        datasets=datasets,
        protocols=protocols,
        overrides=overrides,
        folder=folder,
    )
    jobs = [
        Job(
            study=reference,
            key=TrialKey(
                study=found.slug,
                scale=scale,
                protocol=cell.protocol,
                dataset=cell.dataset,
                arm=cell.arm,
                seed=cell.seed,
                settings=canonical_settings(cell.settings),
                data_sha256=loaded(cell.dataset, folder).card.sha256,
                code=code,
                threads=threads,
                device=where.type,
            ),
            settings=cell.settings,
            data_folder=folder,
            device=str(where),
        )
        for cell in planned
    ]
    ledger = ledger if isinstance(ledger, Ledger) else Ledger(ledger)
    take_in(ledger)
    work = _Work(jobs, ledger, on_event)
    work.through(executor)
    keys = tuple(job.key for job in jobs)
    records = ledger.records(keys)
    judgements = judge(found.claims, records.table)
    seconds = time.perf_counter() - began
    return Run(found, scale, keys, records, judgements, work.done, work.reused, work.failed, seconds)


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises the latter if it was built without CUDA
        first_line = str(error).partition("\n")[0]
        raise UsageError(f"run_study: `device` must be one that torch can use, got {name!r} ({first_line}).") from None
    return device


# -- running it --------------------------------------------------------------------------------------------------------


class _Work:
    """The walk of one run over its jobs: takes their leases, keeps their records and counts."""

    def __init__(self, jobs: Sequence[Job], ledger: Ledger, on_event: OnEvent):
        self.done = self.reused = self.failed = 0
        self._jobs, self._ledger, self._on_event = jobs, ledger, on_event

    def through(self, executor: Executor) -> None:
        """Run what is not done yet."""
        try:
            with (
                self._leases_renewed(),
                closing(executor.run(self._claimed(), self._on_event)) as records,
            ):
                for record in records:
                    self._keep(record)
        except KeyboardInterrupt:
            # asked of the ledger: the interruption may have come between its answer and our counting
            kept = len(self._ledger.done(job.key for job in self._jobs))
            left = len(self._jobs) - kept - self.failed
            raise RunInterrupted(kept, self.failed, left) from None

    def _claimed(self) -> Iterator[Job | None]:
        """Jobs whose lease is ours; ``None`` while all that are left are run by somebody else."""
        pending, told = list(self._jobs), set[TrialKey]()
        while pending:
            waiting = []
            done = self._ledger.done(job.key for job in pending)
            for job in pending:
                if job.key in done:
                    self.reused += 1
                    self._on_event(Event("reused", job.key))
                elif self._ledger.claim(job.key):
                    yield job
                else:
                    waiting.append(job)
            pending = waiting
            for job in pending:
                if job.key not in told:
                    told.add(job.key)
                    self._on_event(Event("waiting", job.key))
            if pending:
                yield None

    def _keep(self, record: Record) -> None:
        try:
            self._ledger.add(record)
        except LedgerError as error:
            file = rescue(record, self._ledger)
            raise LedgerError(
                f"{error} The trial {record.key} is kept in {file}: the same command takes it in and goes on."
            ) from None
        if record.status == "done":
            self.done += 1
            self._on_event(Event("finished", record.key, values=record.measurements.metrics))
        else:
            self.failed += 1
            self._on_event(Event("failed", record.key, error=record.error))

    @contextmanager
    def _leases_renewed(self) -> Iterator[None]:
        stop = threading.Event()

        def renew() -> None:
            while not stop.wait(self._ledger.lease_s / 4):
                with suppress(LedgerError):  # at worst another run does a trial again; adding the record will tell
                    self._ledger.renew()

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            with suppress(LedgerError):  # leases expire anyway
                self._ledger.release()
