"""A run while it runs: bars on a terminal, one plain line per event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from replank.lab.job import Event, OnEvent
from replank.lab.report.wording import duration, metric
from replank.lab.trial import TrialKey

_QUIET_S = 10.0
"""Without a terminal, a trial tells an epoch only if it has been silent for so long: logs stay short."""


@contextmanager
def watching(n_trials: int, headline: str, console: Console) -> Iterator[OnEvent]:
    """Show the events of a run.

    Args:
        n_trials: how many trials were asked for.
        headline: the metric that is told when a trial ends.
        console: where to.
    """
    if not console.is_terminal:
        yield Lines(n_trials, headline, lambda line: console.print(Text(line), soft_wrap=True))
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield Bars(n_trials, headline, bars)


class Lines:
    """Events as plain lines.

    Args:
        n_trials: how many trials were asked for.
        headline: the metric that is told when a trial ends.
        write: takes a line.
        clock: seconds from anywhere.
    """

    def __init__(
        self, n_trials: int, headline: str, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ):
        self._n_trials, self._headline, self._write, self._clock = n_trials, headline, write, clock
        self._started: dict[TrialKey, float] = {}
        self._told: dict[TrialKey, float] = {}
        self._ended = 0

    def __call__(self, event: Event) -> None:
        """Take an event."""
        now = self._clock()
        if event.kind == "started":
            self._started[event.key] = now
        if event.kind in ("finished", "failed", "reused"):
            self._ended += 1
        if event.kind != "epoch" or now - self._told.get(event.key, 0) >= _QUIET_S:
            self._told[event.key] = now
            took = duration(now - self._started.get(event.key, now))
            self._write(f"[{self._ended}/{self._n_trials}] {event.key}: {_words(event, self._headline, took)}")


class Bars:
    """Events as a bar for the whole run, and one for each trial that is running.

    Args:
        n_trials: how many trials were asked for.
        headline: the metric that is told when a trial ends.
        bars: started by the caller.
    """

    def __init__(self, n_trials: int, headline: str, bars: Progress):
        self._headline, self._bars = headline, bars
        self._left = n_trials
        self._all = bars.add_task("all trials", total=n_trials, note=f"{n_trials} to go")
        self._running: dict[TrialKey, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.kind == "started":
            self._running[event.key] = self._bars.add_task(str(event.key), total=None, note="")
        elif event.kind == "epoch":
            note = _words(event, self._headline, "")
            self._bars.update(self._running[event.key], completed=event.epoch, total=event.n_epochs, note=note)
            self._bars.advance(self._all, 1 / event.n_epochs)
        elif event.kind == "waiting":
            self._bars.console.print(Text(f"{event.key}: {_words(event, self._headline, '')}"))
        else:
            self._end(event)

    def _end(self, event: Event) -> None:
        self._left -= 1
        self._bars.update(self._all, note=f"{self._left} to go")
        if event.kind == "reused":
            # it took no time: counted as progress, it would make the rest look quick
            self._bars.update(self._all, total=(self._bars.tasks[self._all].total or 1) - 1)
        task = self._running.pop(event.key, None)
        if task is not None:
            self._bars.remove_task(task)
        if event.kind == "failed":
            self._bars.console.print(Text(f"{event.key}: failed: {event.error}", style="red"))


def _words(event: Event, headline: str, took: str) -> str:
    if event.kind == "epoch":
        loss = f", loss {event.values['train_loss']:.4f}" if "train_loss" in event.values else ""
        return f"epoch {event.epoch}/{event.n_epochs}{loss}"
    if event.kind == "finished":
        lead = metric(headline)
        return f"finished in {took}, {lead.label} {lead.show(event.values.get(headline))}"
    return {
        "started": "started",
        "failed": f"failed after {took}: {event.error}",
        "reused": "already in the ledger",
        "waiting": "another run is at it; waiting",
    }[event.kind]
