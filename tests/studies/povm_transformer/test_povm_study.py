"""Whole trials of the study, by the acceptance list of its card; parts and solvers have tests of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from replank.lab.report.figures import WIDTH
from replank.lab.trial import Arm, Trial, TrialKey
from replank.open_systems import all_strings, site_means
from replank.open_systems.pauli import AXES
from replank.parts.density.metropolis import MetropolisSampler
from replank.seeding import torch_stream
from replank.studies.povm_transformer import STUDY
from replank.studies.povm_transformer.densities import build, drawn, sampler
from replank.studies.povm_transformer.observed import enumerable, exact_means, observe, probabilities
from replank.studies.povm_transformer.problems import ising, xyz
from replank.studies.povm_transformer.settings import ARMS, DYNAMICS, SCALES, STEADY, OpenSettings
from replank.studies.povm_transformer.trial import run

SMALL = SCALES["small"].protocols
TINY = {"n_iterations": "2", "n_samples": "8", "n_steps": "2", "n_eval": "20", "n_chains": "4"}


def trial(protocol: str, arm: str, seed: int = 0, scale: str = "small", **overrides: str) -> Trial:
    settings = SCALES[scale].protocols[protocol].resolve(arm, "generated", TINY | overrides)
    key = TrialKey(STUDY.slug, scale, protocol, "generated", arm, seed, "", "", "", 1)
    return Trial(key, Arm(arm, ""), settings, None, torch.device("cpu"), lambda *_: None)


def arms_of(protocol: str) -> list[str]:
    return [arm.name for arm in STUDY.arms if SMALL[protocol].is_for_arm(arm.name)]


def test_protocols_have_the_arms_that_they_are_for():
    densities = {
        "product",
        "transformer",
        "transformer-strings",
        "transformer-norm",
        "transformer-4pauli",
        "gru",
        "made",
    }
    densities |= {"rbm", "transformer-mcmc"}
    assert set(arms_of("tfim")) == densities | {"transformer-full-sum", "rbm-full-sum"}
    assert set(arms_of("xyz")) == densities | {"transformer-euler"}
    assert arms_of("order") == ["exact-trapezoid", "exact-euler"]
    assert set(ARMS) - {"rbm*", "*-full-sum"} <= {arm.name for arm in STUDY.arms}


@pytest.mark.parametrize("arm", arms_of("xyz"))
def test_every_density_begins_at_the_product_state_and_has_no_more_parameters(arm):
    settings: OpenSettings = trial("xyz", arm).settings
    system = xyz(settings)
    density = build(settings, system, seed=0)
    tolerance = 1e-6 if density.normalised else 0.02
    expected = system.povm.povm_probabilities(system.all_up())
    torch.testing.assert_close(probabilities(density), expected, rtol=0, atol=tolerance)
    size = sum(each.numel() for each in density.parameters())
    norms = 64 if arm == "transformer-norm" else 0
    assert size <= 1780 + norms
    assert size >= 1600 or arm == "product"


def test_arms_differ_by_what_they_say():
    chosen = {arm: trial("tfim", arm).settings for arm in arms_of("tfim")}
    transformer = chosen["transformer"]
    assert chosen["transformer-norm"] == replace(transformer, norm="post", lr=0.003)
    assert chosen["transformer-4pauli"] == replace(transformer, povm="4pauli")
    assert chosen["transformer-mcmc"] == replace(transformer, sampler="mcmc")
    assert chosen["transformer-full-sum"] == replace(transformer, full_sum=True)
    assert chosen["rbm"].sampler == "mcmc"
    assert trial("xyz", "transformer-euler").settings.scheme == "euler"


def test_chains_make_as_many_evaluations_as_samples():
    """Besides those of the first call, which warms up, and one for the strings that a call begins with."""
    settings: OpenSettings = trial("tfim", "transformer-mcmc", n_samples="64", n_chains="8").settings
    density = build(settings, ising(settings, 1.0), seed=0)
    source = sampler(settings, density)
    assert isinstance(source, MetropolisSampler)
    source.sample(settings.n_samples, torch_stream(0, "samples"))
    seen = []
    evaluate = density.log_weight
    density.log_weight = lambda a: seen.append(len(a)) or evaluate(a)
    source.sample(settings.n_samples, torch_stream(0, "samples"))
    assert sum(seen) == settings.n_samples + settings.n_chains
    assert sampler(replace(settings, full_sum=True), density) is density


def test_observables_from_probabilities_and_from_samples_are_those_of_the_operator():
    system = ising(STEADY, 1.0)
    density = build(STEADY, system, seed=0)
    with torch.no_grad():
        density.head.weight.normal_(generator=torch_stream(0, "weights"))
    samples = drawn(replace(STEADY, n_eval=20_000), density, torch_stream(0, "samples"))
    observed = observe(density, system, samples)
    operator = system.povm.density_from_probabilities(density.log_prob(all_strings(4)).exp().detach())
    truth = exact_means(operator, 4)
    for axis in AXES:
        assert observed.means[axis] == pytest.approx(truth[axis], abs=1e-12)
        estimate = observed.sampled[axis]
        assert abs(estimate.mean - truth[axis]) < 5 * estimate.standard_error
    per_site = site_means(observed.p, system.povm.observable_coefficients(AXES["z"]), 4)
    assert observed.site_spread == pytest.approx(float(per_site.max() - per_site.min()))
    assert observed.site_spread > 0.01


def test_too_many_strings_are_sampled():
    settings = replace(STEADY, columns=12, n_hidden=4)
    system = ising(settings, 1.0)
    assert not enumerable(system)
    assert system.exact(settings.max_exact_sites) is None
    density = build(settings, system, seed=0)
    observed = observe(density, system, density.sample(4000, torch_stream(0, "samples"))[0])
    assert observed.p is None
    assert observed.means["z"] == pytest.approx(1, abs=0.1)
    assert math.isfinite(observed.site_spread)


@pytest.mark.parametrize("arm", ["transformer", "rbm"])
def test_trials_of_one_seed_are_equal_and_of_two_are_not(arm):
    first, again, other = (run(trial("tfim", arm, seed)).metrics for seed in (0, 0, 1))
    timeless = {name for name in first if not name.startswith("train_wall") and not name.startswith("train_cpu")}
    assert {name: first[name] for name in timeless} == {name: again[name] for name in timeless}
    assert first["observable_error"] != other["observable_error"]


@pytest.mark.parametrize("protocol", ["tfim", "xyz"])
def test_records_hold_errors_eigenvalues_and_standard_errors(protocol):
    found = run(trial(protocol, "transformer-strings"))
    assert not found.not_finite()
    for name in (
        "observable_error",
        "sampled_observable_error",
        "z_standard_error",
        "min_eigenvalue",
        "state_distance",
    ):
        assert name in found.metrics
    assert found.metrics["site_spread"] < 1e-9
    assert found.metrics["stopped_early"] == 0
    n_points = len(found.curves)
    assert found.artefacts["observables"].shape == (n_points, 10)
    assert all(row["observable_error"] <= found.metrics["observable_error"] for row in found.curves)


def test_without_an_exact_reference_a_trial_has_no_errors():
    found = run(trial("tfim", "transformer", max_exact_sites="3", fields="[1.0]"))
    assert "observable_error" not in found.metrics
    assert np.isnan(found.artefacts["observables"][:, 4:7]).all()
    assert math.isfinite(found.metrics["min_eigenvalue"])


@pytest.mark.parametrize("full_sum", ["true", "false"])
def test_the_network_gets_near_one_steady_state(full_sum):
    """Three spins, half of the updates of the small run."""
    arm = trial(
        "tfim", "transformer", columns="3", fields="[2.0]", n_iterations="200", n_samples="256", full_sum=full_sum
    )
    assert run(arm).metrics["observable_error"] < 0.08


def test_the_network_follows_one_evolution_for_a_while():
    found = run(trial("xyz", "transformer", n_steps="4", n_iterations="60", n_samples="256", n_hidden="8"))
    moved = abs(1 - found.artefacts["observables"][-1, 6])
    assert found.metrics["observable_error"] < 0.3 * moved


def test_exact_means_of_a_product_state():
    plus_i = torch.tensor([1, 1j], dtype=torch.complex128) / 2**0.5
    up = torch.tensor([1, 0], dtype=torch.complex128)
    state = torch.kron(torch.kron(plus_i, up), up)
    assert exact_means(torch.outer(state, state.conj()), 3) == pytest.approx({"x": 0, "y": 1 / 3, "z": 2 / 3})


def test_the_conserved_parity_keeps_x_and_y_at_zero():
    system = xyz(DYNAMICS)
    exact = system.exact(8)
    for rho in exact.evolve(system.all_up(), np.array([0.0, 0.3, 0.6])):
        means = exact_means(rho, 4)
        assert abs(means["x"]) + abs(means["y"]) < 1e-10


def test_figures_show_every_axis_and_the_exact_curve(tmp_path):
    from replank.lab.executors import InProcess
    from replank.lab.run import run_study

    done = run_study(
        STUDY.slug, scale="smoke", ledger=tmp_path / "ledger.sqlite", executor=InProcess(), arms=["product", "gru"]
    )
    for figure, n_panels in zip(STUDY.figures, (3, 1), strict=True):
        protocol = figure.protocol.removesuffix("*")
        drawing = figure.draw(done.records.only(protocol=protocol))
        assert drawing.get_figwidth() == WIDTH
        assert len(drawing.axes) == n_panels
        labels = [line.get_label() for line in drawing.axes[-1].lines]
        assert labels == ["exact", "product", "gru"]
    with pytest.raises(ValueError, match="must have been run"):
        STUDY.figures[0].draw(done.records.only(arm="made"))
