from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from replank.datasets import load
from replank.dynamics.lorenz import Lorenz63
from replank.dynamics.lotka_volterra import LotkaVolterra
from replank.dynamics.simulate import simulate
from replank.errors import DataError
from replank.lab.records import Records
from replank.lab.trial import Measurements, Record, Trial, TrialKey
from replank.measure.parameters import count_parameters
from replank.parts.forecaster.persistence import PersistenceForecaster
from replank.parts.forecaster.sindy import SINDyForecaster
from replank.parts.linear import LowRankLinear, StructuredLinear
from replank.seeding import isolated
from replank.studies.structured_hankel_network import STUDY
from replank.studies.structured_hankel_network import data as data_module
from replank.studies.structured_hankel_network.arms import ByTheLab, forecaster_of, told
from replank.studies.structured_hankel_network.claims import CLAIMS
from replank.studies.structured_hankel_network.data import (
    ENVIRONMENTS,
    Forecast,
    Split,
    Trajectories,
    forecast,
    trajectories,
)
from replank.studies.structured_hankel_network.networks import hidden_parameters, network
from replank.studies.structured_hankel_network.settings import KINDS, SCALES, HankelSettings
from replank.studies.structured_hankel_network.trial import (
    LOST,
    forecast_metrics,
    mean_squared_errors,
    recorded,
    run,
    run_forecast,
)

SMALL, SMOKE = SCALES["small"].protocols, SCALES["smoke"].protocols


def trial_of(arm, protocol="lorenz", seed=0, **overrides) -> Trial:
    settings = replace(SMOKE[protocol].resolve(arm, "generated", {}), **overrides)
    key = TrialKey(STUDY.slug, "smoke", protocol, "generated", arm, seed, "", "", "", 1)
    return Trial(key, STUDY.arm(arm), settings, load("generated"), torch.device("cpu"), lambda *_: None)


def measured(*args, **kwargs) -> Measurements:
    return run(trial_of(*args, **kwargs))


# -- data --------------------------------------------------------------------------------------------------------------


def test_lorenz_is_solved_from_the_cards_starts():
    settings = replace(SMOKE["lorenz"].settings, n_train=40)
    split = trajectories(settings, 5)
    starts = split.train.states[:, 0]
    assert -15 <= starts.min() < -12
    assert 12 < starts.max() <= 15
    np.testing.assert_allclose(
        split.test.states[1], simulate(Lorenz63(), split.test.states[1, 0], 0.01 * np.arange(101))
    )
    assert split.train.contexts.shape == (40, 0)
    everything = np.concatenate([part.states[:, 0] for part in (split.train, split.validation, split.test)])
    assert len(np.unique(everything, axis=0)) == len(everything)
    small = SMALL["lorenz"].settings
    assert (small.dt, small.duration, small.q, small.p, small.epochs, small.lr, small.batch_size) == (
        0.01, 8, 16, 4, 15, 1e-3, 256,
    )  # fmt: skip


def test_seeds_have_data_of_their_own_that_all_arms_share():
    settings = SMOKE["lorenz"].settings
    assert not np.array_equal(trajectories(settings, 0).train.states, trajectories(settings, 1).train.states)
    other = trajectories(SMOKE["lorenz"].resolve("sindy", "generated", {}), 0)
    assert np.array_equal(trajectories(settings, 0).train.states, other.train.states)


def test_several_rayleigh_numbers_are_told():
    split = trajectories(SMOKE["lorenz-rho"].settings, 0)
    assert split.train.contexts[:, 0].tolist() == [10, 28, 40]
    assert split.test.contexts[:, 0].tolist() == [17, 35]
    path = simulate(Lorenz63(rho=35.0), split.test.states[1, 0], 0.01 * np.arange(101))
    np.testing.assert_allclose(split.test.states[1], path)


