from __future__ import annotations

import importlib
from functools import partial

import numpy as np
import pysindy
import pytest
import torch
from scipy.linalg import expm

from replank.dynamics.lorenz import Lorenz63
from replank.dynamics.lotka_volterra import LotkaVolterra
from replank.dynamics.simulate import simulate
from replank.errors import DataError, MissingExtra
from replank.parts.forecaster._training import by_lbfgs
from replank.parts.forecaster.autoregression import AutoregressiveForecaster
from replank.parts.forecaster.dmd import DMDForecaster
from replank.parts.forecaster.havok import HAVOKForecaster
from replank.parts.forecaster.leads import LEADSForecaster, LEADSNetwork, applied
from replank.parts.forecaster.network import NetworkForecaster
from replank.parts.forecaster.per_context import PerContextForecaster
from replank.parts.forecaster.persistence import PersistenceForecaster
from replank.parts.forecaster.sindy import SINDyForecaster
from replank.parts.linear import StructuredLinear

DT = 0.05
RATES = np.array([-0.1 + 2j, -0.3 + 5j])


def two_modes(n=120, phase=0.0):
    """A damped signal of two modes that is seen in one number."""
    t = DT * np.arange(n)
    return np.real(np.exp(np.outer(t, RATES) + 1j * phase)).sum(1)[:, None]


def test_eigenvalues_of_two_damped_modes():
    made = DMDForecaster(history=12, svd_rank=4).fit([two_modes()], DT)
    expected = np.exp(DT * np.concatenate((RATES, RATES.conj())))
    np.testing.assert_allclose(np.sort_complex(made.eigenvalues), np.sort_complex(expected), atol=1e-6)
    found = made.rollout(two_modes(12), 50)
    np.testing.assert_allclose(found, two_modes(62)[12:], atol=1e-6)
    assert made.n_parameters == 2 * 4 * (1 + 1 + 12)


@pytest.mark.filterwarnings("ignore:Input data")
def test_of_one_trajectory_it_is_pydmds_hankel_dmd():
    import pydmd

    made = DMDForecaster(history=12, svd_rank=4).fit([two_modes()], DT)
    theirs = pydmd.HankelDMD(svd_rank=4, d=12).fit(two_modes().T)
    np.testing.assert_allclose(np.sort_complex(made.eigenvalues), np.sort_complex(theirs.eigs), atol=1e-8)


def test_several_trajectories_are_not_joined():
    both = [two_modes(60), two_modes(60, phase=1.0)]
    joined = DMDForecaster(history=12, svd_rank=4).fit([np.concatenate(both)], DT)
    apart = DMDForecaster(history=12, svd_rank=4).fit(both, DT)
    expected = np.sort_complex(np.exp(DT * np.concatenate((RATES, RATES.conj()))))
    assert np.abs(np.sort_complex(apart.eigenvalues) - expected).max() < 1e-6
    assert np.abs(np.sort_complex(joined.eigenvalues) - expected).max() > 1e-4


def test_sindy_finds_the_seven_terms_of_lorenz():
    path = simulate(Lorenz63(), [-8, 7, 27], np.arange(0, 10, 0.002))
    made = SINDyForecaster().fit([path], 0.002)
    names = [tuple(powers) for powers in made.powers.tolist()]
    expected = np.zeros((3, len(names)))
    for row, powers, value in (
        (0, (1, 0, 0), -10), (0, (0, 1, 0), 10),
        (1, (1, 0, 0), 28), (1, (0, 1, 0), -1), (1, (1, 0, 1), -1),
        (2, (0, 0, 1), -8 / 3), (2, (1, 1, 0), 1),
    ):  # fmt: skip
        expected[row, names.index(powers)] = value
    assert made.n_parameters == 7
    assert np.array_equal(made.coefficients != 0, expected != 0)
    np.testing.assert_allclose(made.coefficients, expected, rtol=0.01)


def test_sindys_rollout_is_pysindys_simulation():
    path = simulate(LotkaVolterra(), [1.0, 2.0], np.arange(0, 10, DT))
    made = SINDyForecaster(threshold=0.05).fit([path], DT)
    model = pysindy.SINDy(optimizer=pysindy.STLSQ(threshold=0.05), feature_library=pysindy.PolynomialLibrary(degree=2))
    model.fit(path, t=DT)
    theirs = model.simulate(
        path[0], np.arange(0, 2, DT), integrator_kws={"method": "LSODA", "rtol": 1e-10, "atol": 1e-10}
    )
    np.testing.assert_allclose(made.rollout(path[0][None], 39), theirs[1:], atol=1e-5)


