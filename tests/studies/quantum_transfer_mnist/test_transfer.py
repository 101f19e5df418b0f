"""The acceptance list of the study's card, as far as it is about the pipeline; feature maps have tests of their own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import pi

import numpy as np
import pytest
import torch

from replank.circuits import Estimator, QuantumLayer
from replank.datasets import Dataset, load
from replank.datasets._card import Arrays
from replank.datasets.tensors import tensors
from replank.lab.study import Protocol
from replank.lab.trial import Measurements, Trial, TrialKey
from replank.measure import knn_accuracy
from replank.studies.quantum_transfer_mnist import STUDY
from replank.studies.quantum_transfer_mnist.model import MODES, SHOTS, Pipeline, classifier, closed_form_gap
from replank.studies.quantum_transfer_mnist.settings import PUBLISHED, SMALL, SMOKE, TransferSettings
from replank.studies.quantum_transfer_mnist.trial import Encoding, Latents, encoded, run

ARMS = [arm.name for arm in STUDY.arms]
TINY = replace(SMOKE.settings, epochs=1)


@cache
def digits(n_train: int = 200, n_test: int = 80) -> Dataset:
    return load("digits").subset(n_train, n_test, seed=0)


def with_other_test_images(data: Dataset) -> Dataset:
    """The same training images, labels and card, but test images of noise."""
    noise = np.random.default_rng(0).integers(0, 17, data.test_x.shape, dtype=np.uint8)
    return Dataset.of(data.card, Arrays(data.train_x, data.train_y, noise, data.test_y))


def encoding(data: Dataset, settings: TransferSettings = TINY, seed: int = 0) -> Encoding:
    return Encoding(data.card.sha256, settings, seed, torch.get_num_threads(), torch.device("cpu"), data)


def trial(arm: str, data: Dataset, settings: TransferSettings = TINY, seed: int = 0) -> Trial:
    key = TrialKey(STUDY.slug, "smoke", "smoke", data.card.name, arm, seed, "", data.card.sha256, "", 1)
    whole = replace(settings, n_train=0, n_test=0)
    return Trial(key, STUDY.arm(arm), whole, data, torch.device("cpu"), lambda *_: None)


def pipeline(latents: torch.Tensor) -> Pipeline:
    return Pipeline(latents, n_components=5, n_trained_layers=2)


def latents(n: int = 300, width: int = 64, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    stream = torch.Generator().manual_seed(0)
    mixing = torch.randn(width, width, generator=stream, dtype=dtype)
    return torch.randn(n, width, generator=stream, dtype=dtype) @ mixing


# -- one seed, one encoder, one classifier -----------------------------------------------------------------------------


def test_the_encoder_is_the_same_to_the_last_bit_trained_again():
    first = encoded(encoding(digits()))
    encoded.cache_clear()
    again = encoded(encoding(digits()))
    assert again is not first
    assert torch.equal(again.train, first.train)
    assert torch.equal(again.test, first.test)
    assert again.metrics == first.metrics


def test_the_encoder_depends_on_seed_settings_and_images():
    base = encoding(digits())
    other_data = with_other_test_images(digits())
    others = [
        replace(base, seed=1),
        replace(base, settings=replace(TINY, encoder_epochs=1)),
        replace(base, data=other_data, data_sha256=other_data.card.sha256),
    ]
    assert all(not torch.equal(encoded(each).test, encoded(base).test) for each in others)


def test_training_the_encoder_lowers_its_error():
    settings = replace(TINY, encoder_epochs=1), replace(TINY, encoder_epochs=15)
    short, long = (encoded(encoding(digits(), each)).metrics for each in settings)
    assert long["test_reconstruction_mse"] < 0.9 * short["test_reconstruction_mse"]


def test_classifiers_of_different_width_start_alike_behind_the_first_layer():
    heads = []
    for n_features in (5, 32, 64):
        torch.manual_seed(3)
        heads.append(classifier(n_features, 10, 0.3))
    first, *others = heads
    for other in others:
        assert all(torch.equal(first.state_dict()[name], other.state_dict()[name]) for name in _behind(first))
    assert len(_behind(first)) == 2 * 5 + 4  # two batch normalisations, two linear layers


def _behind(head: torch.nn.Module) -> list[str]:
    return [name for name in head.state_dict() if not name.startswith("0.")]


def test_every_arm_has_a_map_of_latents_of_the_stated_width():
    z = latents(40, dtype=torch.float32)
    maps = pipeline(z).maps
    assert set(maps) == set(ARMS)
    widths = {arm: build()(z).shape[1] for arm, build in maps.items()}
    assert widths == dict.fromkeys(ARMS, 32) | {"latents": 64, "pca": 5, "trained-five": 5}


def test_arms_have_one_budget():
    for scale in STUDY.scales.values():
        for protocol in scale.protocols.values():
            assert not protocol.by_arm
            assert len({protocol.resolve(arm, scale.datasets[0], {}) for arm in ARMS}) == 1


def test_only_the_trained_arms_train_anything_but_the_classifier():
    maps = pipeline(latents(dtype=torch.float32)).maps
    n_trained = {arm: sum(p.numel() for p in build().parameters() if p.requires_grad) for arm, build in maps.items()}
    assert {arm: n for arm, n in n_trained.items() if n} == {
        "trained-circuit": 3 * 2 * 5,
        "trained-angles": 64 * 5 + 5,
        "trained-five": 64 * 5 + 5,
    }


# -- no leakage --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sets() -> tuple[Latents, Latents]:
    return encoded(encoding(digits())), encoded(encoding(with_other_test_images(digits())))


def test_nothing_that_is_fitted_knows_the_test_images(two_sets):
    one, other = two_sets
    assert not torch.equal(one.test, other.test)
    assert torch.equal(one.train, other.train)
    assert one.metrics["train_reconstruction_mse"] == other.metrics["train_reconstruction_mse"]
    for arm in ARMS:
        torch.manual_seed(0)
        fitted = pipeline(one.train).maps[arm]().state_dict()
        torch.manual_seed(0)
        again = pipeline(other.train).maps[arm]().state_dict()
        assert fitted.keys() == again.keys()
        assert all(torch.equal(fitted[name], again[name]) for name in fitted), arm


@pytest.mark.parametrize("arm", ["quantum-first", "pca", "trained-angles"])
def test_training_curves_do_not_know_the_test_images(arm):
    one, other = (run(trial(arm, data)) for data in (digits(), with_other_test_images(digits())))
    assert one.metrics["test_loss"] != other.metrics["test_loss"]
    assert _training(one) == _training(other)


def _training(measured: Measurements) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name.startswith("train_")} for row in measured.curves]


# -- the circuit in the pipeline ---------------------------------------------------------------------------------------


def test_angles_lie_in_the_range_and_training_angles_fill_it():
    z = latents()
    angles = pipeline(z).angles(z)
    assert angles.shape == (300, 5)
    assert torch.allclose(angles.amin(0), torch.zeros(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(angles.amax(0), torch.full((5,), pi, dtype=torch.float64))
    beyond = pipeline(z).angles(3 * z)
    assert 0 <= beyond.min().item() <= beyond.max().item() <= pi


@pytest.mark.parametrize("arm", [f"{kind}-{mode}" for kind in ("quantum", "no-cnots") for mode in MODES])
def test_the_gap_to_the_closed_form_is_rounding(arm):
    angles = pi * torch.rand(50, 5, generator=torch.Generator().manual_seed(0))
    assert closed_form_gap(arm, angles.double())["closed_form_gap"] < 1e-12
    assert 0 < closed_form_gap(arm, angles)["closed_form_gap"] < 1e-6


def test_other_arms_have_no_such_gap():
    rest = [arm for arm in ARMS if not arm.startswith(("quantum-", "no-cnots-"))]
    assert all(closed_form_gap(arm, torch.zeros(1, 5)) == {} for arm in rest)


def test_closed_form_and_circuit_train_alike():
    """To rounding: the features differ in their last bits."""
    circuit, closed = (run(trial(arm, digits())).metrics for arm in ("quantum-none", "product-none"))
    assert circuit["test_loss"] == pytest.approx(closed["test_loss"], rel=1e-3)
    assert circuit["linear_probe_information"] == pytest.approx(closed["linear_probe_information"], rel=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_readers_that_know_no_order_see_no_cnots(mode):
    one, other = (run(trial(f"{kind}-{mode}", digits())).metrics for kind in ("quantum", "no-cnots"))
    assert one["linear_probe_accuracy"] == other["linear_probe_accuracy"]
    assert one["effective_rank"] == pytest.approx(other["effective_rank"], rel=1e-5)
    assert one["knn_accuracy"] == pytest.approx(other["knn_accuracy"], abs=1 / 80)


def test_each_hadamard_costs_what_neighbours_can_find():
    """On real digits: folding one of five components hurts, folding all of them hurts more; circuits give nothing."""
    (x, y), (held_out, held_out_y) = tensors(load("digits"))
    x, held_out = x.flatten(1).double(), held_out.flatten(1).double()
    varying = x.amin(0) < x.amax(0)
    fitted = pipeline(x[:, varying])
    found = {
        arm: knn_accuracy(
            (fitted.maps[arm]()(x[:, varying]), y), (fitted.maps[arm]()(held_out[:, varying]), held_out_y)
        )
        for arm in ("pca", "quantum-none", "quantum-first", "quantum-all")
    }
    assert found["pca"] > found["quantum-none"] - 0.02
    assert found["quantum-none"] > found["quantum-first"] + 0.02 > found["quantum-all"] + 0.04


def test_trained_angles_start_as_the_frozen_ones_and_their_gradient_is_that_of_shifts():
    z = latents()
    fitted = pipeline(z)
    features = fitted.maps["trained-angles"]()
    linear, quantum = features
    assert torch.allclose(linear(z), fitted.angles(z), atol=1e-10)
    assert torch.allclose(fitted.maps["trained-five"]()(z), fitted.angles(z), atol=1e-10)
    assert torch.allclose(features(z), fitted.maps["quantum-first"]()(z), atol=1e-10)
    weights = torch.randn(32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (features(z) @ weights).sum().backward()
    end_to_end = linear.weight.grad.clone()
    linear.zero_grad()
    shifted = Estimator(quantum.plan, gradient="parameter_shift")
    (shifted(linear(z), torch.zeros(0, dtype=torch.float64)) @ weights).sum().backward()
    assert end_to_end.abs().max().item() > 1e-3
    assert torch.allclose(end_to_end, linear.weight.grad, rtol=1e-9, atol=1e-9 * end_to_end.abs().max().item())


def test_trained_layers_follow_the_fixed_circuit():
    z = latents(dtype=torch.float32)
    fitted = pipeline(z)
    features = fitted.maps["trained-circuit"]()
    layer = features[-1]
    assert isinstance(layer, QuantumLayer)
    assert layer.theta.shape == (30,)
    with torch.no_grad():
        drawn = features(z)
        layer.theta.zero_()
        at_zero = features(z)  # CNOTs are left, which permute the outcomes
    fixed = fitted.maps["quantum-first"]()(z)
    assert torch.allclose(at_zero.sort(dim=1).values, fixed.sort(dim=1).values, atol=1e-6)
    assert (drawn - at_zero).abs().max().item() > 0.01


def test_frequencies_approach_probabilities_with_shots():
    z = latents(dtype=torch.float32)
    fitted = pipeline(z)
    exact = fitted.maps["quantum-first"]()(z)
    torch.manual_seed(0)
    errors = [(fitted.maps[f"shots-{shots}"]()(z) - exact).square().mean().sqrt().item() for shots in SHOTS]
    for error, shots in zip(errors, SHOTS, strict=True):
        expected = (exact * (1 - exact) / shots).mean().sqrt().item()
        assert error == pytest.approx(expected, rel=0.1)


# -- data --------------------------------------------------------------------------------------------------------------


def test_pixels_that_vary_take_the_place_of_latents():
    z = encoded(encoding(digits(), replace(TINY, encoder="pixels")))
    assert z.metrics == {}
    assert 5 < z.train.shape[1] < 64
    assert (z.train.amin(0) < z.train.amax(0)).all()
    assert 0 <= z.train.min().item() < z.train.max().item() <= 1
    measured = run(trial("v1-reupload", digits(), replace(TINY, encoder="pixels"))).metrics
    assert measured["n_features"] == 32


@pytest.mark.parametrize("protocol", [SMALL, STUDY.scales["paper"].protocols["paper"]])
def test_digits_need_no_encoder(protocol: Protocol):
    assert protocol.resolve("pca", "digits", {}).encoder == "pixels"


def test_the_published_sizes():
    assert (PUBLISHED.n_latents, PUBLISHED.n_components) == (64, 5)
    by_hand = (32 * 128 + 128) + 2 * 128 + (128 * 64 + 64) + 2 * 64 + (64 * 10 + 10)
    assert sum(p.numel() for p in classifier(32, 10, 0.3).parameters()) == by_hand


def test_every_number_says_which_version_it_is_from():
    for claim in STUDY.claims:
        if claim.source.provenance == "paper":
            assert "version" in claim.source.where
            assert "v1" in claim.reported or "v2" in claim.reported
    whence = " ".join(STUDY.finding)
    assert all(words in whence for words in ("about 75 %", "about 98 %", "version 2", "version 1", "ours"))