def test_animals_live_in_the_environments_of_leads():
    settings = replace(SMALL["lotka-volterra"].settings, n_test=3)
    split = trajectories(settings, 0)
    assert ENVIRONMENTS[3] == (1.0, 0.5)
    assert len(set(ENVIRONMENTS)) == 10
    assert split.train.states.shape == (10, 191, 2)
    assert split.test.contexts[:, 0].tolist() == [float(k) for k in range(10) for _ in range(3)]
    starts = split.test.states[:, 0].reshape(10, 3, 2)
    assert (starts == starts[0]).all()  # the same in every environment
    assert 1 <= starts.min() <= starts.max() <= 2
    for k, (alpha, gamma) in enumerate(ENVIRONMENTS):
        flow = LotkaVolterra(alpha=alpha, gamma=gamma)
        assert np.ptp(flow.invariant(split.test.states[3 * k])) < 1e-5
    leads = SMALL["lotka-volterra"].resolve("leads", "generated", {})
    assert (leads.dt, leads.epochs, leads.hidden) == (0.5, 300, 64)
    coarse = trajectories(replace(leads, n_test=3), 0)
    np.testing.assert_allclose(coarse.test.states, split.test.states[:, ::10], atol=1e-6)


@pytest.mark.parametrize(("dt", "q"), [(0.05, 16), (0.5, 2)])
def test_animals_are_compared_from_time_one_on_the_common_grid(dt, q):
    settings = replace(SMOKE["lotka-volterra"].settings, dt=dt, q=q)
    split = trajectories(settings, 0)
    forecaster = PersistenceForecaster().fit(list(split.train.states), dt)
    found = forecast(forecaster, settings, split.test, np.zeros(0))
    times = dt * np.arange(split.test.states.shape[1])
    wanted = np.isclose(times[:, None], np.arange(1, 9.6, 0.5)).any(1)
    assert wanted.sum() == 18
    np.testing.assert_array_equal(found.true, split.test.states[:, wanted])
    np.testing.assert_array_equal(found.predicted[:, 0], split.test.states[:, q - 1])


def test_all_arms_forecast_the_same_states_of_lorenz():
    settings = SMOKE["lorenz"].settings
    split = trajectories(settings, 0)
    found = forecast(PersistenceForecaster().fit(list(split.train.states), 0.01), settings, split.test, np.zeros(0))
    assert found.true.shape == (2, 101 - 12, 3)
    for arm in ("pointwise-mlp", "stnn", "sindy"):
        assert measured(arm).artefacts["true"].shape == (2, 89, 3)


def test_another_step_than_the_fitted_one_is_refused():
    settings = SMOKE["lorenz"].settings
    split = trajectories(settings, 0)
    forecaster = PersistenceForecaster().fit(list(split.train.states), 0.02)
    with pytest.raises(DataError, match=r"dt=0.02, got dt=0.01"):
        forecast(forecaster, settings, split.test, np.zeros(0))


# -- networks ----------------------------------------------------------------------------------------------------------


def build(arm, n_in=48, seed=0):
    with isolated(seed, "host"):
        return network(SMALL["lorenz"].resolve(arm, "generated", {}), n_in, 3, seed)


def test_parameters_of_the_networks():
    dense, stnn, pure = build("dense"), build("stnn"), build("stnn-hankel")
    assert hidden_parameters(dense) == 2 * 48 * 192 + 240
    assert hidden_parameters(stnn) == 2 * 4 * 192 + 240
    assert hidden_parameters(pure) == 2 * 4 * 95 + 240
    assert hidden_parameters(stnn) / hidden_parameters(dense) <= 0.1
    assert count_parameters(stnn).total == 2 * 4 * 192 + 240 + 147
    for arm in ("low-rank", "dense-matched"):
        assert 0.85 * count_parameters(stnn).total < count_parameters(build(arm)).total <= count_parameters(stnn).total
    assert isinstance(build("low-rank").expand, LowRankLinear)
    assert count_parameters(build("pointwise-mlp", n_in=3)).total == 40 + 110 + 110 + 33


def test_only_what_is_swapped_differs():
    dense, stnn = build("dense"), build("stnn")
    assert torch.equal(dense.readout.weight, stnn.readout.weight)
    assert isinstance(stnn.expand, StructuredLinear)
    assert (stnn.expand.layout, stnn.reduce.layout, stnn.reduce.p) == ("expand", "reduce", 4)
    assert build("stnn-hankel").expand.mode == "hankel"
    assert not torch.equal(build("stnn", seed=1).expand.generator, stnn.expand.generator)


