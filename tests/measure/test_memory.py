from __future__ import annotations

import gc

import numpy as np
import pytest

from replank.measure import PeakMemory, memory

MB = 10**6


def block(megabytes: int) -> np.ndarray:
    return np.ones(megabytes * MB // 8)


@pytest.fixture(params=["high-water mark", "sampler"])
def gauge(request, monkeypatch):
    """Both ways to know the resident memory."""
    if request.param == "sampler":
        monkeypatch.setattr(memory._HighWaterMark, "works", lambda: False)
    return request.param


@pytest.mark.usefixtures("gauge")
def test_sees_what_is_held():
    with PeakMemory() as peak:
        held = block(200)
    assert 180 * MB <= peak.bytes <= 300 * MB
    del held


def test_sees_what_was_freed_inside():
    with PeakMemory() as peak:
        held = block(200)
        del held
    assert 180 * MB <= peak.bytes <= 300 * MB


@pytest.mark.usefixtures("gauge")
def test_what_was_there_before_does_not_count():
    before = block(200)
    with PeakMemory() as peak:
        held = block(50)
    assert 40 * MB <= peak.bytes <= 120 * MB
    del before, held


@pytest.mark.usefixtures("gauge")
def test_garbage_from_before_does_not_make_room():
    cycle = [block(200)]
    cycle.append(cycle)
    del cycle
    with PeakMemory() as peak:
        gc.collect()
        held = block(100)
    assert 80 * MB <= peak.bytes <= 180 * MB
    del held


@pytest.mark.usefixtures("gauge")
def test_consecutive_blocks_measure_their_own():
    with PeakMemory() as large:
        held = block(200)
    del held
    with PeakMemory() as small:
        held = block(50)
    assert 180 * MB <= large.bytes <= 300 * MB
    assert 40 * MB <= small.bytes <= 120 * MB
    del held


@pytest.mark.usefixtures("gauge")
def test_nested_blocks_measure_their_own():
    with PeakMemory() as outer:
        first = block(200)
        with PeakMemory() as inner:
            second = block(50)
        del first, second
    assert 40 * MB <= inner.bytes <= 120 * MB
    assert 230 * MB <= outer.bytes <= 350 * MB


def test_the_peak_before_a_nested_block_is_not_lost():
    with PeakMemory() as outer:
        held = block(200)
        del held
        with PeakMemory() as inner:
            pass
    assert inner.bytes <= 50 * MB
    assert 180 * MB <= outer.bytes <= 300 * MB


def test_an_error_passes_through_and_the_next_block_works():
    with pytest.raises(ZeroDivisionError), PeakMemory():
        _ = 1 / 0
    with PeakMemory() as peak:
        held = block(50)
    assert peak.bytes >= 40 * MB
    del held