def test_a_context_is_a_variable_of_the_polynomials():
    rhos = (24.0, 28.0, 33.0)
    paths = [simulate(Lorenz63(rho=rho), [-8, 7, 27], np.arange(0, 6, 0.002)) for rho in rhos]
    made = SINDyForecaster().fit(paths, 0.002, np.array(rhos)[:, None])
    true = simulate(Lorenz63(rho=30.0), [1, 2, 20], np.arange(0, 0.5, 0.002))
    near = made.rollout(true[:1], 100, context=np.array([30.0]))
    np.testing.assert_allclose(near, true[1:101], atol=0.05)


def test_linear_systems_are_forecast_exactly_by_autoregression_and_dmd():
    rates = np.array([[-0.2, 1.0], [-1.0, -0.1]])
    path = np.stack([expm(rates * 0.1 * k) @ [1.0, 0.5] for k in range(60)])
    for made in (AutoregressiveForecaster(), DMDForecaster(svd_rank=-1), AutoregressiveForecaster(history=3)):
        made.fit([path[:30]], 0.1)
        np.testing.assert_allclose(
            made.rollout(path[: made.history], 50), path[made.history : made.history + 50], atol=1e-8
        )


def test_autoregression_reads_contexts():
    rng = np.random.default_rng(0)
    drifts = rng.normal(size=(4, 1))
    paths = [np.cumsum(np.full((10, 2), drift), axis=0) for drift in drifts[:, 0]]
    made = AutoregressiveForecaster().fit(paths, 1.0, drifts)
    np.testing.assert_allclose(made.rollout(np.zeros((1, 2)), 2, context=np.array([3.0])), [[3, 3], [6, 6]], atol=1e-9)


def test_havok_of_a_linear_signal_needs_no_forcing():
    path = two_modes(400)
    made = HAVOKForecaster(history=16, rank=5).fit([path], DT)  # the fifth coordinate is rounding
    np.testing.assert_allclose(made.rollout(path[100:116], 10), path[116:126], atol=0.02)
    assert made.n_parameters == 4 * 4 + 4 * 16 + 4


def test_persistence():
    assert (
        PersistenceForecaster().fit([np.ones((3, 2))], 1.0).rollout(np.array([[2.0, 3.0]]), 2).tolist() == [[2, 3]] * 2
    )


def test_each_context_has_its_own():
    paths = [two_modes(40), 2 * two_modes(40, phase=1.0)]
    contexts = np.array([[0.0], [1.0]])
    made = PerContextForecaster(build=partial(AutoregressiveForecaster, history=4)).fit(paths, DT, contexts)
    histories = np.stack((paths[1][:4], paths[0][:4]))
    found = made.rollout(histories, 5, context=contexts[::-1])
    for row, path in zip(found, paths[::-1], strict=True):
        alone = AutoregressiveForecaster(history=4).fit([path], DT)
        np.testing.assert_allclose(row, alone.rollout(path[:4], 5))
    assert made.n_parameters == 2 * 5
    with pytest.raises(DataError, match=r"\[2.0\]"):
        made.rollout(histories, 5, context=np.array([2.0]))


# -- networks ----------------------------------------------------------------------------------------------------------


def test_what_a_network_is_shown():
    seen = {}

    def keep(network, x, y):
        seen.update(x=x, y=y)

    paths = [np.random.default_rng(k).normal(size=(9, 2)) * [1, 50] + [3, 0] for k in range(2)]
    contexts = np.array([[1.0], [3.0]])
    made = NetworkForecaster(history=3, train=keep).fit(paths, 0.1, contexts)
    assert seen["x"].shape == (12, 7)
    assert seen["x"].dtype == torch.float32
    everything = np.concatenate(paths)
    scaled = (paths[1][2:5] - everything.mean(0)) / everything.std(0)
    np.testing.assert_allclose(seen["x"][8], [*scaled[:, 0], *scaled[:, 1], 1.0], rtol=1e-5)  # component by component
    assert float(seen["y"].mean()) == pytest.approx(0, abs=1e-6)
    assert float(seen["y"].std(unbiased=False)) == pytest.approx(1, abs=1e-6)
    output = made.network.double()(torch.from_numpy(made.inputs(paths[0][None, :3], contexts[:1]))).detach().numpy()
    steps = np.concatenate([each[3:] - each[2:-1] for each in paths])
    expected = paths[0][2] + steps.mean(0) + steps.std(0) * output[0]
    np.testing.assert_allclose(made.rollout(paths[0][:3], 1, context=contexts[0])[0], expected)


def test_a_constant_component_is_not_divided_by():
    path = np.stack((np.sin(np.arange(20.0)), np.ones(20)), -1)
    assert np.isfinite(NetworkForecaster(history=2).fit([path], 1.0).rollout(path[:2], 5)).all()


