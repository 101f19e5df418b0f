"""What each extrapolator computes: closed forms, independent references, and what they are exact for."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import lagrange
from scipy.optimize import curve_fit
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from replank.circuits import Circuit, Z, theta
from replank.circuits.noise_families import depolarising_noise
from replank.circuits.noisy_circuit import NoisyCircuit
from replank.errors import ExtrapolationError
from replank.parts.extrapolator import ExtrapolationWarning, neural, outside_spectrum
from replank.parts.extrapolator.conditioned import ConditionedNeuralExtrapolator
from replank.parts.extrapolator.exponential import ExponentialExtrapolator
from replank.parts.extrapolator.gaussian_process import GaussianProcessExtrapolator
from replank.parts.extrapolator.linear import LinearExtrapolator
from replank.parts.extrapolator.neural import NeuralExtrapolator
from replank.parts.extrapolator.polynomial import PolynomialExtrapolator
from replank.parts.extrapolator.regression import RegressionExtrapolator
from replank.parts.extrapolator.richardson import RichardsonExtrapolator

SCALES = torch.tensor([1.0, 1.5, 2.0, 2.5, 3.0], dtype=torch.float64)
scales = st.lists(st.floats(1, 10), min_size=4, max_size=7, unique_by=lambda scale: round(scale, 1)).map(
    lambda found: torch.tensor(found, dtype=torch.float64)
)
SEEDS = st.integers(0, 10**6)


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def noisy(n=6, seed=0, spread=0.01):
    """Decays with noise on them."""
    rng = np.random.default_rng(seed)
    clean = rng.uniform(0.3, 1, (n, 1)) * np.exp(-rng.uniform(0.05, 0.5, (n, 1)) * SCALES.numpy())
    return torch.tensor(clean * rng.choice([-1, 1], (n, 1)) + spread * rng.normal(size=clean.shape))


# -- linear in the values ----------------------------------------------------------------------------------------------


@given(scales, SEEDS, st.integers(1, 3))
def test_polynomials_are_numpys(scale, seed, degree):
    values = torch.tensor(np.random.default_rng(seed).normal(size=(3, len(scale))))
    ours = PolynomialExtrapolator(degree=degree).fit(scale, values).predict()
    theirs = [np.polynomial.Polynomial.fit(scale.numpy(), row, degree)(0) for row in values.numpy()]
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-8, atol=1e-8)
    if degree == 1:
        line = LinearExtrapolator().fit(scale, values).predict()
        np.testing.assert_allclose(line.numpy(), [np.polyfit(scale, row, 1)[1] for row in values], rtol=1e-8, atol=1e-8)


@given(scales, SEEDS)
def test_richardson_is_lagranges_polynomial(scale, seed):
    values = torch.tensor(np.random.default_rng(seed).normal(size=(2, len(scale))))
    ours = RichardsonExtrapolator().fit(scale, values).predict()
    size = float(RichardsonExtrapolator().weights(scale.sort().values).abs().sum())
    for mine, row in zip(ours, values, strict=True):
        np.testing.assert_allclose(float(mine), lagrange(scale.numpy(), row.numpy())(0), atol=1e-8 * size)


def test_weights_that_are_known():
    torch.testing.assert_close(RichardsonExtrapolator().weights(tensor(1, 2, 3)), tensor(3, -3, 1))
    torch.testing.assert_close(RichardsonExtrapolator(nodes=3).weights(SCALES), tensor(3, 0, -3, 0, 1))
    torch.testing.assert_close(LinearExtrapolator().weights(tensor(1, 2)), tensor(2, -1))
    assert RichardsonExtrapolator().variance_factor(tensor(1, 2, 3)) == pytest.approx(19)
    assert LinearExtrapolator().variance_factor(tensor(1, 2)) == pytest.approx(5)


def test_richardson_multiplies_the_noise_of_shots_by_the_root_of_19():
    generator = torch.Generator().manual_seed(0)
    sigma = 0.02
    values = sigma * torch.randn(20_000, 3, generator=generator, dtype=torch.float64)
    found = RichardsonExtrapolator().fit(tensor(1, 2, 3), values).predict()
    assert float(found.var()) == pytest.approx(19 * sigma**2, rel=0.1)
    assert float(found.std()) == pytest.approx(math.sqrt(19) * sigma, rel=0.05)


@given(SEEDS, st.floats(-3, 3), st.floats(-3, 3))
def test_they_are_linear(seed, a, b):
    one, other = torch.tensor(np.random.default_rng(seed).normal(size=(2, 4, 5)))
    for made in (LinearExtrapolator(), PolynomialExtrapolator(degree=2), RichardsonExtrapolator()):
        both = made.fit(SCALES, a * one + b * other).predict()
        apart = a * made.fit(SCALES, one).predict() + b * made.fit(SCALES, other).predict()
        torch.testing.assert_close(both, apart, rtol=1e-9, atol=1e-9)


def test_richardson_with_a_node_more_than_gates_is_exact():
    circuit = Circuit(2).ry(theta[0], 0).cnot(0, 1).rx(theta[1], 1).rz(theta[2], 0)
    angles = tensor([0.3, 1.1, -0.4], [2.0, 0.2, 0.9])
    scale = 1 + torch.arange(len(circuit) + 1, dtype=torch.float64) / 2
    circuit_under_noise = NoisyCircuit(circuit, depolarising_noise)
    values = circuit_under_noise.expectation(Z(0) + Z(0) @ Z(1), 0.05 * scale, angles)
    exact = circuit_under_noise.noiseless(Z(0) + Z(0) @ Z(1), angles)
    torch.testing.assert_close(RichardsonExtrapolator().fit(scale, values).predict(), exact, rtol=0, atol=1e-10)
    fewer = RichardsonExtrapolator(nodes=2).fit(scale, values).predict()
    assert ((fewer - exact).abs() > 1e-4).any()


# -- exponentials ------------------------------------------------------------------------------------------------------


@given(st.floats(0.1, 2), st.floats(-1, 3), st.sampled_from([1, -1]), st.floats(-1, 1))
def test_an_exponential_is_found_whatever_its_rate(amplitude, rate, sign, asymptote):
    values = asymptote + sign * amplitude * torch.exp(-rate * SCALES)[None]
    fixed = ExponentialExtrapolator(asymptote=asymptote).fit(SCALES, values)
    assert float(fixed.predict()[0]) == pytest.approx(asymptote + sign * amplitude, rel=1e-7, abs=1e-7)
    assert float(fixed.predict(1.7)[0]) == pytest.approx(asymptote + sign * amplitude * math.exp(-1.7 * rate), abs=1e-7)
    if abs(rate) > 0.05:
        free = ExponentialExtrapolator(asymptote=None).fit(SCALES, values).predict()
        assert float(free[0]) == pytest.approx(asymptote + sign * amplitude, rel=1e-4, abs=1e-4)


def test_it_is_exact_for_depolarising_factors_in_their_own_variable():
    """``(1 - p)^m`` is exponential in ``-ln(1 - p)``, and not quite in p."""
    circuit = Circuit(1).ry(theta[0], 0).i(0).i(0).i(0)
    angles, p = tensor([0.4], [2.0]), 0.05
    values = NoisyCircuit(circuit, depolarising_noise).expectation(Z(0), p * SCALES, angles)
    own = (-(1 - p * SCALES).log()) / -math.log(1 - p)
    exact = angles[:, 0].cos()
    torch.testing.assert_close(ExponentialExtrapolator().fit(own, values).predict(), exact, rtol=0, atol=1e-9)
    assert (ExponentialExtrapolator().fit(SCALES, values).predict() - exact).abs().min() > 1e-5


@pytest.mark.parametrize("asymptote", [0.0, None])
def test_noisy_values_are_fitted_as_scipy_does(asymptote):
    values = noisy(spread=0.003)
    ours = ExponentialExtrapolator(asymptote=asymptote).fit(SCALES, values).predict()
    for mine, row in zip(ours.tolist(), values.numpy(), strict=True):
        if asymptote is None:
            best = _least_squares(row, (1.0, 0.1, 0.0), (0.1, 1.0), lambda s, a, b, c: c + a * np.exp(-b * s))
            assert mine == pytest.approx(best, abs=1e-3)
        else:
            best = _least_squares(row, (1.0, 0.1), (0.1, 1.0), lambda s, a, b: a * np.exp(-b * s))
            assert mine == pytest.approx(best, abs=1e-5)


def _least_squares(row, start, rates, curve):
    """SciPy's fit from the best of several starts, with rates as bounded as ours; its value at 0."""
    bounds = ([-np.inf, -5, -np.inf][: len(start)], [np.inf, 5, np.inf][: len(start)])
    found = []
    for rate in (-1.0, -0.1, *rates, 3.0):
        guess = [np.sign(row[0]), rate, 0.0][: len(start)]
        best, *_ = curve_fit(
            curve, SCALES.numpy(), row, p0=guess, bounds=bounds, xtol=1e-14, ftol=1e-14, max_nfev=20000
        )
        found.append((((curve(SCALES.numpy(), *best) - row) ** 2).sum(), curve(0.0, *best)))
    return min(found)[1]


