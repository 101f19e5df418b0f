from __future__ import annotations

from math import inf, nan, pi, sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from replank.measure import (
    mexican_hat,
    plancherel_constant,
    ridgelet_energy,
    ridgelet_leakage,
    ridgelet_transform,
    ridgelet_transform_by_fourier,
)

F64 = torch.float64
X = torch.linspace(-10, 10, 2001, dtype=F64)
A = torch.tensor([-3.0, -0.7, 0.0, 0.2, 1.0, 2.5, 8.0], dtype=F64)
B = torch.linspace(-6, 6, 25, dtype=F64)
TOTAL = 2 * pi * sqrt(pi)
"""Plancherel's whole of exp(-x^2 / 2) under the Mexican hat: 11.136656."""


def gaussian(t):
    return torch.exp(-t * t / 2)


def of_gaussian(a, b):
    """R of exp(-x^2 / 2) under the Mexican hat."""
    s = 1 + a * a
    return (2 * pi / s) ** 0.5 * (b * b / s**2 - 1 / s) * torch.exp(-b * b / (2 * s))


def test_closed_forms_of_a_gaussian():
    s = 1 + A[:, None] ** 2
    by_gaussian = (2 * pi / s).sqrt() * torch.exp(-(B**2) / (2 * s))
    for rho, expected in ((gaussian, by_gaussian), (mexican_hat, of_gaussian(A[:, None], B))):
        torch.testing.assert_close(ridgelet_transform(gaussian(X), X, rho, A, B), expected, rtol=0, atol=1e-8)


def test_slices_of_fourier_transforms_give_the_same():
    w = torch.linspace(-12, 12, 4001, dtype=F64)
    f_hat = lambda w: sqrt(2 * pi) * gaussian(w) * torch.exp(-1j * w * 0.5)  # noqa: E731  # of exp(-(x - 1/2)^2 / 2)
    rho_hat = lambda w: -sqrt(2 * pi) * w**2 * gaussian(w)  # noqa: E731
    direct = ridgelet_transform(gaussian(X - 0.5), X, mexican_hat, A, B)
    sliced = ridgelet_transform_by_fourier(f_hat, rho_hat, w, A, B)
    torch.testing.assert_close(sliced.real, direct, rtol=0, atol=1e-6)
    assert sliced.imag.abs().max().item() < 1e-6


@given(first=st.floats(-2, 2), second=st.floats(-2, 2))
def test_it_is_linear(first, second):
    f, g = gaussian(X), X * gaussian(2 * X)
    together = ridgelet_transform(first * f + second * g, X, mexican_hat, A, B)
    apart = first * ridgelet_transform(f, X, mexican_hat, A, B) + second * ridgelet_transform(g, X, mexican_hat, A, B)
    torch.testing.assert_close(together, apart, rtol=1e-10, atol=1e-12)


@given(shift=st.floats(-1.5, 1.5), a=st.floats(-3, 3))
def test_a_shifted_function_shifts_offsets(shift, a):
    """R[f(. - t)](a, b) = R[f](a, b - a t)."""
    weight = torch.tensor([a], dtype=F64)
    shifted = ridgelet_transform(gaussian(X - shift), X, mexican_hat, weight, B)
    torch.testing.assert_close(
        shifted, ridgelet_transform(gaussian(X), X, mexican_hat, weight, B - a * shift), rtol=0, atol=1e-9
    )


def test_the_plancherel_constant_of_the_mexican_hat_is_two_pi():
    assert plancherel_constant(mexican_hat) == pytest.approx(2 * pi, abs=1e-6)
    whole = plancherel_constant(mexican_hat) * torch.trapezoid(gaussian(X).square(), X).item()
    assert whole == pytest.approx(TOTAL, abs=1e-6)
    assert pytest.approx(11.136656, abs=1e-6) == TOTAL


def test_both_signs_of_weights_count_for_a_profile_without_symmetry():
    """The odd and the even part of a real profile share nothing: their energies add up."""
    even, odd = mexican_hat, lambda t: -t * gaussian(t)
    both = lambda t: even(t) + odd(t)  # noqa: E731
    f = gaussian(X - 1) - 0.5 * gaussian(2 * X)
    parts = [ridgelet_energy(f, X, 2.0, rho) for rho in (even, odd, both)]
    assert parts[0] + parts[1] == pytest.approx(parts[2], rel=1e-10)


