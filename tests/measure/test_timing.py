from __future__ import annotations

import threading
import time

import pytest
import torch
from torch import nn

from replank.measure import Stopwatch, throughput


class Counting(nn.Module):
    """Counts its calls and remembers in which state they came."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, x):
        self.calls.append((self.training, torch.is_grad_enabled(), len(x)))
        return x


@pytest.fixture
def clocks(monkeypatch):
    """Clocks that are set by hand."""
    now = {"wall": 100.0, "cpu": 10.0}
    monkeypatch.setattr(time, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(time, "process_time", lambda: now["cpu"])
    return now


def test_stopwatch_reads_both_clocks(clocks):
    with Stopwatch() as watch:
        clocks["wall"] += 3
        clocks["cpu"] += 5
    assert (watch.wall_s, watch.cpu_s) == (3, 5)


def test_waiting_takes_wall_time_but_no_cpu_time():
    with Stopwatch() as watch:
        threading.Event().wait(0.05)
    assert watch.wall_s >= 0.05
    assert watch.cpu_s < watch.wall_s


def test_throughput_is_the_median(clocks):
    # two passes to warm up, then three that are timed
    durations = iter([50.0, 50.0, 1.0, 2.0, 90.0])

    class Slow(nn.Module):
        def forward(self, x):
            clocks["wall"] += next(durations)
            return x

    assert throughput(Slow(), torch.zeros(8, 1), repeats=3) == 8 / 2


def test_throughput_runs_at_inference_and_leaves_the_mode():
    model = Counting().train()
    throughput(model, torch.zeros(4, 1), repeats=3)
    assert model.calls == [(False, False, 4)] * 5
    assert model.training


@pytest.mark.parametrize(
    ("batch", "repeats", "law"),
    [
        (torch.zeros(0, 3), 3, r"`batch` must hold at least one sample, got shape=\(0, 3\)"),
        (torch.tensor(1.0), 3, r"`batch` must hold at least one sample, got shape=\(\)"),
        (torch.zeros(2, 3), 0, "`repeats` must be at least 1, got repeats=0"),
    ],
    ids=["empty", "number", "repeats"],
)
def test_wrong_input_is_refused(batch, repeats, law):
    with pytest.raises(ValueError, match=law):
        throughput(nn.Identity(), batch, repeats=repeats)