def test_a_sign_change_falls_back_to_a_line_and_says_so():
    values = torch.stack((tensor(0.2, 0.1, 0.05, -0.01, -0.02), tensor(1, 0.8, 0.7, 0.6, 0.55), tensor(0, 0, 0, 0, 0)))
    with pytest.warns(ExtrapolationWarning, match="2 of 3 rows"):
        made = ExponentialExtrapolator().fit(SCALES, values)
    lines = LinearExtrapolator().fit(SCALES, values).predict()
    found = made.predict()
    assert made.fell_back.tolist() == [True, False, True]
    torch.testing.assert_close(found[[0, 2]], lines[[0, 2]])
    assert abs(float(found[1] - lines[1])) > 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not ExponentialExtrapolator(asymptote=None).fit(SCALES, values).fell_back.any()


# -- Gaussian processes ------------------------------------------------------------------------------------------------


def test_a_gaussian_process_is_sklearns_with_the_same_kernel():
    values = noisy(4)
    made = GaussianProcessExtrapolator().fit(SCALES, values)
    ours = made.predict()
    x = made._standard.x.numpy()[:, None]
    at = made._standard.input(0.0).reshape(1, 1).numpy()
    noises = [10.0**k for k in range(-8, 1)]
    for row in range(4):
        best, variance = int(made._best[row]), float(made._variance[row])
        length, noise = float(made._lengths[best]), noises[best % len(noises)] * variance
        kernel = ConstantKernel(variance, "fixed") * RBF(length, "fixed") + WhiteKernel(noise, "fixed")
        theirs = GaussianProcessRegressor(kernel, alpha=0, optimizer=None).fit(x, made._standard.y[row].numpy())
        mean, std = theirs.predict(at, return_std=True)
        assert float(made._standard.output(torch.tensor(mean))[row]) == pytest.approx(float(ours[row]), abs=1e-7)
        signal = math.sqrt(max(std[0] ** 2 - noise, 0)) * float(made._standard.spread[row])
        assert float(made.std[row]) == pytest.approx(signal, rel=1e-3, abs=1e-6)
        # of all kernels on the grid the likelihood is largest for the one that was taken
        for other_length in made._lengths.unique().tolist():
            other = ConstantKernel(variance, "fixed") * RBF(other_length, "fixed") + WhiteKernel(noise, "fixed")
            rival = GaussianProcessRegressor(other, alpha=0, optimizer=None).fit(x, made._standard.y[row].numpy())
            assert rival.log_marginal_likelihood() <= theirs.log_marginal_likelihood() + 1e-6


