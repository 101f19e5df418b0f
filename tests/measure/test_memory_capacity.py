from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from replank.measure import memory_capacity
from replank.seeding import torch_stream

F64 = torch.float64


def inputs(n=2000, seed=0):
    return 2 * torch.rand(n, dtype=F64, generator=torch_stream(seed, "inputs")) - 1


def noise(n=2000, n_features=5, seed=0):
    return torch.randn(n, n_features, dtype=F64, generator=torch_stream(seed, "noise"))


def delay_line(u, length):
    """Features u_{t-1}, ..., u_{t-length}."""
    return torch.stack([F.pad(u, (delay, 0))[: len(u)] for delay in range(1, length + 1)], 1)


@given(st.integers(1, 8), st.integers(0, 100))
@settings(max_examples=20)
def test_a_delay_line_has_its_length(length, seed):
    u = inputs(seed=seed)
    found = memory_capacity(delay_line(u, length), u, washout=200)
    # beyond its length there is chance alone, of about 1 / 900 for each delay
    assert found.total == pytest.approx(length, abs=0.05)
    assert found.by_delay[:length] == pytest.approx([1.0] * length)
    assert found.total == pytest.approx(sum(found.by_delay))


def test_noise_remembers_nothing():
    assert memory_capacity(noise(), inputs(), washout=200).total < 0.3


def test_the_present_input_does_not_count():
    u = inputs()
    assert memory_capacity(u.unsqueeze(1), u, washout=200).total < 0.1


def test_any_invertible_linear_map_of_the_states_has_the_same():
    u = inputs()
    states = delay_line(u, 4) + 0.3 * noise(n_features=4)
    mixed = states @ noise(4, 4, seed=1) - 3
    direct, other = (memory_capacity(each, u, washout=100) for each in (states, mixed))
    assert other.total == pytest.approx(direct.total, rel=1e-9)


def test_it_is_the_squared_correlation_on_the_second_half():
    """One feature and one delay: no weight can change a correlation but by its sign."""
    u = inputs(400)
    feature = F.pad(u, (1, 0))[:400] + 0.5 * noise(400, 1)[:, 0]
    found = memory_capacity(feature.unsqueeze(1), u, 1, washout=100)
    expected = torch.corrcoef(torch.stack((feature[250:], u[249:399])))[0, 1].square()
    assert found.total == pytest.approx(float(expected))


def test_at_most_one_for_each_feature():
    """The bound holds for the linear memory of any reservoir, here random functions of ten inputs."""
    u = inputs(6000)
    states = (delay_line(u, 10) @ noise(10, 4)).tanh()
    assert memory_capacity(states, u, washout=200).total <= 4 + 0.05


def test_states_that_never_change_remember_nothing():
    assert memory_capacity(torch.ones(50, 2), inputs(50), 3).by_delay == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("states", "u", "options", "law"),
    [
        (noise(50), inputs(50), {"max_delay": 50}, "1..49 for 50 steps, got max_delay=50"),
        (noise(50), inputs(50), {"max_delay": 0}, "max_delay=0"),
        (noise(50), inputs(50), {"max_delay": 10, "washout": 9}, "at least max_delay=10"),
        (noise(50), inputs(50), {"max_delay": 10, "washout": 47}, "leave four of 50 steps, got washout=47"),
        (noise(50), inputs(49), {}, r"got shapes \(50, 5\) and \(49,\)"),
        (inputs(50), inputs(50), {}, r"got shapes \(50,\)"),
        (noise(50) / 0, inputs(50), {}, "must be finite"),
    ],
)
def test_wrong_use_is_refused(states, u, options, law):
    with pytest.raises(ValueError, match=law):
        memory_capacity(states, u, **options)