def test_test_trajectories_do_not_touch_the_training(monkeypatch):
    first = measured("stnn")
    settings = SMOKE["lorenz"].settings
    split = trajectories(settings, 0)
    loud = Split(split.train, split.validation, Trajectories(split.test.states + 3, split.test.contexts))
    monkeypatch.setattr("replank.studies.structured_hankel_network.trial.trajectories", lambda *_: loud)
    second = measured("stnn")
    assert first.metrics["train_loss"] == second.metrics["train_loss"]
    assert first.metrics["validation_loss"] == second.metrics["validation_loss"]
    assert first.metrics["rollout_mse"] != second.metrics["rollout_mse"]


def test_validation_samples_are_those_of_other_trajectories():
    trial = trial_of("stnn")
    split = trajectories(trial.settings, 0)
    trainer = ByTheLab(trial, split)
    made = forecaster_of(trial, trainer).fit(list(split.train.states), 0.01)
    x, y = made.samples(list(split.validation.states), split.validation.contexts)
    with torch.no_grad():
        loss = float((made.network(x) - y).square().mean())
    assert trainer.measured.metrics["validation_loss"] == pytest.approx(loss, rel=1e-4)
    assert not any(name.startswith("test_") for name in trainer.measured.metrics)


def test_who_is_told_what():
    contexts = np.ones((3, 1))
    animals = SMOKE["lotka-volterra"].settings
    assert told(replace(animals, kind="scaled"), contexts).shape == (3, 0)
    assert told(replace(animals, kind="leads"), contexts).shape == (3, 1)
    assert told(replace(SMOKE["lorenz-rho"].settings, kind="scaled"), contexts).shape == (3, 1)


def test_every_arm_has_a_kind():
    assert set(KINDS) == {arm.name for arm in STUDY.arms}
    assert all(p.settings.dt == 0.01 for name, p in SMALL.items() if name != "lotka-volterra")


# -- measurements ------------------------------------------------------------------------------------------------------


def _split(scale=1.0):
    states = scale * np.random.default_rng(0).normal(size=(3, 50, 3))
    some = Trajectories(states, np.zeros((3, 0)))
    return Split(some, some, some)


def test_a_lost_roll_out_is_a_failure_and_never_dropped():
    true = np.zeros((3, 10, 3))
    predicted = np.full_like(true, 0.1)
    predicted[1, 6:] = np.inf
    found = Forecast(predicted, true)
    assert mean_squared_errors(found).tolist() == pytest.approx([0.01, np.inf, 0.01])
    metrics = forecast_metrics(found, _split(), HankelSettings())
    assert metrics["rollout_mse"] == LOST
    assert metrics["log10_rollout_error"] == 6
    assert metrics["median_rollout_mse"] == pytest.approx(0.01)
    assert metrics["diverged_share"] == pytest.approx(1 / 3)
    assert metrics["least_valid_time"] == pytest.approx(6 * 0.01 * 0.9056)
    assert metrics["valid_time"] == pytest.approx(0.01 * 0.9056 * (10 + 6 + 10) / 3)
    assert np.isfinite(list(metrics.values())).all()
    assert recorded(np.inf) == LOST
    assert recorded(0.3) == 0.3


def test_a_trial_that_diverges_leaves_a_finite_record(monkeypatch):
    monkeypatch.setattr(SINDyForecaster, "_rates", lambda self, states, contexts: 1e3 * np.abs(states) ** 2)
    left = measured("sindy")
    assert not left.not_finite()
    assert left.metrics["diverged_share"] == 1
    assert left.metrics["rollout_mse"] == left.metrics["one_step_error"] == LOST
    assert np.isnan(left.artefacts["predicted"]).any()


def test_sindy_holds_the_equations_of_lorenz():
    left = measured("sindy", duration=4.0).metrics
    assert 7 <= left["parameters"] <= 10  # central differences are not exact
    assert left["valid_time"] > 2 > measured("persistence", duration=4.0).metrics["valid_time"]
    assert left["one_step_error"] < 1e-3


