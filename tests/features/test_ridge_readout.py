from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from replank.features import RidgeReadout, ridge_by_validation
from replank.seeding import torch_stream

F64 = torch.float64


def problem(n=40, n_features=5, n_outputs=2, seed=0, noise=0.1):
    stream = torch_stream(seed, "ridge")
    states = torch.randn(n, n_features, dtype=F64, generator=stream) + 3
    weight = torch.randn(n_features, n_outputs, dtype=F64, generator=stream)
    return states, states @ weight - 1 + noise * torch.randn(n, n_outputs, dtype=F64, generator=stream)


@given(st.integers(0, 100), st.floats(-8, 2), st.integers(1, 30))
def test_agrees_with_scikit_learn(seed, exponent, n_features):
    states, targets = problem(seed=seed, n_features=n_features)
    ours = RidgeReadout(10**exponent).fit(states, targets)
    theirs = Ridge(alpha=10**exponent, solver="svd").fit(states.numpy(), targets.numpy())
    torch.testing.assert_close(ours.weight, torch.as_tensor(theirs.coef_).T, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(ours.predict(states), torch.as_tensor(theirs.predict(states.numpy())), rtol=0, atol=1e-8)


def test_solves_the_normal_equations_with_a_bias_that_is_not_penalised():
    states, targets = problem()
    ours = RidgeReadout(2.0).fit(states, targets)
    s, y = states - states.mean(0), targets - targets.mean(0)
    torch.testing.assert_close(ours.weight, torch.linalg.solve(s.T @ s + 2 * torch.eye(5, dtype=F64), s.T @ y))
    shifted = RidgeReadout(2.0).fit(states + 7, targets - 5)
    torch.testing.assert_close(shifted.weight, ours.weight)
    torch.testing.assert_close(shifted.predict(states + 7), ours.predict(states) - 5)


def test_no_penalty_leaves_no_correlation_with_what_is_left():
    states, targets = problem()
    left = targets - RidgeReadout(0.0).fit(states, targets).predict(states)
    torch.testing.assert_close(states.T @ left, torch.zeros(5, 2, dtype=F64), rtol=0, atol=1e-10)
    torch.testing.assert_close(left.sum(0), torch.zeros(2, dtype=F64), rtol=0, atol=1e-10)


def test_with_too_few_samples_the_smallest_weights_are_taken():
    states, targets = problem(n=3)
    with pytest.warns(RuntimeWarning, match="3 samples do not determine 5 weights"):
        readout = RidgeReadout(0.0).fit(states, targets)
    torch.testing.assert_close(readout.predict(states), targets)
    least = torch.linalg.pinv(states - states.mean(0)) @ (targets - targets.mean(0))
    torch.testing.assert_close(readout.weight, least)


def test_what_is_fitted_is_kept_and_not_trained():
    states, targets = problem()
    fitted, empty = RidgeReadout(0.5).fit(states, targets), RidgeReadout(0.5)
    assert not list(fitted.parameters())
    empty.load_state_dict(fitted.state_dict())
    assert torch.equal(empty.predict(states), fitted.predict(states))


def test_the_penalty_is_the_one_that_predicts_the_last_samples_best():
    states, targets = problem(n=30, n_features=20, noise=3.0)
    penalties = [10.0**k for k in range(-4, 5)]
    chosen = ridge_by_validation(states, targets, penalties)

    def error(penalty):
        readout = RidgeReadout(penalty).fit(states[:24], targets[:24])
        return float((readout.predict(states[24:]) - targets[24:]).square().mean())

    assert chosen.lmbda == min(penalties, key=error)
    assert chosen.lmbda not in (penalties[0], penalties[-1])
    torch.testing.assert_close(chosen.weight, RidgeReadout(chosen.lmbda).fit(states, targets).weight)


@pytest.mark.parametrize(
    ("call", "error", "law"),
    [
        (lambda: RidgeReadout(-1.0), ValueError, "finite and not negative, got lmbda=-1.0"),
        (lambda: RidgeReadout().predict(torch.zeros(1, 2)), RuntimeError, "must be fitted first"),
        (lambda: RidgeReadout().fit(torch.zeros(3, 2), torch.zeros(3)), ValueError, r"got shapes \(3, 2\) and \(3,\)"),
        (lambda: RidgeReadout().fit(torch.zeros(3, 2) / 0, torch.zeros(3, 1)), ValueError, "must be finite"),
        (lambda: RidgeReadout().fit(*problem()).predict(torch.zeros(1, 2)), ValueError, "n_features=5, as in fit"),
        (lambda: ridge_by_validation(*problem(n=1), [1.0]), ValueError, "samples to fit and to validate on"),
        (lambda: ridge_by_validation(*problem(), []), ValueError, r"penalties=\[\]"),
    ],
)
def test_wrong_use_is_refused(call, error, law):
    with pytest.raises(error, match=law):
        call()
