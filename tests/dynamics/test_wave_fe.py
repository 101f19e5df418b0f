from __future__ import annotations

import math
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh

from replank.dynamics.wave_fe import WaveFE2D
from replank.errors import MissingExtra


def nodes(n):
    return np.linspace(0, 1, n + 1)


def sine(n, k=1, m=1):
    """A field that vanishes on the boundary, exactly."""
    field = np.outer(np.sin(k * np.pi * nodes(n)), np.sin(m * np.pi * nodes(n)))
    field[[0, -1]] = field[:, [0, -1]] = 0
    return field


def one_dimensional(n):
    """Mass and stiffness of linear elements on a line of length one."""
    h = 1 / n
    mass, stiffness = np.zeros((2, n + 1, n + 1))
    for left in range(n):
        both = np.ix_([left, left + 1], [left, left + 1])
        mass[both] += h / 6 * np.array([[2, 1], [1, 2]])
        stiffness[both] += 1 / h * np.array([[1, -1], [-1, 1]])
    return mass, stiffness


def discrete_frequency(n, k=1, m=1):
    h = 1 / n
    one_d = [6 / h**2 * (1 - math.cos(j * math.pi * h)) / (2 + math.cos(j * math.pi * h)) for j in (k, m)]
    return math.sqrt(sum(one_d))


@pytest.mark.parametrize("n", [2, 5])
def test_matrices_are_products_of_those_on_lines(n):
    wave = WaveFE2D(n, 1.0)
    mass, stiffness = one_dimensional(n)
    np.testing.assert_allclose(wave.mass.toarray(), np.kron(mass, mass), rtol=0, atol=1e-12)
    expected = np.kron(mass, stiffness) + np.kron(stiffness, mass)
    np.testing.assert_allclose(wave.stiffness.toarray(), expected, rtol=0, atol=1e-12)


def test_every_element_has_its_own_speed():
    n, speed = 3, np.random.default_rng(0).uniform(0.5, 2, (3, 3))
    mass, stiffness = one_dimensional(1)
    expected = np.zeros((16, 16))
    local = np.kron(mass, stiffness) + np.kron(stiffness, mass)  # of a square of any size, in two dimensions
    for row in range(n):
        for column in range(n):
            corners = [j * 4 + i for j in (row, row + 1) for i in (column, column + 1)]
            expected[np.ix_(corners, corners)] += speed[row, column] ** 2 * local
    np.testing.assert_allclose(WaveFE2D(n, speed).stiffness.toarray(), expected, rtol=0, atol=1e-12)


def test_the_discrete_solution_in_closed_form():
    n, dt, steps = 16, 0.02, 50
    wave, start = WaveFE2D(n, 1.0), sine(n)
    motion = wave.newmark(start, np.zeros_like(start), dt, steps)
    theta = 2 * math.atan(discrete_frequency(n) * dt / 2)
    for m in range(steps + 1):
        np.testing.assert_allclose(motion.displacement[m], math.cos(m * theta) * start, rtol=0, atol=1e-9)
    factor = motion.displacement[50, 8, 8] / start[8, 8]
    assert factor == pytest.approx(-0.2621984113, abs=1e-9)


@given(k=st.integers(1, 3), m=st.integers(1, 3), speed=st.floats(0.5, 2.0))
def test_other_modes_and_speeds(k, m, speed):
    n, dt = 8, 0.03
    start = sine(n, k, m)
    motion = WaveFE2D(n, speed).newmark(start, np.zeros_like(start), dt, 5)
    theta = 2 * math.atan(speed * discrete_frequency(n, k, m) * dt / 2)
    np.testing.assert_allclose(motion.displacement[-1], math.cos(5 * theta) * start, rtol=0, atol=1e-10)


