from __future__ import annotations

from math import inf, nan

import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from replank.features import LeastSquares
from replank.seeding import torch_stream

F64 = torch.float64


def problem(n=30, d=8, k=2, seed=0):
    stream = torch_stream(seed, "least squares")
    return torch.randn(n, d, dtype=F64, generator=stream), torch.randn(n, k, dtype=F64, generator=stream)


def steep(n=40, d=12):
    """Singular values from 1 to 1e-11."""
    left, right = (torch.linalg.qr(problem(size, d)[0]).Q for size in (n, d))
    return left * 10.0 ** -torch.arange(d, dtype=F64) @ right.T


@given(st.integers(0, 50), st.integers(1, 40), st.integers(1, 40))
def test_agrees_with_lapack(seed, n, d):
    features, targets = problem(n, d, seed=seed)
    ours = LeastSquares(features).solve(targets, rcond=1e-9)
    theirs = torch.linalg.lstsq(features, targets, rcond=1e-9, driver="gelsd").solution
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rcond", [1e-3, 1e-6, 1e-9])
def test_the_cut_off_is_that_of_lapack(rcond):
    features, targets = steep(), problem(40)[1]
    found = LeastSquares(features)
    theirs = torch.linalg.lstsq(features, targets, rcond=rcond, driver="gelsd")
    scipys, _, rank, _ = scipy.linalg.lstsq(features.numpy(), targets.numpy(), cond=rcond)
    assert found.rank(rcond) == int(theirs.rank) == rank
    for solution in (theirs.solution, torch.from_numpy(scipys)):
        fitted, expected = features @ found.solve(targets, rcond), features @ solution
        torch.testing.assert_close(fitted, expected, rtol=0, atol=1e-5)


@given(st.integers(0, 50), st.floats(-8, 3), st.integers(1, 40))
def test_ridge_agrees_with_scikit_learn(seed, exponent, d):
    features, targets = problem(d=d, seed=seed)
    alpha = 10**exponent
    theirs = Ridge(alpha=alpha, fit_intercept=False, solver="svd").fit(features.numpy(), targets.numpy())
    ours = LeastSquares(features).ridge(targets, alpha)
    torch.testing.assert_close(ours, torch.from_numpy(theirs.coef_.T), rtol=1e-8, atol=1e-8)


def test_ridge_goes_to_least_squares_as_the_penalty_vanishes():
    features, targets = problem()
    found = LeastSquares(features)
    errors = [(found.ridge(targets, alpha) - found.solve(targets)).norm().item() for alpha in (1.0, 1e-3, 1e-6, 0.0)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 1e-5
    assert errors[3] < 1e-12


def test_residuals_are_orthogonal_to_features():
    features, targets = problem()
    left = targets - features @ LeastSquares(features).solve(targets)
    assert (features.T @ left).norm().item() < 1e-8 * features.norm().item() * targets.norm().item()


def test_of_all_that_fit_it_takes_the_least_norm():
    features, targets = problem(n=5, d=9)
    ours = LeastSquares(features).solve(targets)
    torch.testing.assert_close(features @ ours, targets)
    null = torch.linalg.svd(features).Vh[5:]
    assert (null @ ours).abs().max().item() < 1e-10  # nothing of it is invisible


def test_a_vector_of_targets_gives_a_vector():
    features, targets = problem()
    found = LeastSquares(features)
    torch.testing.assert_close(found.solve(targets[:, 0]), found.solve(targets)[:, 0])
    torch.testing.assert_close(found.ridge(targets[:, 0], 1.0), found.ridge(targets, 1.0)[:, 0])


def test_a_larger_cut_off_gives_a_smaller_read_out_that_fits_worse():
    features, targets = steep(), problem(40)[1][:, 0]
    found = LeastSquares(features)
    weights = [found.solve(targets, 10.0**-k) for k in range(1, 11)]
    norms = [weight.norm().item() for weight in weights]
    errors = [(features @ weight - targets).norm().item() for weight in weights]
    assert norms == sorted(norms)
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("wrong", [torch.ones(3), torch.ones(0, 2), torch.full((2, 2), nan)])
def test_features_must_be_a_finite_matrix(wrong):
    with pytest.raises(ValueError, match="features must be"):
        LeastSquares(wrong)


def test_cut_offs_and_penalties_out_of_range_are_refused():
    found, targets = LeastSquares(torch.ones(3, 2)), torch.ones(3)
    for rcond in (1.0, 2.0, -0.1, nan):
        with pytest.raises(ValueError, match=rf"must be in \[0, 1\), got rcond={rcond}"):
            found.solve(targets, rcond)
    for alpha in (-1.0, inf, nan):
        with pytest.raises(ValueError, match=f"not negative, got alpha={alpha}"):
            found.ridge(targets, alpha)