def test_persistence_is_what_it_is():
    left = measured("persistence").metrics
    split = trajectories(SMOKE["lorenz"].settings, 0)
    states = split.test.states
    true, seen = states[:, 12:], states[:, 11:12]
    assert left["rollout_mse"] == pytest.approx(float(np.square(true - seen).mean()))
    assert left["parameters"] == left["step_flops"] == 0


def test_the_same_trial_gives_the_same_numbers():
    timed = ("_s", "_us", "step_us", "per_s", "per_epoch")
    first, second = measured("stnn").metrics, measured("stnn").metrics
    same = [name for name in first if not any(word in name for word in timed)]
    assert len(same) > 8
    assert {name: first[name] for name in same} == {name: second[name] for name in same}


@pytest.mark.parametrize("arm", ["stnn", "dense"])
def test_costs(arm):
    left = measured(arm, protocol="cost")
    metrics = left.metrics
    assert not left.not_finite()
    expected = 4 * 32 * 4 + 32 if arm == "stnn" else 32 * 33
    assert left.artefacts["costs_of_batch_64"][-1, 0] == expected
    assert metrics["parameters_over_dense_at_largest"] == pytest.approx(expected / (32 * 33))
    flops = StructuredLinear(32, 32, p=4).flops(cached=True) if arm == "stnn" else 2 * 32 * 32
    assert left.artefacts["costs_of_batch_1"][-1, 1] == flops
    assert left.artefacts["costs_of_batch_64"][-1, 1] == flops
    if arm == "dense":
        assert metrics["flops_slope"] == pytest.approx(2)
        assert metrics["time_over_dense_at_largest_batch_64"] == 1
    assert metrics["network_us_of_1"] > 0
    assert metrics["network_time_over_dense_of_4096"] > 0


def test_the_operations_of_a_structured_layer_grow_nearly_linearly():
    sizes = SCALES["paper"].protocols["cost"].settings.sizes
    assert (sizes[0], sizes[-1]) == (64, 8192)
    flops = [StructuredLinear(size, size, p=4).flops(cached=True) for size in sizes]
    slope = np.polyfit(np.log(sizes), np.log(flops), 1)[0]
    assert 1 < slope < 1.3


# -- claims and pictures -----------------------------------------------------------------------------------------------


def records_of(*arms, protocol="lorenz", seeds=1) -> Records:
    return Records.of(
        Record(trial.key, "done", run(trial), {}, 0.0, 0.0, 0.0)
        for arm in arms
        for seed in range(seeds)
        for trial in (trial_of(arm, protocol, seed),)
    )


def test_figures_can_be_drawn():
    lorenz, cost = records_of("dense", "stnn", "sindy", "persistence"), records_of("dense", "stnn", protocol="cost")
    for figure in STUDY.figures:
        assert figure.draw(cost if figure.protocol == "cost" else lorenz).axes


def test_every_verdict_says_that_the_papers_numbers_were_unavailable():
    for claim in CLAIMS:
        for rule in claim.rules.values():
            assert "unavailable" in rule(claim.counterexample).reason
        assert "unavailable" in claim.reported or "no measurement is known" in claim.reported


def test_claims_c1_to_c6_are_there():
    ids = [claim.id for claim in CLAIMS]
    assert all(any(each.split("-")[0] == f"C{number}" for each in ids) for number in range(1, 7))


def test_the_paper_scale_is_the_cards():
    paper = SCALES["paper"]
    windows = {p.settings.q for name, p in paper.protocols.items() if name.startswith("lorenz")}
    matrices = {p.settings.p for name, p in paper.protocols.items() if name.startswith("lorenz")}
    long = paper.protocols["lorenz"].settings
    assert windows == {8, 16, 32, 64}
    assert matrices == {1, 2, 4, 8}
    assert (long.n_train, long.n_validation, long.n_test, long.epochs, paper.seeds) == (80, 10, 10, 300, 5)


def test_trajectories_are_solved_once_for_all_arms_of_a_seed(monkeypatch):
    data_module._lorenz.cache_clear()
    calls = []
    solve = data_module.simulate
    monkeypatch.setattr(data_module, "simulate", lambda *args, **kw: calls.append(1) or solve(*args, **kw))
    for arm in ("persistence", "dmd"):
        run_forecast(trial_of(arm))
    assert len(calls) == 5
