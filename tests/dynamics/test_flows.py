from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from replank.dynamics.delay import delay_embed, hankel_matrix, uniform_step
from replank.dynamics.lorenz import Lorenz63
from replank.dynamics.lotka_volterra import LotkaVolterra
from replank.dynamics.lyapunov import largest_lyapunov, valid_prediction_time
from replank.dynamics.simulate import runge_kutta, simulate
from replank.errors import DataError

number = st.floats(-30, 30)


# -- Lorenz ------------------------------------------------------------------------------------------------------------


def test_lorenz_at_time_one():
    end = simulate(Lorenz63(), [1.0, 1.0, 1.0], [0.0, 1.0], rtol=1e-12, atol=1e-12)[-1]
    np.testing.assert_allclose(end, [-9.37857001, -8.35703379, 29.36232534], atol=1e-6)


def test_fixed_points_of_lorenz():
    points = Lorenz63().fixed_points()
    np.testing.assert_allclose(points[1], [8.48528137, 8.48528137, 27], atol=1e-8)
    np.testing.assert_allclose(points[2], [-8.48528137, -8.48528137, 27], atol=1e-8)
    assert np.abs(Lorenz63()(points)).max() < 1e-12
    assert len(Lorenz63(rho=0.5).fixed_points()) == 1


@given(number, number, number)
def test_volumes_shrink_alike_everywhere(x, y, z):
    state = torch.tensor([x, y, z], dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(Lorenz63(), state)
    assert float(jacobian.trace()) == pytest.approx(Lorenz63().divergence)
    assert Lorenz63().divergence == pytest.approx(-13.6667, abs=1e-4)


@given(number, number, number)
def test_lorenz_is_symmetric(x, y, z):
    turn = np.array([-1, -1, 1])
    state = np.array([x, y, z])
    np.testing.assert_allclose(Lorenz63()(turn * state), turn * Lorenz63()(state))


def test_arrays_and_tensors_agree():
    states = np.random.default_rng(0).normal(size=(4, 3))
    for flow, some in ((Lorenz63(), states), (LotkaVolterra(), np.abs(states[:, :2]))):
        np.testing.assert_array_equal(flow(some), flow(torch.from_numpy(some)).numpy())


def test_neighbours_part_at_the_known_rate():
    starts = np.random.default_rng(0).uniform(-10, 10, (64, 3))
    assert largest_lyapunov(Lorenz63(), starts, duration=60.0) == pytest.approx(0.906, abs=0.02)


def test_rates_of_a_linear_system():
    assert largest_lyapunov(lambda x: x * np.array([-0.3, -1.0]), np.ones((2, 2)), duration=3.0) == pytest.approx(
        -0.3, abs=1e-6
    )
    with pytest.raises(ValueError, match="dt=0"):
        largest_lyapunov(Lorenz63(), np.ones((1, 3)), dt=0.0)
    with pytest.raises(DataError, match="finite"), np.errstate(all="ignore"):
        largest_lyapunov(lambda x: x**3, np.ones((1, 2)), duration=3.0)


# -- prey and predators ------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=10)
@given(st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from([0.25, 0.75]), st.floats(1, 2), st.floats(1, 2))
def test_the_invariant_stays(alpha, gamma, x, y):
    flow = LotkaVolterra(alpha=alpha, gamma=gamma)
    path = simulate(flow, [x, y], np.linspace(0, 10, 21), rtol=1e-12, atol=1e-12)
    assert np.ptp(flow.invariant(path)) < 1e-9


@pytest.mark.parametrize("start", [[0.0, 1.0], [1.0, -0.1]])
def test_animals_must_be_there(start):
    with pytest.raises(DataError, match="positive"):
        simulate(LotkaVolterra(), start, [0.0, 1.0])


# -- solvers -----------------------------------------------------------------------------------------------------------


def test_runge_kutta_is_of_fourth_order():
    start, exact = np.array([1.0, 0.0]), np.array([np.cos(1), -np.sin(1)])
    errors = [
        np.abs(runge_kutta(lambda x: np.stack((x[..., 1], -x[..., 0]), -1), start, 1.0, n) - exact).max()
        for n in (10, 20)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.1)
    with pytest.raises(ValueError, match="substeps=0"):
        runge_kutta(Lorenz63(), start, 1.0, 0)


@pytest.mark.parametrize(
    ("start", "times"),
    [([np.nan, 1, 1], [0, 1]), ([1, 1, 1], [0, 0]), ([1, 1, 1], [0.0]), ([[1, 1, 1]], [0, 1])],
)
def test_what_can_not_be_simulated_is_refused(start, times):
    with pytest.raises(DataError):
        simulate(Lorenz63(), start, times)


def test_a_solution_that_ends_is_refused():
    with pytest.raises(DataError, match="until t=2"):
        simulate(lambda x: x**2, [1.0], [0.0, 2.0])


# -- delays ------------------------------------------------------------------------------------------------------------


@given(n=st.integers(1, 20), q=st.integers(1, 20), d=st.integers(1, 3), stride=st.integers(1, 4))
def test_windows(n, q, d, stride):
    states = np.random.default_rng(n).normal(size=(n, d))
    if q > n:
        with pytest.raises(DataError, match=f"q={q} states, got shape \\({n}"):
            delay_embed(states, q)
        return
    windows = delay_embed(states, q, stride)
    assert windows.shape == (-(-(n - q + 1) // stride), q, d)
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(window, states[number * stride : number * stride + q])
    matrix = hankel_matrix(states, q)
    assert matrix.shape == (q * d, n - q + 1)
    np.testing.assert_array_equal(matrix[d:, :-1], matrix[:-d, 1:])


@pytest.mark.parametrize("n_waves", [1, 2, 3])
def test_the_rank_is_twice_the_number_of_waves(n_waves):
    t = 0.1 * np.arange(200)
    wave = sum(np.sin((1 + 1.3 * k) * t + k) for k in range(n_waves))
    assert np.linalg.matrix_rank(hankel_matrix(wave, 12), rtol=1e-9) == 2 * n_waves


def test_the_rank_of_a_linear_system_is_its_order():
    rng = np.random.default_rng(0)
    step = 0.9 * np.linalg.qr(rng.normal(size=(3, 3)))[0]
    states = [rng.normal(size=3)]
    for _ in range(50):
        states.append(step @ states[-1])
    seen = np.array(states) @ rng.normal(size=3)
    assert np.linalg.matrix_rank(hankel_matrix(seen, 10), rtol=1e-9) == 3


@pytest.mark.parametrize(("q", "stride"), [(0, 1), (-1, 1), (2, 0)])
def test_windows_of_nothing_are_refused(q, stride):
    with pytest.raises(ValueError, match=r"at least 1"):
        delay_embed(np.ones((5, 1)), q, stride)


def test_windows_of_nan_are_refused():
    with pytest.raises(DataError, match="finite"):
        delay_embed(np.array([1.0, np.nan, 2.0]), 2)


def test_steps():
    assert uniform_step(0.1) == 0.1
    assert uniform_step(np.linspace(0, 1, 11)) == pytest.approx(0.1)
    for wrong in (0.0, -1.0, np.nan, [1.0], [0.0, 1.0, 1.0]):
        with pytest.raises(DataError, match="positive"):
            uniform_step(wrong)
    with pytest.raises(DataError, match="equal distances"):
        uniform_step([0.0, 0.1, 0.3])


# -- valid time --------------------------------------------------------------------------------------------------------


def test_a_prediction_is_valid_until_it_is_off():
    true = np.zeros((2, 10, 2))
    predicted = true.copy()
    predicted[0, 4:] = 0.5
    predicted[0, 6:] = 0
    assert valid_prediction_time(predicted, true, 0.1, lyapunov=2.0, scale=np.ones(2)).tolist() == pytest.approx(
        [0.8, 2.0]
    )
    predicted[1, 3:] = np.inf
    assert valid_prediction_time(predicted, true, 0.1, lyapunov=2.0, scale=np.ones(2))[1] == pytest.approx(0.6)
    predicted[1, 1, 0] = np.nan
    assert valid_prediction_time(predicted, true, 0.1, lyapunov=2.0, scale=np.ones(2))[1] == pytest.approx(0.2)


def test_scales_are_those_of_the_truth():
    true = np.random.default_rng(0).normal(size=(1, 500, 2)) * np.array([1.0, 100.0])
    assert valid_prediction_time(true + 0.3 * np.array([1.0, 100.0]), true, 1.0, lyapunov=1.0)[0] == 500
    assert valid_prediction_time(true + 0.5 * np.array([1.0, 100.0]), true, 1.0, lyapunov=1.0)[0] == 0


def test_truths_must_be_there():
    with pytest.raises(ValueError, match="equal"):
        valid_prediction_time(np.ones((3, 2)), np.ones((4, 2)), 0.1)
    with pytest.raises(ValueError, match="finite"):
        valid_prediction_time(np.ones((3, 2)), np.full((3, 2), np.nan), 0.1)
