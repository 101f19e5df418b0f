"""The series of the recurrent studies: formulas against independent solutions, files against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import jvp

from replank import datasets
from replank.datasets._columns import column_values, longest_stretch
from replank.datasets.bessel_j2 import bessel_series
from replank.datasets.damped_pendulum import damped_pendulum
from replank.datasets.narma import narma, narma_input
from replank.datasets.windows import make_windows
from replank.errors import DataError

RECORDED = {
    "monthly_sunspots": (2820, [58.0, 62.6], [33.3, 33.4], 253.8),
    "daily_min_temperatures": (3650, [20.7, 17.9], [15.7, 13.0], 26.3),
    "airline_passengers": (144, [112, 118], [390, 432], 622),
    "etth1_oil": (17420, [30.531, 27.787], [10.904, 11.045], 46.007),
    "beijing_pm25": (1330, [87, 85], [88, 104], 459),
}


@pytest.mark.parametrize(("name", "known"), RECORDED.items(), ids=RECORDED)
def test_a_recorded_series_begins_and_ends_as_in_its_file(name, known):
    if not datasets.verify(name).ok:
        pytest.skip(f"no {name}: set REPLANK_DATA to test it")
    n, first, last, greatest = known
    values = datasets.load(name).values
    assert len(values) == n
    np.testing.assert_allclose([*values[:2], values.max()], [*first, greatest], atol=1e-3)
    if name != "etth1_oil":
        np.testing.assert_array_equal(values[-2:], last)


def test_the_pendulum_agrees_with_another_solver():
    exact = solve_ivp(
        lambda _, s: [s[1], -0.15 * s[1] - 9.81 * np.sin(s[0])], (0, 20), (0, 3), rtol=1e-10, atol=1e-12,
        t_eval=np.linspace(0, 20, 240),
    )  # fmt: skip
    np.testing.assert_allclose(damped_pendulum(), exact.y[1], atol=1e-6)


@given(st.floats(0.05, 1), st.floats(0.5, 3), st.floats(0.5, 20), st.floats(0.5, 2))
def test_a_pendulum_that_hardly_moves_is_a_damped_oscillator(damping, mass, gravity, length):
    start = 1e-4
    rate = damping / (2 * mass)
    frequency = np.sqrt(gravity / length - rate**2 + 0j)
    times = np.linspace(0, 5, 50)
    velocity = np.exp(-rate * times) * (np.cos(frequency * times) - rate / frequency * np.sin(frequency * times))
    found = damped_pendulum(
        50, 5.0, damping=damping, mass=mass, gravity=gravity, length=length, start=(0.0, start)
    )  # fmt: skip
    np.testing.assert_allclose(found, start * velocity.real, atol=1e-2 * start)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_the_bessel_function_satisfies_its_equation(order):
    x = np.linspace(2, 100, 1000)
    y, first, second = bessel_series(order), jvp(order, x, 1), jvp(order, x, 2)
    np.testing.assert_allclose(x**2 * second + x * first + (x**2 - order**2) * y, 0, atol=1e-9)


@given(st.integers(1, 12), st.integers(0, 1000))
def test_narma_follows_its_recurrence_term_by_term(order, seed):
    u = np.random.default_rng(seed).uniform(0, 0.4, 30)
    y = narma(order, u)

    def at(series, t):
        return series[t] if t >= 0 else 0.0

    for t in range(29):
        past = sum(at(y, t - j) for j in range(order))
        expected = 0.3 * y[t] + 0.05 * y[t] * past + 1.5 * at(u, t - order + 1) * u[t] + 0.1
        assert y[t + 1] == pytest.approx(expected, rel=1e-12)
    assert y[0] == 0


def test_the_drive_is_the_papers_and_comes_with_the_series():
    u = narma_input(300)
    t = 7
    product = np.prod([np.sin(2 * np.pi * frequency * t / 100) for frequency in (2.11, 3.73, 4.11)])
    assert u[t] == pytest.approx(0.1 * (product + 1))
    for order in (5, 10):
        np.testing.assert_array_equal(datasets.load(f"narma{order}").values, narma(order, u))


def test_a_drive_that_is_too_strong_is_warned_of_and_then_refused():
    with (
        pytest.warns(RuntimeWarning, match=r"\|y\| exceeds 1 at step"),
        pytest.raises(DataError, match=r"must stay below 1000, got .* with order=10. Take a smaller input"),
    ):
        narma(10, np.ones(300))


@given(st.integers(1, 6), st.integers(8, 30))
def test_windows_are_followed_by_their_targets(length, n):
    values = np.arange(float(n))
    inputs, targets = make_windows(values, length)
    assert inputs.shape == (n - length - 1, length)
    np.testing.assert_array_equal(inputs[:, -1] + 1, targets)
    np.testing.assert_array_equal(np.diff(inputs, axis=1), 1)
    driven = make_windows(values, length, values**2)
    np.testing.assert_array_equal(driven.inputs, inputs)
    np.testing.assert_array_equal(driven.targets, targets**2)


def test_a_table_is_read_by_its_heading_and_gaps_are_never_closed():
    table = b'\xef\xbb\xbf"Day","Value"\n1,2.5\n2,NA\n3,4\n4,5\n5,\n6,7'
    values = column_values(table, "Value")
    np.testing.assert_array_equal(values, [2.5, np.nan, 4, 5, np.nan, 7])
    np.testing.assert_array_equal(longest_stretch(values), [4, 5])
    np.testing.assert_array_equal(longest_stretch(values[:1]), [2.5])


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda: column_values(b"a,b\n1,2", "c"), r"must have a column c, got \['a', 'b'\]"),
        (lambda: column_values(b"a,b\n1,2", "b") and column_values(b"a,b\n1,x", "b"), "must hold numbers"),
        (lambda: column_values(b"a,b\n1", "b"), "must hold numbers"),
        (lambda: longest_stretch(np.array([np.nan, np.nan])), "got 2 values without any"),
        (lambda: make_windows(np.zeros(5), 4), r"at least length \+ 2 = 6 values, got 5"),
        (lambda: make_windows(np.zeros(9), 0), "at least one step, got length=0"),
        (lambda: make_windows(np.zeros(9), 2, np.zeros(8)), r"equally long, got shapes \(9,\) and \(8,\)"),
        (lambda: damped_pendulum(1), "two points and some time between them, got n_points=1"),
        (lambda: bessel_series(start=3.0, stop=2.0), "two points in a range, got n_points=1000, start=3.0"),
        (lambda: narma(0), "at least one step, got order=0"),
        (lambda: narma(2, np.zeros((3, 3))), r"finite numbers \(T,\), got shape \(3, 3\)"),
    ],
)
def test_what_makes_no_sense_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()
