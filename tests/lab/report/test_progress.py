from __future__ import annotations

import io

import pytest
from ark import record
from rich.console import Console
from rich.progress import Progress

from replank.lab.job import Event
from replank.lab.report.progress import Bars, Lines, watching

KEY = record("oak", 0).key


def test_a_trial_is_told_from_its_start_to_its_end() -> None:
    times = iter([100.0, 104.0, 112.0, 160.0])
    lines: list[str] = []
    tell = Lines(2, "test_accuracy", lines.append, lambda: next(times))
    tell(Event("started", KEY))
    tell(Event("epoch", KEY, 1, 3, {"train_loss": 2.0}))
    tell(Event("epoch", KEY, 2, 3, {"train_loss": 1.5}))
    tell(Event("finished", KEY, values={"test_accuracy": 0.9}))
    name = "oak seed 0 (A, mnist5k)"
    assert lines == [
        f"[0/2] {name}: started",
        f"[0/2] {name}: epoch 2/3, loss 1.5000",  # the first came too soon after the start
        f"[1/2] {name}: finished in 1 min, test accuracy (%) 90.00",
    ]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event("reused", KEY), "[1/2] oak seed 0 (A, mnist5k): already in the ledger"),
        (Event("waiting", KEY), "[0/2] oak seed 0 (A, mnist5k): another run is at it; waiting"),
        (Event("failed", KEY, error="it [sank]"), "[1/2] oak seed 0 (A, mnist5k): failed after 0.0 s: it [sank]"),
    ],
    ids=lambda value: value.kind if isinstance(value, Event) else "",
)
def test_every_kind_of_event_has_its_line(event: Event, words: str) -> None:
    console = Console(file=io.StringIO(), width=40)
    with watching(2, "test_accuracy", console) as tell:
        tell(event)
    assert console.file.getvalue() == f"{words}\n"  # type: ignore[attr-defined]


def test_bars_follow_the_running_trials() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    bars = Progress("{task.description}", "{task.fields[note]}", console=console, auto_refresh=False)
    tell = Bars(3, "test_accuracy", bars)
    whole = bars.tasks[0]
    tell(Event("reused", record("reed", 0).key))
    assert (whole.total, whole.completed) == (2, 0)
    tell(Event("started", KEY))
    tell(Event("epoch", KEY, 1, 2, {"train_loss": 2.0}))
    assert whole.completed == 0.5
    assert [task.fields["note"] for task in bars.tasks] == ["2 to go", "epoch 1/2, loss 2.0000"]
    tell(Event("epoch", KEY, 2, 2, {"train_loss": 1.0}))
    tell(Event("finished", KEY, values={}))
    assert (whole.completed, len(bars.tasks)) == (1, 1)
    tell(Event("failed", record("keel", 0).key, error="sunk"))
    assert whole.fields["note"] == "0 to go"
    assert "keel seed 0 (A, mnist5k): failed: sunk" in console.file.getvalue()  # type: ignore[attr-defined]
