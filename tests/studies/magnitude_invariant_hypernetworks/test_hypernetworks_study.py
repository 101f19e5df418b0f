"""The acceptance list of the study's card, as far as it is about whole models; parts have tests of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from replank.datasets import load
from replank.lab.claim import Missing, table_of
from replank.lab.feed import TensorFeed
from replank.measure.flops import forward_flops
from replank.measure.parameters import count_parameters
from replank.seeding import isolated
from replank.studies.magnitude_invariant_hypernetworks import STUDY
from replank.studies.magnitude_invariant_hypernetworks.claims import CELL, cells_won, steps_to_default
from replank.studies.magnitude_invariant_hypernetworks.data import feeds, framed, partners
from replank.studies.magnitude_invariant_hypernetworks.fitting import fit, magnitudes, sensitivity
from replank.studies.magnitude_invariant_hypernetworks.model import build
from replank.studies.magnitude_invariant_hypernetworks.networks import RegistrationNet, ScaledClassifier, rescaling
from replank.studies.magnitude_invariant_hypernetworks.settings import PREDICTED, SCALES, TABLE, VARIANTS, HyperSettings
from replank.studies.magnitude_invariant_hypernetworks.tasks import (
    ConditionedClassification,
    Registration,
    mixture_logits,
    registration_terms,
)
from replank.studies.magnitude_invariant_hypernetworks.trial import final_gammas

CPU = torch.device("cpu")
TINY = HyperSettings("registration", channels=(4,), side=8, hidden=(8, 32))
CLASSIFIER = HyperSettings("classifier", channels=(4, 8, 8, 8), side=8, hidden=(8, 32), d=1)
GAMMAS = torch.tensor([[0.0], [0.4], [1.0]])


def model(arm, settings=TINY, seed=0, gammas=GAMMAS):
    return build(replace(settings, **VARIANTS.get(arm, {})), gammas, seed)


def images(n=5, channels=2, side=8):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(1))


# -- what is swapped, and what is not ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", PREDICTED)
def test_arms_start_from_the_same_values_where_they_have_the_same_shapes(arm):
    default, other = model("raw-direct", CLASSIFIER).hyper, model(arm, CLASSIFIER).hyper
    last = [layer for layer in other.body if isinstance(layer, torch.nn.Linear)][-1]
    assert last.weight.shape == default.body[2].weight.shape
    if VARIANTS.get(arm, {}).get("norm") is None:  # with normalisation layers have other names, and other streams
        assert torch.equal(last.weight, default.body[2].weight)
    if arm not in ("hyperfan-in", "bias-hyperinit"):
        assert torch.equal(other.head.weight, default.head.weight)


def test_theta_0_is_the_primary_networks_start():
    plain = model("gamma-blind").primary
    for arm in ("raw-additive", "mip", "layer-norm-additive", "bias-hyperinit", "input-blind"):
        own = model(arm).hyper.independent_parameters()
        assert all(torch.equal(own[name], parameter) for name, parameter in plain.named_parameters())
    for arm in ("raw-direct", "cos-sin-direct", "hyperfan-in", "layer-norm"):
        assert not model(arm).hyper.head.bias.any()


def test_the_linear_layer_is_not_predicted():
    made = model("mip", CLASSIFIER)
    assert not any(name.startswith("fc") for name in made.hyper.output_shapes)
    assert [name for name, _ in made.primary.named_parameters()] == ["fc.weight", "fc.bias"]
    assert {"convs.0.weight", "convs.3.bias"} <= set(made.hyper.output_shapes)


@pytest.mark.parametrize("d", [1, 4])
def test_magnitude_invariance_costs_d_times_the_first_width(d):
    settings = replace(TINY, d=d)
    counts = [count_parameters(model(arm, settings)).total for arm in ("raw-additive", "mip", "raw-direct")]
    assert counts[1] - counts[0] == d * 8
    assert counts[2] == counts[0]


def test_before_training_default_norms_are_proportional_and_invariant_ones_hardly_vary():
    whole = SCALES["small"].protocols["registration"].settings
    raw, mip = (magnitudes(model(arm, whole)) for arm in ("raw-direct", "mip"))
    assert raw.r2 > 0.999
    assert raw.cv == pytest.approx(math.sqrt(1 / 3), abs=0.01)
    assert mip.cv < 0.05


def test_all_arms_see_the_same_hyper_inputs():
    def seen(arm):
        made = model(arm).train()
        with isolated(3, "noise"):
            return [float(made(images())[0, 0, 0].detach()) for _ in range(4)]

    first = seen("raw-direct")
    assert len(set(first)) == 4
    assert all(seen(arm) == first for arm in (*TABLE, "batch-norm", "gamma-blind", "input-blind"))


def test_evaluation_draws_nothing_and_answers_at_every_hyper_input():
    for arm in ("mip", "batch-norm", "gamma-blind"):
        made = model(arm).eval()
        before = torch.get_rng_state()
        output = made(images()).detach()
        assert torch.equal(torch.get_rng_state(), before)
        assert output.shape == (5, 3, 4)
        assert output[0, :, 0].tolist() == pytest.approx([0.0, 0.4, 1.0])
        one = model(arm, gammas=GAMMAS[1:2]).eval()(images()).detach()
        torch.testing.assert_close(one[:, 0], output[:, 1])


def test_who_can_not_see_gamma_does_not_depend_on_it():
    for arm, blind in (("input-blind", True), ("gamma-blind", True), ("mip", False)):
        made = model(arm, replace(CLASSIFIER, problem="gaussian")).eval()
        logits = made(images(channels=1)).detach()
        assert torch.allclose(logits[:, 0], logits[:, 2]) == blind, arm
        assert (sensitivity(made) == 0) == blind


def test_gradients_reach_the_hypernetwork_and_theta_0():
    made = model("mip").train()
    with isolated(0, "gammas"):
        Registration().loss(made(images()), torch.zeros(5)).backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


# -- primary networks --------------------------------------------------------------------------------------------------


def test_registration_starts_without_displacement():
    net = RegistrationNet(4)
    u = net(images(side=12)).detach()
    assert u.shape == (5, 2, 12, 12)
    assert 0 < float(u.abs().max()) < 0.05


def test_rescaling_of_feature_maps():
    net, x = ScaledClassifier((4, 8, 8, 8)).eval(), images(channels=1, side=16)
    assert torch.equal(net((x, 1.0)), net(x))
    assert not torch.allclose(net((x, 0.25)), net(x))
    assert [rescaling(torch.tensor(gamma)) for gamma in (0.0, 1.0)] == [0.25, 1.0]
    made = model("mip", replace(CLASSIFIER, side=16))
    flops = []
    for gamma in (0.0, 0.5, 1.0):
        made.gammas = torch.tensor([[gamma]])
        flops.append(forward_flops(made, x[:1]))
    assert flops[0] < flops[1] < flops[2]


# -- tasks -------------------------------------------------------------------------------------------------------------


def test_terms_and_loss_of_known_fields():
    x = images(3)
    still = registration_terms(x, torch.zeros(3, 2, 8, 8), torch.tensor([0.25]))
    torch.testing.assert_close(still[:, 1], (x[:, 0] - x[:, 1]).square().mean((1, 2)))
    assert still[:, 0].tolist() == [0.25] * 3
    assert not still[:, 2:].any()
    places = torch.arange(8.0).expand(8, 8)
    mirrored = torch.stack((-2 * places, torch.zeros(8, 8)))[None].expand(3, 2, 8, 8)
    folded = registration_terms(x, mirrored, torch.tensor([1.0]))
    assert folded[:, 3].tolist() == [1, 1, 1]
    torch.testing.assert_close(folded[:, 2], torch.full((3,), 4.0))
    task, both = Registration(), torch.stack((still, folded), 1)
    by_hand = (0.75 * still[:, 1] / 0.05).mean() / 2 + 4.0 / 2
    torch.testing.assert_close(task.loss(both, torch.zeros(3)), by_hand)
    found = task.metrics(both, torch.zeros(3))
    assert found["minus_log_loss"] == pytest.approx(-math.log(found["loss"]))
    assert found["folded"] == 0.5


def test_the_mixture_is_the_mean_of_probabilities():
    output = torch.randn(6, 3, 10, generator=torch.Generator().manual_seed(0))
    mean = output.softmax(-1).mean(1)
    torch.testing.assert_close(mixture_logits(output).exp(), mean)
    torch.testing.assert_close(mixture_logits(output).softmax(-1), mean)
    labels = torch.arange(6)
    task = ConditionedClassification()
    each = torch.stack([F.cross_entropy(output[:, number], labels) for number in range(3)])
    torch.testing.assert_close(task.loss(output, labels), each.mean())
    found = task.metrics(output, labels)
    assert found["mixture_nll"] == pytest.approx(float(F.nll_loss(mean.log(), labels)), rel=1e-5)
    assert found["mixture_nll"] <= found["loss"]  # by convexity


def test_tasks_check_their_outputs():
    with pytest.raises(ValueError, match=r"\(n, g, 4\)"):
        Registration().check(torch.zeros(3, 4), torch.zeros(3), "test")
    with pytest.raises(ValueError, match=r"\(n, g, classes\)"):
        ConditionedClassification().check(torch.zeros(3, 2, 10), torch.zeros(4), "test")


# -- data --------------------------------------------------------------------------------------------------------------


def test_partners_are_others_of_the_same_class():
    labels = np.array([0, 1, 0, 2, 1, 0, 1])
    found = partners(labels, np.random.default_rng(0))
    assert (labels[found] == labels).all()
    assert sorted(found) == list(range(7))
    assert [place for place in range(7) if found[place] == place] == [3]


def test_parts_are_disjoint_and_framed():
    settings = replace(TINY, side=10, n_train=64, n_validation=32, n_test=32, batch_size=16, every=2)
    data = load("digits")
    sets = feeds(data, settings, 0, CPU)
    assert isinstance(sets.training.feed, TensorFeed)
    parts = [sets.training.feed.x, sets.validation.x, sets.test.x]
    assert [tuple(x.shape[1:]) for x in parts] == [(2, 10, 10)] * 3
    fixed = torch.cat([x[:, 1] for x in parts]).flatten(1)
    assert len(torch.unique(fixed, dim=0)) == 128
    again = feeds(data, settings, 0, CPU)
    assert torch.equal(again.validation.x, parts[1])
    assert not torch.equal(feeds(data, settings, 1, CPU).validation.x, parts[1])


def test_padding_is_black_on_all_sides():
    x = torch.ones(1, 1, 28, 28)
    wide = framed(x, replace(TINY, side=32))
    assert torch.equal(wide[..., 2:30, 2:30], x)
    assert float(wide.sum()) == 28 * 28
    assert framed(x, replace(TINY, side=0, halve=True)).shape == (1, 1, 14, 14)


@pytest.mark.parametrize("scale", SCALES)
def test_epochs_divide_passes_and_steps(scale):
    for name, protocol in SCALES[scale].protocols.items():
        settings = protocol.settings
        assert settings.n_train % settings.batch_size == 0, name
        assert settings.n_train // settings.batch_size % settings.every == 0, name
        assert settings.steps % settings.every == 0, name
    for changed in (3200, 4800):
        assert changed // 32 % 50 == 0


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """MIP and the default after 120 steps on 8x8 digits."""
    settings = replace(
        TINY, n_train=320, n_validation=48, n_test=64, steps=120, every=20, batch_size=16, lrs=(1e-3,), channels=(8,)
    )
    sets = feeds(load("digits"), settings, 0, CPU)
    runs = {}
    for arm in ("raw-direct", "mip"):
        runs[arm] = fit(replace(settings, **VARIANTS.get(arm, {})), sets, seed=0, device=CPU, progress=lambda *_: None)
    return runs, sets


def test_the_trained_network_is_smoother_for_larger_gammas(trained):
    runs, sets = trained
    made = runs["mip"].model
    made.gammas = final_gammas(TINY)
    smoothness = made.eval()(sets.test.x).detach().mean(0)[:, 2]
    ranks = smoothness.argsort(descending=True).float()
    assert float(torch.corrcoef(torch.stack((ranks, torch.arange(11.0))))[0, 1]) > 0.8


def test_what_is_recorded_on_the_way(trained):
    runs, _ = trained
    for run in runs.values():
        metrics, curves = run.measured.metrics, run.measured.curves
        assert [f"validation_loss_at_{step}" in metrics for step in (20, 120, 140)] == [True, True, False]
        logs = [math.log(row["validation_loss"]) for row in curves]
        assert metrics["mean_log_validation_loss"] == pytest.approx(np.mean(logs))
        assert all({"cv", "correlation"} <= row.keys() for row in curves)
        assert metrics["gradient_norm_cv"] > 0
        assert run.measured.not_finite() == []
    assert runs["raw-direct"].measured.metrics["initial_correlation"] == pytest.approx(1)
    assert runs["mip"].measured.metrics["final_cv"] < runs["raw-direct"].measured.metrics["final_cv"]


def test_equal_seeds_give_equal_metrics(trained):
    _, sets = trained
    settings = replace(TINY, steps=20, every=20, lrs=(1e-3,), channels=(8,), batch_size=16)
    first, second = (
        fit(settings, sets, seed=0, device=CPU, progress=lambda *_: None).measured.metrics for _ in range(2)
    )
    timed = {name for name in first if "_s_per_" in name or name.endswith("per_s")}
    assert {name: first[name] for name in first.keys() - timed} == {name: second[name] for name in first.keys() - timed}


def test_the_step_size_is_chosen_on_validation(trained):
    _, sets = trained
    settings = replace(TINY, steps=20, every=20, channels=(8,), batch_size=16, residual=True, encoding="cos|sin")

    def fitted(*lrs):
        made = replace(settings, lrs=lrs)
        return fit(made, sets, seed=0, device=CPU, progress=lambda *_: None).measured.metrics

    losses = {lr: fitted(lr)["validation_loss"] for lr in (1e-5, 3e-3)}
    best = min(losses, key=losses.__getitem__)
    chosen = fitted(*losses)
    assert chosen["lr"] == best
    assert chosen["validation_loss"] == losses[best]


# -- claims ------------------------------------------------------------------------------------------------------------


def test_steps_to_the_defaults_final_loss():
    table = table_of(
        raw_direct={f"validation_loss_at_{step}": losses for step, losses in
                    {100: [3.0, 3.0, 3.0], 200: [2.0, 2.0, 2.0], 300: [1.0, 1.0, 1.0]}.items()},
        mip={f"validation_loss_at_{step}": losses for step, losses in
             {100: [0.9, 2.0, 3.0], 200: [0.8, 1.0, 3.0], 300: [0.7, 0.5, 3.0]}.items()},
    )  # fmt: skip
    assert steps_to_default(table).tolist() == pytest.approx([1 / 3, 2 / 3, 2.0])
    with pytest.raises(Missing, match="by step"):
        steps_to_default(table[["arm", "seed"]])


def test_cells_are_counted_seed_by_seed():
    names = [f"{CELL}{each}" for each in ("relu_1_1", "tanh_1_1", "gelu_1_1", "silu_1_1")]
    table = table_of(
        raw_direct={name: [1.0, 1.0] for name in names},
        mip=dict(zip(names, ([0.5, 0.5], [0.5, 1.5], [0.5, 1.0], [2.0, 0.9]), strict=True)),
    )
    assert cells_won(table).tolist() == [0.75, 0.5]
    with pytest.raises(Missing, match="by cell"):
        cells_won(table[["arm", "seed"]])


def test_other_data_are_not_tested():
    claims = {claim.id: claim for claim in STUDY.claims}
    for name in ("C10-OASIS", "C10-Flowers"):
        assert not any(claims[name].covers(dataset) for dataset in ("mnist", "mnist10k", "mnist5k", "digits"))
