from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from replank.lab.recording import recorded
from replank.lab.trial import Measurements, Record, TrialKey

KEY = TrialKey("fake", "smoke", "plain", "digits", "arm", 3, "{}", "d", "c", 1)


def record(measure) -> Record:
    return recorded(KEY, measure, torch.device("cpu"))


def test_what_was_measured_comes_with_memory_and_time():
    def measure() -> Measurements:
        ballast = np.ones(2**23)  # 64 MiB
        return Measurements({"sum": float(ballast.sum())})

    left = record(measure)
    assert (left.status, left.error) == ("done", None)
    assert left.measurements.metrics["sum"] == 2**23
    assert 60 < left.measurements.metrics["peak_memory_mib"] < 120
    assert left.wall_s > 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_that_is_not_finite_fails_and_is_named(value):
    left = record(lambda: Measurements({"fine": 1.0}, [{"epoch": 1.0, "loss": value}]))
    assert left.status == "failed"
    assert left.error == "TrialError: not finite: loss."
    assert left.measurements.metrics["fine"] == 1.0


def test_an_exception_is_one_line_without_a_path_and_a_traceback():
    def measure() -> Measurements:
        raise ValueError(f"two\nlines about {Path.home()}/secret")

    left = record(measure)
    assert left.error == "ValueError: two lines about secret"
    assert left.traceback is not None
    assert "raise ValueError" in left.traceback
    assert str(Path.home()) not in left.traceback


def test_random_numbers_depend_on_the_seed_alone_and_leave_no_trace():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    draws = [record(lambda: Measurements({"x": float(torch.rand(()))})) for _ in range(2)]
    assert draws[0].measurements.metrics["x"] == draws[1].measurements.metrics["x"]
    assert torch.equal(torch.get_rng_state(), state)


def test_ctrl_c_is_not_a_failure():
    def measure() -> Measurements:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(measure)
