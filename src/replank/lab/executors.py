"""Where trials run: in this process, or in a pool of local processes.

An executor pulls jobs one at a time, when it has a place for one, so that a run claims no more than it works on. It
needs nothing but the :class:`Job`, which is small and can be pickled, and gives back a :class:`Record` for each: a
scheduler for many machines fits the same protocol.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Protocol

from replank.errors import UsageError
from replank.lab.environment import environment
from replank.lab.job import Event, Job, OnEvent, execute
from replank.lab.trial import Measurements, Record
from replank.processes import end_with_parent

_POLL_S = 0.2
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Executor(Protocol):
    """A place where trials run."""

    def run(self, jobs: Iterator[Job | None], on_event: OnEvent) -> Generator[Record, None, None]:
        """Run the jobs and give their records as they come.

        Args:
            jobs: pulled when there is a place for one; ``None`` means that there is nothing at the moment, ask again.
            on_event: told what happens to trials, in the process that called.

        Closing the generator stops what still runs.
        """


class InProcess:
    """Trials run one after the other in this process."""

    def run(self, jobs: Iterator[Job | None], on_event: OnEvent) -> Generator[Record, None, None]:
        """Run the jobs in turn."""
        for job in jobs:
            if job is None:
                time.sleep(_POLL_S)
            else:
                yield execute(job, on_event)


class ProcessPool:
    """Trials run in processes of this machine, one trial a process at a time.

    Each worker has a pipe of its own, rather than sharing the queues of :mod:`concurrent.futures`: when a worker dies,
    it is plain which trial died with it, and the others do not notice. Workers are spawned, since a forked process must
    not use torch; they end when this process ends, however it ends.

    Args:
        workers: number of processes; ``None`` for one on each core.

    Raises:
        UsageError: fewer than one.
    """

    def __init__(self, workers: int | None = None):
        if workers is not None and workers < 1:
            raise UsageError(f"ProcessPool: `workers` must be at least 1, got workers={workers}.")
        self.workers = workers or _cores()

    def run(self, jobs: Iterator[Job | None], on_event: OnEvent) -> Generator[Record, None, None]:
        """Run the jobs, as many at a time as there are workers. A worker that dies makes a failed record."""
        idle: list[_Worker] = []
        busy: dict[Connection, _Worker] = {}
        more = True
        try:
            while more or busy:
                while more and len(busy) < self.workers:
                    try:
                        job = next(jobs)
                    except StopIteration:
                        more = False
                        break
                    if job is None:
                        break
                    worker = idle.pop() if idle else _Worker(job.key.threads)
                    worker.start(job)
                    busy[worker.pipe] = worker
                for pipe in _ready(list(busy), wait_for_jobs=more and len(busy) < self.workers):
                    answer = busy[pipe].answer()
                    if isinstance(answer, Event):
                        on_event(answer)
                        continue
                    worker = busy.pop(pipe)
                    if worker.alive:
                        idle.append(worker)
                    yield answer
        finally:
            for worker in (*idle, *busy.values()):
                worker.stop()


class _Worker:
    """A process that runs one job after the other, seen from its parent."""

    def __init__(self, threads: int):
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.alive = True
        self._process = context.Process(target=_work, args=(theirs,))
        with _inherited(threads):
            self._process.start()
        theirs.close()  # so that the pipe ends with the worker

    def start(self, job: Job) -> None:
        """Hand it a job."""
        self._job, self._started = job, time.time()
        with suppress(BrokenPipeError):  # it has died, as answer() will find
            self.pipe.send(job)

    def answer(self) -> Event | Record:
        """What it says next; a failed record if it has died."""
        try:
            answer: Event | Record = self.pipe.recv()
        except (EOFError, OSError):
            self.stop()
            return self._died()
        return answer

    def stop(self) -> None:
        """End it, whatever it does."""
        self.alive = False
        self._process.terminate()
        self._process.join()
        self.pipe.close()

    def _died(self) -> Record:
        code = self._process.exitcode or 0
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        hint = "; perhaps it ran out of memory" if -code == signal.SIGKILL else ""
        return Record(
            key=self._job.key,
            status="failed",
            measurements=Measurements({}),
            environment=environment(),
            started=self._started,
            wall_s=time.time() - self._started,
            cpu_s=float("nan"),
            error=f"worker died ({how}{hint})",
        )


def _work(pipe: Connection) -> None:
    """What a worker does, for as long as its parent lives."""
    end_with_parent()
    with suppress(EOFError, BrokenPipeError):  # the parent has gone
        while True:
            pipe.send(execute(pipe.recv(), pipe.send))
            _keep_what_is_loaded()


@cache
def _keep_what_is_loaded() -> None:
    """Modules and data stay: garbage is collected before each trial, and need not be sought among them each time."""
    gc.collect()
    gc.freeze()


def _ready(pipes: list[Connection], *, wait_for_jobs: bool) -> list[Connection]:
    """The pipes that have something to say; if there is a place for a job, not later than it is time to ask for one."""
    if not pipes:
        time.sleep(_POLL_S if wait_for_jobs else 0)
        return []
    ready = connection.wait(pipes, _POLL_S if wait_for_jobs else None)
    return [pipe for pipe in pipes if pipe in ready]


@contextmanager
def _inherited(threads: int) -> Iterator[None]:
    """What a process that is started here inherits: the number of threads, which libraries read as they are loaded.

    And deafness to Ctrl-C, which at a terminal reaches all processes at once: the parent decides what to stop.
    """
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    resource_tracker.ensure_running()  # which would clear the mask if it were started below
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
