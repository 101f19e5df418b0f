"""Run one trial and write down what came of it, whatever that is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import nn

from replank.errors import TrialError
from replank.lab.environment import environment
from replank.lab.trial import Measurements, Record, TrialKey
from replank.measure.flops import forward_flops
from replank.measure.memory import PeakMemory
from replank.measure.timing import Stopwatch
from replank.seeding import isolated


def recorded(key: TrialKey, measure: Callable[[], Measurements], device: torch.device) -> Record:
    """The record of one trial: its measurements with time and peak memory of this trial alone, or how it failed.

    An exception, or a measurement that is not finite, makes a failed record with what was measured so far; it never
    leaves this function, so that one trial does not stop the others. Random numbers drawn outside the named streams of
    :mod:`replank.seeding` come from a stream of the trial's own.
    """
    _warm_up()
    measured, error, trace = Measurements({}), None, None
    started = time.time()
    with Stopwatch(device) as watch:
        try:
            with PeakMemory(device) as peak, isolated(key.seed, "trial"):
                measured = measure()
            measured.metrics["peak_memory_mib"] = peak.bytes / 2**20
            _check_finite(measured)
        except Exception as problem:  # a failing trial is a finding, not the end of the run
            error = " ".join(_without_paths(f"{type(problem).__name__}: {problem}").split())
            trace = _without_paths(traceback.format_exc())
    status = "failed" if error else "done"
    return Record(key, status, measured, environment(), started, watch.wall_s, watch.cpu_s, error, trace)


@cache
def _warm_up() -> None:
    """Let torch load what it loads at first use, a good hundred megabytes: the first trial must not pay for it."""
    with isolated(0, "warm-up"):
        layer = nn.Linear(1, 1)
        forward_flops(layer, torch.zeros(1, 1))
        layer(torch.zeros(1, 1)).sum().backward()
        torch.optim.Adam(layer.parameters()).step()


def _check_finite(measured: Measurements) -> None:
    names = measured.not_finite()
    if names:
        raise TrialError(f"not finite: {', '.join(names)}.")


def _without_paths(trace: str) -> str:
    """A traceback or message that says which module failed, not where somebody keeps it."""
    for root in (Path(__file__).parents[2], Path(torch.__file__).parents[1], Path.home(), Path.cwd()):
        trace = trace.replace(f"{root}/", "")
    return trace