def test_operations_of_a_structured_network_are_counted():
    def build(n_in, n_out):
        return torch.nn.Sequential(StructuredLinear(n_in, n_in, p=2), torch.nn.Linear(n_in, n_out))

    made = NetworkForecaster(build=build, train=lambda *_: None, history=4).fit([two_modes(20)], DT)
    assert made.step_flops == StructuredLinear(4, 4, p=2).flops(cached=True) + 2 * 4
    assert made.n_parameters == 2 * 16 + 4 + 5


# -- LEADS -------------------------------------------------------------------------------------------------------------


def leads_network(n_environments=2):
    torch.manual_seed(0)
    return LEADSNetwork(2, n_environments, 8, 0.1, 5, 1 / 5e3, 1e-2).double()


def test_environments_differ_by_their_own_networks():
    network = leads_network()
    starts = torch.tensor([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 0.0]], dtype=torch.float64)
    found = network(starts)
    assert found.shape == (3, 5, 2)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])
    with torch.no_grad():
        for each in (*network.own.weights, *network.own.biases):
            each.zero_()
    assert torch.equal(*network(starts)[:2])


def test_paths_solve_the_equation():
    network = leads_network(1)
    with torch.no_grad():
        for each in network.common.weights:
            each.mul_(8)
    start = torch.tensor([[0.4, -1.0]], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.long)

    def flow(states):
        with torch.no_grad():
            given = torch.from_numpy(np.atleast_2d(states))
            rates = applied(network.common.chosen(zero), given) + applied(network.own.chosen(zero), given)
        return rates[0].numpy()

    exact = simulate(flow, start[0].numpy(), 0.1 * np.arange(6))
    np.testing.assert_allclose(network.solved(start, zero, 5)[0].detach().numpy(), exact[1:], atol=1e-6)


def test_the_penalty_is_of_corrections_alone():
    network = leads_network()
    network(torch.tensor([[1.0, 2.0, 0.0]], dtype=torch.float64))
    torch.autograd.backward(network.penalty())
    assert all(each.grad is None for each in network.common.parameters())
    assert all(each.grad is not None and each.grad.any() for each in network.own.weights)
    by_hand = sum(torch.linalg.svdvals(weight)[:, 0].square().mean() for weight in network.own.weights)
    path, environments = network.path
    g = applied(network.own.chosen(environments), path.swapaxes(0, 1))
    size = (g.square().sum(-1) / path.swapaxes(0, 1).square().sum(-1)).mean()
    torch.testing.assert_close(network.penalty(), (size + 1e-2 * by_hand) / 5e3)


def test_leads_learns_two_environments():
    times = np.arange(0, 3, 0.5)
    flows = [LotkaVolterra(alpha=0.5), LotkaVolterra(alpha=1.0)]
    paths = [simulate(flow, [1.5, 1.2], times) for flow in flows]
    contexts = np.array([[0.0], [1.0]])

    def train(network, x, y):
        with torch.no_grad():
            for each in network.parameters():  # away from the saddle in which the code's values begin
                each.mul_(8)
        by_lbfgs(network, x, y, iterations=100)

    made = LEADSForecaster(n_environments=2, hidden=16, train=train).fit(paths, 0.5, contexts)
    for path, context in zip(paths, contexts, strict=True):
        assert np.abs(made.rollout(path[:1], 5, context=context) - path[1:]).max() < 0.15
    with pytest.raises(DataError, match="from 0 to 1"):
        made.rollout(paths[0][:1], 2, context=np.array([2.0]))
    with pytest.raises(DataError, match=r"lengths \[5, 6\]"):
        made.fit([paths[0], paths[1][1:]], 0.5, contexts)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: HAVOKForecaster(history=8, rank=9), "from 2 to history=8.*rank=9"),
        (lambda: HAVOKForecaster(history=0, rank=1), "history=0"),
        (lambda: DMDForecaster(svd_rank=-2), "svd_rank=-2"),
        (lambda: DMDForecaster(history=2, svd_rank=3).fit([two_modes()], DT), "2 numbers, got svd_rank=3"),
        (lambda: SINDyForecaster(degree=0), "degree=0"),
        (lambda: LEADSForecaster(hidden=0), "hidden=0"),
        (lambda: AutoregressiveForecaster(history=-1), "history=-1"),
    ],
)
def test_what_can_not_be_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("kind", [DMDForecaster, SINDyForecaster, LEADSForecaster])
def test_a_missing_package_is_named(kind, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match="dynamics"):
        kind().fit([np.random.default_rng(0).normal(size=(20, 2))], DT)


def test_a_diverging_network_is_marked():
    def push(network, x, y):
        with torch.no_grad():
            for each in network.parameters():
                each.fill_(50.0)

    path = np.random.default_rng(0).normal(size=(30, 2))
    found = NetworkForecaster(train=push).fit([path], 0.1).rollout(path[:1], 400)
    assert np.isfinite(found[0]).all()
    assert np.isinf(found[-1]).all()