def test_error_bars_grow_away_from_the_data():
    made = GaussianProcessExtrapolator(range="full").fit(SCALES, noisy(3))
    spreads = []
    for at in (2.0, 1.0, 0.5, 0.0):
        made.predict(at)
        spreads.append(made.std)
    assert all((far > near).all() for near, far in itertools.pairwise(spreads[1:]))


# -- networks ----------------------------------------------------------------------------------------------------------


def test_networks_of_a_batch_are_trained_as_if_alone_by_torchs_own_means():
    """One member of one circuit, trained again as a plain module with a plain optimiser."""
    values, sizes = noisy(3), {"hidden": (4, 3), "members": 2, "steps": 50, "seed": 7}
    made = NeuralExtrapolator(**sizes).fit(SCALES, values)
    made.predict()
    start = NeuralExtrapolator(**{**sizes, "steps": 1, "lr": 1e-300, "weight_decay": 0.0}).fit(SCALES, values)
    for member, circuit in ((0, 2), (1, 0)):
        index = member * 3 + circuit
        net = torch.nn.Sequential(
            *(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
        ).double()
        with torch.no_grad():
            for layer, (weight, bias) in zip(net[::2], start._chunks[0], strict=True):
                layer.weight.copy_(weight[index].mT)
                layer.bias.copy_(bias[index, 0])
        x = ((SCALES - SCALES.mean()) / SCALES.std(correction=0))[:, None]
        row = values[circuit]
        y = ((row - row.mean()) / row.std(correction=0))[:, None]
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4)
        for _ in range(50):
            optimiser.zero_grad()
            (net(x) - y).square().mean().backward()
            optimiser.step()
        for layer, (weight, bias) in zip(net[::2], made._chunks[0], strict=True):
            torch.testing.assert_close(layer.weight.detach(), weight[index].mT, rtol=1e-8, atol=1e-9)
            torch.testing.assert_close(layer.bias.detach(), bias[index, 0], rtol=1e-8, atol=1e-9)


