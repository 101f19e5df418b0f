"""Runs that are killed, interrupted, or not alone: as processes of their own, as at a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_study
import psutil
import pytest

from replank.lab.executors import InProcess
from replank.lab.run import Run, run_study

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "started.txt"


@pytest.fixture
def start(log: Path) -> Start:
    """Starts the command in a process group of its own, as a terminal does."""

    def start(ledger: Path, *, workers: int, seeds: int = 3, seconds: float = 0.3) -> subprocess.Popen[str]:
        command = [sys.executable, str(Path(__file__).with_name("command.py"))]
        return subprocess.Popen(
            [*command, str(ledger), str(workers), str(seeds), str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {fake_study.LOG: str(log), "OMP_NUM_THREADS": "1"},
        )

    return start


def started(log: Path) -> Counter[str]:
    """How often each trial was started."""
    return Counter(line.rpartition(" ")[0] for line in log.read_text().splitlines())


def rest_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it says until it ends; unlike communicate(), this does not lose what was buffered line by line."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        return process.stdout.read(), process.stderr.read()


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = rest_of(process)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def wait_for(process: subprocess.Popen[str], line_starts: str, times: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        times -= line.startswith(line_starts)
        if not times:
            return
    raise AssertionError(f"never said {line_starts!r}")


def workers_gone(log: Path) -> bool:
    pids = {int(line.split()[-1]) for line in log.read_text().splitlines()}
    deadline = time.monotonic() + 10
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(psutil.pid_exists, pids))


def run_here(ledger: Path, seeds: int = 3, seconds: float = 0.3) -> Run:
    """The same as the command, in this process."""
    return run_study(
        "fake_study:STUDY",
        scale="smoke",
        arms=["steady", "worse"],
        seeds=seeds,
        overrides={"seconds": str(seconds)},
        ledger=ledger,
        executor=InProcess(),
    )


def losses(run: Run) -> list[list[Any]]:
    return run.records.table[["arm", "seed", "train_loss"]].to_numpy().tolist()


def test_a_killed_run_goes_on_where_it_stopped(start: Start, log: Path, tmp_path: Path) -> None:
    killed = start(tmp_path / "ledger.db", workers=1)
    wait_for(killed, "finished", times=2)
    wait_for(killed, "started", times=1)
    killed.kill()
    rest_of(killed)
    assert workers_gone(log)
    log.write_text("")
    resumed = result(start(tmp_path / "ledger.db", workers=0))
    assert (resumed["done"], resumed["reused"], resumed["failed"]) == (4, 2, 0)
    assert sorted(started(log).values()) == [1, 1, 1, 1]
    assert resumed["losses"] == losses(run_here(tmp_path / "uninterrupted.db"))


def test_two_runs_share_a_ledger_and_the_work(start: Start, log: Path, tmp_path: Path) -> None:
    both = [start(tmp_path / "ledger.db", workers=0, seeds=4) for _ in range(2)]
    one, two = map(result, both)
    assert set(started(log).values()) == {1}
    assert len(started(log)) == 8
    assert one["done"] + two["done"] == 8
    assert one["done"] + one["reused"] == two["done"] + two["reused"] == 8
    assert one["losses"] == two["losses"] == losses(run_here(tmp_path / "ledger.db", seeds=4))


def test_ctrl_c_stops_cleanly_and_says_how_to_resume(start: Start, log: Path, tmp_path: Path) -> None:
    process = start(tmp_path / "ledger.db", workers=2)
    wait_for(process, "finished", times=1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = rest_of(process)
    assert process.returncode == 130
    said = re.fullmatch(
        r"Stopped\. (\d) trials are in the ledger, 0 failed, (\d) are left\. The same command goes on from here\.",
        out.splitlines()[-1],
    )
    assert said
    assert err == ""
    assert workers_gone(log)
    assert int(said[1]) >= 1
    resumed = run_here(tmp_path / "ledger.db")
    assert (resumed.reused, resumed.done) == (int(said[1]), int(said[2]))