def test_without_a_boundary_condition_cosines_swing():
    n, dt = 10, 0.05
    start = np.broadcast_to(np.cos(np.pi * nodes(n)), (n + 1, n + 1)).copy()
    motion = WaveFE2D(n, 1.0, bc="neumann").newmark(start, np.zeros_like(start), dt, 7)
    h = 1 / n
    omega = math.sqrt(6 / h**2 * (1 - math.cos(math.pi * h)) / (2 + math.cos(math.pi * h)))
    expected = math.cos(14 * math.atan(omega * dt / 2)) * start
    np.testing.assert_allclose(motion.displacement[-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("bc", ["dirichlet", "neumann"])
@pytest.mark.parametrize("heterogeneous", [False, True])
def test_energy_stays_over_a_thousand_steps(bc, heterogeneous):
    rng = np.random.default_rng(0)
    speed = rng.uniform(0.5, 2, (10, 10)) if heterogeneous else 1.0
    wave = WaveFE2D(10, speed, bc=bc)
    start, rate = (np.pad(rng.normal(size=(9, 9)), 1) for _ in range(2))
    energy = wave.energy(*wave.newmark(start, rate, 0.05, 1000))
    assert energy.shape == (1001,)
    assert np.abs(energy / energy[0] - 1).max() < 1e-10


def observed_order(errors):
    return [math.log2(one / two) for one, two in pairwise(errors)]


def test_frequencies_converge_by_the_second_order_in_space():
    exact = math.sqrt(2) * math.pi
    frequencies = []
    for n in (6, 12, 24):
        wave = WaveFE2D(n, 1.0)
        mass, stiffness = (each.toarray()[np.ix_(wave.free, wave.free)] for each in (wave.mass, wave.stiffness))
        frequencies.append(math.sqrt(eigh(stiffness, mass, eigvals_only=True, subset_by_index=(0, 0))[0]))
    assert observed_order([each - exact for each in frequencies]) == pytest.approx([2, 2], abs=0.1)


def test_frequencies_converge_by_the_second_order_in_time():
    n = 6
    wave, start, exact = WaveFE2D(n, 1.0), sine(6), discrete_frequency(6)
    errors = []
    for dt in (0.04, 0.02, 0.01):
        swing = wave.newmark(start, np.zeros_like(start), dt, 1).displacement[1, 3, 3] / start[3, 3]
        errors.append(exact - math.acos(swing) / dt)
    assert observed_order(errors) == pytest.approx([2, 2], abs=0.1)


def test_the_explicit_scheme_has_a_limit_which_it_names():
    wave, start = WaveFE2D(8, 1.0), sine(8, 3, 2)
    limit = wave.critical_step(beta=0.0)
    mass, stiffness = (each.toarray()[np.ix_(wave.free, wave.free)] for each in (wave.mass, wave.stiffness))
    assert limit == pytest.approx(2 / math.sqrt(eigh(stiffness, mass, eigvals_only=True)[-1]), rel=1e-9)
    rest = np.zeros_like(start)
    below = wave.newmark(start, rest, 0.999 * limit, 300, beta=0.0)
    assert np.abs(below.displacement).max() < 10
    with pytest.raises(ValueError, match=rf"stable up to {limit:.6g}, got dt="):
        wave.newmark(start, rest, 1.001 * limit, 1, beta=0.0)


def test_limits_of_other_schemes():
    wave = WaveFE2D(4, 1.0)
    assert wave.critical_step() == math.inf
    assert wave.critical_step(1 / 6, 0.5) == pytest.approx(math.sqrt(12) / wave.highest_frequency)
    assert wave.critical_step(0.25, 0.4) == 0.0
    with pytest.raises(ValueError, match="stable up to 0,"):
        wave.newmark(sine(4), np.zeros((5, 5)), 0.1, 1, gamma=0.4)


def test_a_step_above_the_limit_would_blow_up(monkeypatch):
    wave = WaveFE2D(8, 1.0)
    start = np.pad(np.random.default_rng(0).normal(size=(7, 7)), 1)
    limit = wave.critical_step(beta=0.0)
    monkeypatch.setattr(WaveFE2D, "critical_step", lambda *_: math.inf)
    assert np.abs(wave.newmark(start, 0 * start, 1.05 * limit, 200, beta=0.0).displacement).max() > 1e6


def test_norm_and_energy_of_many_fields_at_once():
    wave = WaveFE2D(4, 1.0, bc="neumann")
    ones = np.ones((2, 3, 5, 5))
    np.testing.assert_allclose(wave.norm(ones), np.ones((2, 3)), rtol=1e-12)
    np.testing.assert_allclose(wave.energy(ones, 2 * ones), 2 * np.ones((2, 3)), rtol=1e-12)


def test_a_start_off_the_boundary_condition_is_set_to_it_with_a_warning():
    wave, start = WaveFE2D(4, 1.0), np.ones((5, 5))
    with pytest.warns(UserWarning, match="`u0` must vanish on the boundary, got values up to 1 there"):
        motion = wave.newmark(start, np.zeros((5, 5)), 0.1, 2)
    assert not motion.displacement[:, 0].any()
    assert (motion.displacement[0, 1:-1, 1:-1] == 1).all()
    with pytest.warns(UserWarning, match="`v0`"):
        wave.newmark(np.zeros((5, 5)), start, 0.1, 1)


BAD = {
    "one element": (lambda: WaveFE2D(1, 1.0), "got n=1"),
    "boundary": (lambda: WaveFE2D(4, 1.0, bc="periodic"), "got bc='periodic'"),
    "speeds at nodes": (lambda: WaveFE2D(4, np.ones((5, 5))), r"shape \(4, 4\).*got shape \(5, 5\)"),
    "no speed": (lambda: WaveFE2D(2, np.array([[1.0, 1.0], [1.0, 0.0]])), "positive, got values from 0.0"),
    "negative speed": (lambda: WaveFE2D(2, -1.0), "positive"),
    "speed NaN": (lambda: WaveFE2D(2, math.nan), "positive"),
    "no time": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((3, 3)), np.zeros((3, 3)), 0.0, 1), "got dt=0.0"),
    "time backwards": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((3, 3)), np.zeros((3, 3)), -0.1, 1), "got dt=-0.1"),
    "no steps": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((3, 3)), np.zeros((3, 3)), 0.1, 0), "steps=0"),
    "beta": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((3, 3)), np.zeros((3, 3)), 0.1, 1, beta=-1), "beta=-1"),
    "shape": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((4, 4)), np.zeros((3, 3)), 0.1, 1), r"`u0`.*\(4, 4\)"),
    "two fields": (lambda: WaveFE2D(2, 1.0).newmark(np.zeros((2, 3, 3)), np.zeros((3, 3)), 0.1, 1), "one field"),
    "NaN": (lambda: WaveFE2D(2, 1.0).newmark(np.full((3, 3), np.nan), np.zeros((3, 3)), 0.1, 1), "finite"),
}


@pytest.mark.parametrize(("call", "law"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(call, law):
    with pytest.raises(ValueError, match=law):
        call()


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skfem", None)
    with pytest.raises(MissingExtra, match=r"replank\[waves\]"):
        WaveFE2D(4, 1.0)