def test_an_ensemble_is_the_mean_of_its_members_and_says_how_they_differ():
    values = noisy(3)
    made = NeuralExtrapolator(members=3, steps=100, hidden=(8,)).fit(SCALES, values)
    prediction = made.predict()
    weight, bias = made._chunks[0][0]
    members = []
    for member in range(3):
        own = slice(member * 3, member * 3 + 3)
        hidden = torch.tanh(made._standard.input(0.0) * weight[own, 0] + bias[own, 0])
        out, offset = made._chunks[0][1]
        standard = (hidden * out[own, :, 0]).sum(1) + offset[own, 0, 0]
        members.append(values.mean(1) + values.std(1, correction=0) * standard)
    table = torch.stack(members)
    torch.testing.assert_close(prediction, table.mean(0))
    torch.testing.assert_close(made.std, table.std(0, correction=0))
    assert (made.std > 0).all()
    assert not torch.equal(
        prediction, NeuralExtrapolator(members=3, steps=100, hidden=(8,), seed=1).fit(SCALES, values).predict()
    )


def test_networks_are_the_same_in_chunks(monkeypatch):
    values, sizes = noisy(5), {"members": 2, "steps": 20, "hidden": (4,)}
    whole = NeuralExtrapolator(**sizes).fit(SCALES, values)
    monkeypatch.setattr(neural, "_CHUNK", 5)
    parts = NeuralExtrapolator(**sizes).fit(SCALES, values)
    assert len(parts._chunks) == 3
    torch.testing.assert_close(parts.predict(), whole.predict(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(parts.std, whole.std, rtol=1e-7, atol=1e-9)


def test_a_network_learns_its_points_and_levels_off_beyond_them():
    values = torch.exp(-0.3 * SCALES)[None]
    made = NeuralExtrapolator(members=3).fit(SCALES, values)
    assert float((made.predict(2.0) - math.exp(-0.6)).abs()) < 5e-3
    assert float(made.predict(-100.0) - made.predict(-50.0)) == pytest.approx(0, abs=1e-3)
    assert float(made.predict()) < 1 - 0.01  # below the exponential's value, which it can't know


def test_with_less_noise_it_is_an_interpolation_and_easy():
    device, full = SCALES, tensor(0.05, 0.5, 1, 2, 3)
    rates = torch.linspace(0.1, 0.6, 4, dtype=torch.float64)[:, None]
    errors = [
        (NeuralExtrapolator(members=2, range=range_).fit(scale, torch.exp(-rates * scale)).predict() - 1).abs().mean()
        for scale, range_ in ((device, "device"), (full, "full"))
    ]
    assert errors[1] < errors[0] / 3


# -- learned from others -----------------------------------------------------------------------------------------------


def test_a_regression_finds_the_weights_that_are_there():
    rng = np.random.default_rng(0)
    values = torch.tensor(rng.normal(size=(50, 5)))
    weights = tensor(3, -3, 1, 0.5, -0.5)
    made = RegressionExtrapolator().learn(SCALES, values, values @ weights)
    torch.testing.assert_close(made.weights, weights)
    shifted = RegressionExtrapolator().learn(SCALES, values, values @ weights + 1)
    assert float(shifted.weights.sum()) == pytest.approx(1)


def _decays(n, seed):
    """Two exponentials with one asymptote: how much there is of each is in the descriptors."""
    share = torch.rand(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values = share[:, :1] * torch.exp(-0.2 * SCALES) + share[:, 1:] * share[:, :1] * torch.exp(-1.5 * SCALES)
    return values, share[:, 0] + share[:, 0] * share[:, 1], share


def test_a_conditioned_network_adds_to_the_regression_what_is_not_linear():
    train, test = _decays(300, 0), _decays(200, 1)
    shared = torch.Generator().manual_seed(2)
    blurred = [
        values + 3e-3 * torch.randn(values.shape, generator=shared, dtype=torch.float64) for values, *_ in (train, test)
    ]
    errors = {}
    for name, made in {
        "regression": RegressionExtrapolator(),
        "network": ConditionedNeuralExtrapolator(members=2, steps=600, lr=1e-2),
    }.items():
        made.learn(SCALES, blurred[0], *train[1:])
        errors[name] = float((made.fit(SCALES, blurred[1], test[2]).predict() - test[1]).square().mean().sqrt())
    assert errors["network"] < 0.5 * errors["regression"]


def test_a_network_that_has_not_been_trained_is_the_regression():
    values, targets, share = _decays(60, 0)
    regression = RegressionExtrapolator().learn(SCALES, values, targets)
    network = ConditionedNeuralExtrapolator(steps=1, lr=1e-300, members=2).learn(SCALES, values, targets, share)
    torch.testing.assert_close(
        network.fit(SCALES, values, share).predict(), regression.fit(SCALES, values).predict(), rtol=1e-9, atol=1e-9
    )


def test_one_that_sees_descriptors_alone_does_not_look_at_values():
    values, targets, share = _decays(60, 0)
    made = ConditionedNeuralExtrapolator(sees="descriptors", steps=50, members=2).learn(SCALES, values, targets, share)
    first = made.fit(SCALES, values, share).predict()
    assert torch.equal(made.fit(SCALES, -3 * values, share).predict(), first)
    with pytest.raises(ValueError, match="needs descriptors of each of 60"):
        made.fit(SCALES, values)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_no_zero_is_smuggled_in():
    for made in (NeuralExtrapolator(steps=1), RichardsonExtrapolator(), GaussianProcessExtrapolator()):
        with pytest.raises(ValueError, match="no less noise than its own"):
            made.fit(tensor(0, 1, 2), torch.ones(1, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="must be above 0"):
        NeuralExtrapolator(range="full").fit(tensor(0, 1, 2), torch.ones(1, 3, dtype=torch.float64))


def test_arguments_that_make_no_sense():
    for wrong in (
        lambda: PolynomialExtrapolator(degree=0),
        lambda: RichardsonExtrapolator(nodes=1),
        lambda: NeuralExtrapolator(hidden=()),
        lambda: NeuralExtrapolator(members=0),
        lambda: NeuralExtrapolator(steps=0),
        lambda: NeuralExtrapolator(lr=0.0),
        lambda: NeuralExtrapolator(weight_decay=-1.0),
        lambda: ConditionedNeuralExtrapolator(sees="nothing"),
        lambda: ConditionedNeuralExtrapolator(batch=0),
    ):
        with pytest.raises(ValueError, match="got"):
            wrong()
    with pytest.raises(ExtrapolationError, match="needs 3 scales, got 2"):
        PolynomialExtrapolator(degree=2).fit(SCALES[:2], torch.ones(1, 2, dtype=torch.float64))
    with pytest.raises(ExtrapolationError, match="as many circuits as scales, 5, got 4"):
        RegressionExtrapolator().learn(
            SCALES, torch.ones(4, 5, dtype=torch.float64), torch.ones(4, dtype=torch.float64)
        )


@settings(max_examples=30)
@given(st.floats(-2, 2))
def test_what_no_state_has_is_flagged_and_left_alone(value):
    prediction = tensor(value, -1.0, 1.0)
    assert outside_spectrum(prediction, -1.0, 1.0).tolist() == [bool(abs(value) > 1 + 2e-9), False, False]
    assert outside_spectrum(prediction, prediction - 1, prediction + 1).sum() == 0
