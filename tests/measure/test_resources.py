from __future__ import annotations

import struct
import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from replank.measure import ResourceMeter, flushing_subnormals, subnormal_count

MB = 10**6


@pytest.fixture
def busy():
    """A thread that computes until the test is over: what goes on elsewhere in the process."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(done.is_set, True)], daemon=True)
    thread.start()
    yield
    done.set()
    thread.join()


def test_meter_sees_time_and_memory():
    with ResourceMeter() as meter:
        held = np.ones(50 * MB // 8)
        time.sleep(0.02)
    assert meter.wall_s >= 0.02
    assert meter.cpu_s > 0
    assert 45 * MB <= meter.peak_rss <= 120 * MB
    assert meter.peak_cuda == 0
    assert meter.metrics("training_") == {
        "training_wall_s": meter.wall_s, "training_cpu_s": meter.cpu_s, "training_peak_rss_mib": meter.peak_rss / 2**20,
    }  # fmt: skip
    del held


@pytest.mark.usefixtures("busy")
def test_cpu_time_is_never_negative():
    # the published difference of two momentary loads is, when the load falls
    for _ in range(5):
        with ResourceMeter() as meter:
            pass
        assert meter.cpu_s >= 0
        assert meter.wall_s > 0
        assert meter.peak_rss >= 0


def test_before_the_block_has_ended_there_is_nothing():
    meter = ResourceMeter()
    assert (meter.wall_s, meter.cpu_s, meter.peak_rss, meter.peak_cuda) == (0, 0, 0, 0)


def test_an_error_passes_through_and_is_measured():
    meter = ResourceMeter()
    with pytest.raises(ZeroDivisionError), meter:
        _ = 1 / 0
    assert meter.wall_s > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_subnormal_is_what_the_format_says(dtype):
    info = torch.finfo(dtype)
    values = [0.0, -0.0, info.tiny, -info.tiny, 1.0, torch.inf, torch.nan, info.tiny / 2, -info.tiny / 4]
    layer = nn.Module()
    layer.register_buffer("values", torch.tensor(values, dtype=torch.float64).to(dtype))
    assert subnormal_count(layer) == {"parameters": 0, "gradients": 0, "buffers": 2, "optimiser": 0}
    if dtype == torch.float32:
        smallest = struct.unpack("<f", struct.pack("<I", 1))[0]
        layer.register_buffer("smallest", torch.tensor([smallest, smallest * 1j]))
        assert subnormal_count(layer)["buffers"] == 4


def test_subnormals_are_found_wherever_they_are():
    layer = nn.Linear(3, 2)
    layer.register_buffer("steps", torch.tensor([1, 2]))
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    assert set(subnormal_count(layer, optimiser).values()) == {0}
    with torch.no_grad():
        layer.weight[0] = 1e-40
        layer.bias.grad[:] = 1e-41
        optimiser.state[layer.weight]["exp_avg"].fill_(1e-42)
        optimiser.state[layer.bias]["exp_avg_sq"][0] = 1e-39
    assert subnormal_count(layer, optimiser) == {"parameters": 3, "gradients": 2, "buffers": 0, "optimiser": 7}
    with flushing_subnormals():  # they stay what they are
        assert subnormal_count(layer)["parameters"] == 3


def test_flushing_holds_for_the_block_and_nests():
    small = torch.tensor(2.0**-130)

    def vanishes() -> bool:
        return float(small * 0.5) == 0

    assert not vanishes()
    with flushing_subnormals() as can:
        assert vanishes() == can
        with flushing_subnormals(False):
            assert not vanishes()
        assert vanishes() == can
    assert not vanishes()
    with pytest.raises(ZeroDivisionError), flushing_subnormals():
        _ = 1 / 0
    assert not vanishes()


def test_a_dead_weights_moment_stays_subnormal_forever():
    # with no gradient Adam's average shrinks by a tenth a step, until a tenth of it is less than half its last digit
    weight = nn.Parameter(torch.ones(5))
    optimiser = torch.optim.Adam([weight])
    weight.grad = torch.ones(5)
    optimiser.step()
    weight.grad = torch.zeros(5)
    for _ in range(1500):
        optimiser.step()
    layer = nn.Module()
    layer.weight = weight
    assert subnormal_count(layer, optimiser)["optimiser"] == 5
