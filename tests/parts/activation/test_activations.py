from __future__ import annotations

from math import e, inf, pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from replank import swap
from replank.errors import UnknownName
from replank.parts import group_of, parts_of
from replank.parts.activation import (
    ACTIVATIONS,
    GROUP,
    AdaptiveTanh,
    Cosine,
    Gaussian,
    SignStep,
    Sine,
    Snake,
    Swish,
    find_activation,
)
from replank.parts.controls import same_size

F64 = torch.float64
POINTS = torch.linspace(-5, 5, 41, dtype=F64)


@pytest.mark.parametrize(
    ("activation", "t", "value"),
    [
        (Gaussian(), 2.0, e**-2),
        (Cosine(), pi / 3, 0.5),
        (Sine(frequency=2.0), pi / 4, 1.0),
        (SignStep(), -3.0, -1.0),
        (SignStep(), 0.0, 0.0),
        (Snake(frequency=2.0, dtype=F64), pi / 4, pi / 4 + 0.5),
        (Snake(frequency=2.0, dtype=F64), pi / 2, pi / 2),
        (AdaptiveTanh(slope=2.0, dtype=F64), 0.5, (e**2 - 1) / (e**2 + 1)),
        (Swish(dtype=F64), 1.0, 1 / (1 + 1 / e)),
    ],
)
def test_values(activation, t, value):
    assert activation(torch.tensor(t, dtype=F64)).item() == pytest.approx(value, abs=1e-14)


def test_special_cases_are_torchs():
    torch.testing.assert_close(Swish(dtype=F64)(POINTS), nn.SiLU()(POINTS))
    torch.testing.assert_close(Swish(beta=1e4, dtype=F64)(POINTS), nn.ReLU()(POINTS))
    torch.testing.assert_close(AdaptiveTanh(factor=5.0, dtype=F64)(POINTS), nn.Tanh()(POINTS))


def test_a_snake_whose_frequency_vanishes_is_the_identity():
    snake = Snake(dtype=F64)
    with torch.no_grad():
        snake.frequency.zero_()
    assert torch.equal(snake(POINTS), POINTS)


@given(shift=st.integers(-5, 5))
def test_waves_have_their_period(shift):
    torch.testing.assert_close(Cosine()(POINTS + 2 * pi * shift), Cosine()(POINTS))
    torch.testing.assert_close(Sine(frequency=2.0)(POINTS + pi * shift), Sine(frequency=2.0)(POINTS))


def test_the_gaussian_is_its_own_fourier_transform():
    t = torch.linspace(-12, 12, 4001, dtype=F64)
    transformed = torch.trapezoid(Gaussian()(t) * torch.cos(POINTS[:, None] * t), t)
    torch.testing.assert_close(transformed, (2 * pi) ** 0.5 * Gaussian()(POINTS), rtol=1e-12, atol=1e-12)


def test_nothing_in_front_of_a_sign_is_trained_by_gradients():
    layer = nn.Linear(2, 3)
    SignStep()(layer(torch.ones(1, 2))).sum().backward()
    assert not layer.weight.grad.any()


def test_slopes_learn():
    """Target: the same function with another parameter."""
    for kind, option in ((Swish, "beta"), (Snake, "frequency"), (AdaptiveTanh, "slope")):
        target, learner = kind(**{option: 1.3}, dtype=F64), kind(dtype=F64)
        optimiser = torch.optim.Adam(learner.parameters(), lr=0.05)
        for _ in range(150):
            optimiser.zero_grad()
            (learner(POINTS) - target(POINTS)).square().mean().backward()
            optimiser.step()
        assert next(learner.parameters()).item() == pytest.approx(1.3, abs=1e-2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_by_name_have_no_parameters_and_belong_to_the_group(name):
    activation = find_activation(name)
    assert group_of(activation) is GROUP
    assert not list(activation.parameters())


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownName, match="unknown activation 'gausian'"):
        find_activation("gausian")


@pytest.mark.parametrize(
    "build",
    [
        lambda x: Sine(frequency=x),
        lambda x: Swish(beta=x),
        lambda x: Snake(frequency=x),
        lambda x: AdaptiveTanh(slope=x),
    ],
)
@pytest.mark.parametrize("value", [0.0, -1.0, inf])
def test_wrong_options_are_refused(build, value):
    with pytest.raises(ValueError, match=f"must be positive and finite, got .*={value}"):
        build(value)


def test_any_activation_of_torch_can_be_replaced():
    for old in GROUP.replaces:
        layer = old(0.0, 0.0) if old is nn.Threshold else old()
        for kind in parts_of("activation").values():
            assert swap(nn.Sequential(nn.Linear(2, 3), layer), "1", kind)[1](torch.zeros(4, 3)).shape == (4, 3)


def test_a_rival_has_a_slope_only_where_there_is_a_parameter():
    host = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    assert isinstance(swap(host, "1", same_size(Gaussian))[1], nn.ReLU)
    assert isinstance(swap(host, "1", same_size(Snake))[1], nn.PReLU)