def test_a_complex_profile_has_a_constant_too():
    """rho = exp(i 5 t - t^2 / 2) minus its mean times a Gaussian: int |rho_hat|^2 / |w| by quadrature."""
    offset = torch.exp(torch.tensor(-12.5, dtype=F64))
    wavelet = lambda t: (torch.exp(5j * t) - offset) * gaussian(t)  # noqa: E731

    def density(w):
        value = sqrt(2 * pi) * (torch.tensor(-((w - 5) ** 2) / 2).exp() - torch.tensor(-(w**2 + 25) / 2).exp())
        return float(value) ** 2 / abs(w) if w else 0.0

    expected, _ = integrate.quad(density, -20, 20, points=[0, 5], limit=200)
    assert plancherel_constant(wavelet) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("lam", [0.5, 2.0, 6.0])
def test_the_energy_of_a_box_is_that_of_the_closed_form(lam):
    def density(b, a):
        return float(of_gaussian(torch.tensor(a, dtype=F64), torch.tensor(b, dtype=F64))) ** 2

    expected = 4 * integrate.dblquad(density, 0, lam, 0, lam, epsabs=1e-7)[0]
    assert ridgelet_energy(gaussian(X), X, lam) == pytest.approx(expected, rel=1e-5)
    assert ridgelet_leakage(gaussian(X), X, lam) == pytest.approx(1 - expected / TOTAL, abs=1e-5)


def test_the_energy_of_a_large_box_is_that_of_a_fine_grid():
    """There only the points near each offset are looked at."""
    x = torch.linspace(0, 1, 1001, dtype=F64)
    f = gaussian(20 * (x - 0.3)) - 0.5 * gaussian(30 * (x - 0.8))
    lam = 60.0
    a, b = torch.linspace(-lam, lam, 301, dtype=F64), torch.linspace(-lam, lam, 301, dtype=F64)
    energy = torch.trapezoid(torch.trapezoid(ridgelet_transform(f, x, mexican_hat, a, b).square(), b, dim=1), a)
    assert ridgelet_energy(f, x, lam) == pytest.approx(energy.item(), rel=1e-3)


def test_leakage_falls_with_the_box_and_a_narrow_function_leaks_more():
    x = torch.linspace(-3, 3, 3001, dtype=F64)
    wide, narrow = (
        [ridgelet_leakage(gaussian(x / width), x, lam) for lam in (1.0, 5.0, 20.0, 80.0)] for width in (0.5, 0.05)
    )
    assert wide == sorted(wide, reverse=True)
    assert narrow == sorted(narrow, reverse=True)
    assert all(0 <= w < n <= 1 for w, n in zip(wide, narrow, strict=True))
    assert wide[-1] < 0.01


def test_a_network_with_the_transform_as_its_weights_is_the_function_up_to_a_factor():
    """S[R[f; rho]] = ((sigma, rho)) f; for a Gaussian sigma and the Mexican hat the factor is -2 pi."""
    t = torch.linspace(-1, 1, 801, dtype=F64)
    a = 60 * torch.sinh(6 * t) / torch.sinh(torch.tensor(6.0, dtype=F64))
    b = torch.linspace(-400, 400, 3201, dtype=F64)
    weights = of_gaussian(a[:, None], b)
    for x in (-1.5, 0.0, 0.7):
        network = torch.trapezoid(torch.trapezoid(weights * gaussian(a[:, None] * x - b), b, dim=1), a)
        assert network.item() == pytest.approx(-2 * pi * gaussian(torch.tensor(x)).item(), rel=2e-3)


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_a_profile_with_a_mean_is_refused():
    with pytest.raises(ValueError, match=r"must have mean zero, got an integral of 2\.51"):
        plancherel_constant(gaussian)
    with pytest.raises(ValueError, match="must have decayed"):
        plancherel_constant(torch.sin)


@pytest.mark.parametrize("lam", [0.0, -1.0, inf, nan])
def test_a_box_must_be_positive_and_finite(lam):
    with pytest.raises(ValueError, match=f"must be positive and finite, got lam={lam}"):
        ridgelet_leakage(gaussian(X), X, lam)


def test_samples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"must be \(n >= 2,\)"):
        ridgelet_transform(gaussian(X)[1:], X, mexican_hat, A, B)
    with pytest.raises(ValueError, match="points must rise"):
        ridgelet_transform(gaussian(X), X.flip(0), mexican_hat, A, B)
    with pytest.raises(ValueError, match="must be finite"):
        ridgelet_transform(gaussian(X) * nan, X, mexican_hat, A, B)
    with pytest.raises(ValueError, match="must be fine enough"):
        ridgelet_transform(gaussian(X), X, mexican_hat, torch.tensor([250.0], dtype=F64), B)
    with pytest.raises(ValueError, match="must be equally spaced"):
        ridgelet_energy(gaussian(X), X.sinh() / 1e4, 1.0)
    with pytest.raises(ValueError, match="must not be 0"):
        ridgelet_leakage(0 * X, X, 1.0)
