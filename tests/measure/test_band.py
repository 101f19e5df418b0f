from __future__ import annotations

from math import erfc, exp, inf, nan, pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal.windows import dpss

from replank.measure import (
    gaussian_floor,
    numerical_rank,
    out_of_band_energy,
    out_of_band_error,
    slepian_dimension,
)

F64 = torch.float64


def gaussian_hat(s):
    return lambda w: s * sqrt(2 * pi) * exp(-((s * w) ** 2) / 2)


@pytest.mark.parametrize(("s", "lam", "value"), [(1.0, 1.0, 0.3966096), (0.25, 8.0, 0.0683940)])
def test_the_floor_of_a_gaussian(s, lam, value):
    assert gaussian_floor(s, lam) == pytest.approx(value, abs=5e-8)
    assert out_of_band_error(gaussian_hat(s), lam) == pytest.approx(gaussian_floor(s, lam), abs=1e-8)
    assert out_of_band_energy(gaussian_hat(s), lam) == pytest.approx(s * sqrt(pi) * erfc(s * lam), rel=1e-8)


@given(s=st.floats(0.1, 3), lam=st.floats(0.1, 5))
def test_the_numerical_floor_is_the_closed_form(s, lam):
    assert out_of_band_error(gaussian_hat(s), lam) == pytest.approx(gaussian_floor(s, lam), rel=1e-6, abs=1e-9)


def test_one_sided_spectra_count_on_both_sides():
    lorentzian = lambda w: 1 / (1 + 1j * w)  # noqa: E731  # of exp(-x) for x > 0: energy 1/2
    assert out_of_band_energy(lorentzian, 1.0) == pytest.approx(0.25, rel=1e-9)
    assert out_of_band_error(lorentzian, 1.0) == pytest.approx(sqrt(0.5), rel=1e-9)


@given(half_width=st.floats(2, 30), lam=st.floats(1, 5))
def test_the_slepian_dimension_is_a_time_bandwidth_product(half_width, lam):
    assert slepian_dimension(half_width, lam) == pytest.approx((2 * half_width) * (2 * lam) / (2 * pi))


@pytest.mark.parametrize("nw", [4, 8, 16])
def test_so_many_discrete_prolate_sequences_are_concentrated(nw):
    """Of N samples a step apart, T = N / 2 and lam = 2 pi W: the dimension is 2 N W."""
    n = 256
    dimension = slepian_dimension(n / 2, 2 * pi * nw / n)
    assert dimension == pytest.approx(2 * nw)
    _, shares = dpss(n, nw, Kmax=3 * nw, return_ratios=True)
    assert int((np.asarray(shares) > 0.5).sum()) == 2 * nw


def test_the_rank_of_bandlimited_waves_is_the_dimension_and_a_few():
    x = torch.linspace(-1, 1, 500, dtype=F64)[:, None]
    stream = torch.Generator().manual_seed(0)
    for lam in (20.0, 60.0):
        a, b = lam * (2 * torch.rand(400, generator=stream, dtype=F64) - 1), 7 * torch.rand(400, generator=stream)
        waves = torch.cos(x * a - b)
        dimension = slepian_dimension(1.0, lam)
        assert dimension < numerical_rank(waves, 1e-3) < dimension + 8
        assert numerical_rank(waves, 1e-3) < numerical_rank(waves, 1e-10) < dimension + 22


def test_the_rank_counts_singular_values():
    matrix = torch.diag(torch.tensor([1.0, 1e-3, 1e-9, 0.0], dtype=F64))
    assert [numerical_rank(matrix, rcond) for rcond in (0.5, 1e-5, 1e-10, 0.0)] == [1, 2, 3, 3]
    assert numerical_rank(torch.ones(5, 3), 1e-5) == 1


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0.0, -1.0, inf, nan])
@pytest.mark.parametrize(
    "call",
    [
        lambda v: out_of_band_energy(gaussian_hat(1.0), v),
        lambda v: gaussian_floor(1.0, v),
        lambda v: gaussian_floor(v, 1.0),
        lambda v: slepian_dimension(v, 1.0),
        lambda v: slepian_dimension(1.0, v),
    ],
)
def test_widths_and_bands_must_be_positive_and_finite(call, wrong):
    with pytest.raises(ValueError, match=f"must be positive and finite, got .*={wrong}"):
        call(wrong)


def test_a_function_without_energy_has_no_relative_error():
    with pytest.raises(ValueError, match="must have energy"):
        out_of_band_error(lambda w: 0.0, 1.0)


def test_a_rank_of_what_is_no_matrix_is_refused():
    for wrong in (torch.ones(3), torch.ones(0, 2), torch.full((2, 2), nan)):
        with pytest.raises(ValueError, match="features must be finite"):
            numerical_rank(wrong)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\), got rcond=1.0"):
        numerical_rank(torch.ones(2, 2), 1.0)
