"""The acceptance list of the card, as far as it is about whole models; attacks and parts have tests elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from replank.circuits import DensityMatrix
from replank.circuits.noise import depolarising
from replank.datasets import load
from replank.datasets.aubry_andre import aubry_andre_states
from replank.lab.shortcut_baseline import shortcut_accuracy
from replank.measure import accuracy, bim, fgsm, pgd, random_noise_like, robust_accuracy
from replank.parts.linear import InterleavedQuantumLinear, QuantumLinear
from replank.seeding import torch_stream
from replank.studies.quantum_adversarial import STUDY
from replank.studies.quantum_adversarial.data import feeds, pair, resized
from replank.studies.quantum_adversarial.heads import (
    HEADS,
    STATE_HEADS,
    GlobalDepolarising,
    LogOdds,
    LogOutcomes,
    StateClassifier,
    image_classifier,
    kept_by_noise,
    state_classifier,
)
from replank.studies.quantum_adversarial.image_trial import consistency, disturbance, robustness, strongest
from replank.studies.quantum_adversarial.settings import BY_DATASET, IMAGES, SCALES, STATES, ImageSettings
from replank.studies.quantum_adversarial.training import fitted

F64 = torch.float64
TINY = replace(IMAGES, side=4, n_qubits=3, n_blocks=2, readout=1)
DIGITS = replace(IMAGES, **BY_DATASET["digits"])


def pixels(n=6, side=4, seed=0):
    return torch.rand(n, 1, side, side, generator=torch_stream(seed, "pixels"))


def count(module):
    return sum(each.numel() for each in module.parameters())


# -- heads -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "parameters"),
    [("interleaved", 270), ("amplitude", 216), ("logistic", 257), ("mlp", 261), ("mlp-16", 4146), ("cnn", 10_862)],
)
def test_sizes(head, parameters):
    assert count(image_classifier(replace(IMAGES, head=head), 0)) == parameters


@pytest.mark.parametrize("head", HEADS)
def test_every_head_gives_log_probabilities_and_a_gradient(head):
    model = image_classifier(replace(TINY, head=head), 0)
    x = pixels().requires_grad_()
    logs = model(x)
    torch.testing.assert_close(logs.exp().sum(1), torch.ones(6))
    (gradient,) = torch.autograd.grad(functional.cross_entropy(logs, torch.tensor([0, 1] * 3)), x)
    assert gradient.abs().amax((1, 2, 3)).min() > 0


@pytest.mark.parametrize("head", HEADS)
@torch.no_grad()
def test_normalisation_is_part_of_the_model(head):
    model = image_classifier(replace(TINY, head=head), 0)
    torch.testing.assert_close(model(pixels()), model(pixels() / 2), atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="must not all be 0, got 1 such samples"):
        model(torch.cat((pixels(), torch.zeros(1, 1, 4, 4))))


def test_heads_of_one_seed_start_alike_whatever_they_are_trained_on():
    same = [image_classifier(replace(TINY, head="interleaved", **change), 3)
            for change in ({}, {"training": "adversarial"}, {"depolarised": True})]  # fmt: skip
    assert all(torch.equal(same[0].head.layer.theta, each.head.layer.theta) for each in same)
    assert not torch.equal(
        same[0].head.layer.theta, image_classifier(replace(TINY, head="interleaved"), 4).head.layer.theta
    )


@torch.no_grad()
def test_the_amplitude_circuit_reads_the_qubit_that_is_asked_for():
    settings = replace(TINY, head="amplitude", readout=2)
    model = image_classifier(settings, 0).double()
    part = model.head.circuit
    assert isinstance(part, QuantumLinear)
    assert part.design.n_qubits == 4
    features = pixels().double().flatten(1)
    blocks = part.design.circuit()
    mean = blocks.plan(DensityMatrix((0,)))(features, part.layer.theta.detach())  # after the swap qubit 2 is qubit 0
    z = (mean[:, 0, 0] - mean[:, 1, 1]).real
    torch.testing.assert_close(model(pixels().double()).exp()[:, 0], (1 + z) / 2, atol=1e-6, rtol=0)


def test_read_outs_are_probabilities():
    score = torch.tensor([[-40.0], [0.0], [3.0]])
    torch.testing.assert_close(LogOdds()(score).exp()[:, 1], torch.sigmoid(score[:, 0]))
    mean = torch.tensor([[-1.0], [0.0], [1.0 + 1e-7]])
    logs = LogOutcomes()(mean)
    assert logs.isfinite().all()
    torch.testing.assert_close(logs.exp(), torch.tensor([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]), atol=1e-6, rtol=0)


# -- noise -------------------------------------------------------------------------------------------------------------


def test_what_noise_leaves_is_the_product_over_gates():
    circuit = InterleavedQuantumLinear(256, 2).circuit()
    assert kept_by_noise(circuit) == pytest.approx((1 - 0.0006) ** 270 * (1 - 0.006) ** 81)
    assert kept_by_noise(circuit, 0, 0) == 1


def test_global_noise_moves_no_prediction_and_keeps_probabilities():
    logs = torch.log_softmax(5 * torch.randn(200, 2, generator=torch_stream(0, "logs"), dtype=F64), 1)
    noisy = GlobalDepolarising(0.52)(logs)
    torch.testing.assert_close(noisy.exp(), 0.52 * logs.exp() + 0.24)
    assert torch.equal(noisy.argmax(1), logs.argmax(1))


def test_global_noise_is_depolarising_noise_on_a_register_of_one_qubit():
    # one qubit: the channel with error probability p keeps 1 - 4p/3 and replaces the rest by the mixed state
    part = InterleavedQuantumLinear(3, 2, bias=False, n_qubits=1, n_blocks=1, dtype=F64)
    features = torch.rand(4, 3, dtype=F64)
    circuit = part.circuit().append(depolarising(0.3, 0))
    rho = circuit.plan(DensityMatrix((0,)))(features, part.layer.theta.detach())
    expected = torch.stack((rho[:, 0, 0], rho[:, 1, 1]), 1).real
    found = GlobalDepolarising(1 - 4 * 0.3 / 3)(part(features)).exp().detach()
    torch.testing.assert_close(found, expected)


def test_signs_of_gradients_do_not_see_global_noise():
    clean = image_classifier(replace(TINY, head="interleaved"), 0).double()
    noisy = image_classifier(replace(TINY, head="interleaved", depolarised=True), 0).double()
    x, y = pixels().double(), torch.tensor([0, 1] * 3)
    assert torch.equal(fgsm(clean, x, y, eps=0.1), fgsm(noisy, x, y, eps=0.1))


@pytest.mark.parametrize("kept", [0.0, 1.0, -0.5])
def test_noise_that_leaves_nothing_or_all_is_refused(kept):
    with pytest.raises(ValueError, match=r"`kept` must be in \(0, 1\)"):
        GlobalDepolarising(kept)


# -- states ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", STATE_HEADS)
def test_state_classifiers_are_differentiable_in_the_states(head):
    settings = replace(STATES, head=head, n_qubits=4, n_blocks=2, readout=1)
    model = state_classifier(settings, 0)
    states = aubry_andre_states(5, 4, seed=0).states.requires_grad_()
    logs = model(states)
    torch.testing.assert_close(logs.exp().sum(1), torch.ones(5, dtype=F64))
    (gradient,) = torch.autograd.grad(logs[:, 0].sum(), states)
    assert gradient.abs().max() > 0


def test_the_network_of_means_has_no_more_parameters_than_the_circuit():
    for n in (4, 8, 10):
        settings = replace(STATES, n_qubits=n)
        circuit, network = (count(state_classifier(replace(settings, head=head), 0)) for head in ("circuit", "mlp"))
        assert circuit == 27 * n
        assert circuit - (n + 3) < network <= circuit


def test_a_state_classifier_refuses_what_is_not_normalised():
    model = StateClassifier(3, 1, 0, dtype=F64)
    states = aubry_andre_states(2, 3, seed=0).states
    with pytest.raises(ValueError, match="states must have norm 1"):
        model(1.00001 * states)


# -- data --------------------------------------------------------------------------------------------------------------


def test_area_resizing_is_a_mean_and_bilinear_keeps_the_range():
    x = pixels(side=64)
    torch.testing.assert_close(resized(x, 16, "area"), functional.avg_pool2d(x, 4))
    larger = resized(pixels(side=8), 16, "bilinear")
    assert larger.shape == (6, 1, 16, 16)
    assert 0 <= larger.min() <= larger.max() <= 1
    assert float(resized(torch.full((1, 1, 8, 8), 0.3), 16, "bilinear").std()) == pytest.approx(0, abs=1e-6)


def test_digits_are_three_and_eight_and_all_test_images_are_used():
    data = pair(load("digits"), DIGITS, 0)
    assert data.card.classes == ("3", "8")
    assert (data.card.n_train, data.card.n_test) == (240, 72)
    training, test = feeds(data, DIGITS, torch.device("cpu"))
    assert training.x.shape == (240, 1, 16, 16)
    assert set(test.y.tolist()) == {0, 1}


def test_pixels_can_be_read_column_by_column():
    data = pair(load("digits"), DIGITS, 0)
    rows, columns = (
        feeds(data, replace(DIGITS, pixel_order=order), torch.device("cpu"))[0].x for order in ("rows", "columns")
    )
    assert torch.equal(rows.flatten(1), columns.mT.flatten(1))
    assert not torch.equal(rows, columns)


def test_adam_without_memory_takes_steps_of_one_size_and_with_it_smaller_ones():
    settings = replace(DIGITS, head="logistic", lr=0.01, iterations=5)  # one epoch of five batches
    sets = feeds(pair(load("digits"), settings, 0), settings, torch.device("cpu"))
    moved = {}
    for forgetful in (True, False):
        own = replace(settings, forgetful=forgetful)
        model = image_classifier(own, 0)
        before = model.head.linear.bias.item()
        measured = fitted(model, sets, own, None, seed=0, progress=lambda *_: None)
        assert measured.metrics["train_steps"] == 5
        moved[forgetful] = (model.head.linear.bias.item() - before) / 0.01
    assert moved[True] == pytest.approx(round(moved[True]), abs=1e-2)  # so many steps up less so many down
    assert round(moved[True]) % 2 == 1
    assert abs(moved[False] - round(moved[False])) > 1e-2


# -- robustness --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """Interleaved circuits on digits, trained on clean images and on attacked ones, with test images."""
    found = {}
    for training in ("standard", "adversarial"):
        settings = replace(DIGITS, head="interleaved", training=training)
        sets = feeds(pair(load("digits"), settings, 0), settings, torch.device("cpu"))
        model = image_classifier(settings, 0)
        disturb = disturbance(model, settings)
        measured = fitted(model, sets, settings, disturb, seed=0, progress=lambda *_: None)
        test = sets[1]
        attacked = strongest(model, test.x, test.y, eps=settings.eps, settings=settings)
        found[training] = (model, measured.metrics, robustness(model, test, attacked, settings, 0), test)
    return found


def test_an_attack_deceives_the_circuit_and_noise_of_its_size_does_not(trained):
    _, metrics, found, _ = trained["standard"]
    assert metrics["test_accuracy"] > 0.9
    assert found["drop_in_accuracy_attack_pgd"] > 0.4
    assert found["drop_in_accuracy_noise_equal"] <= 0.05


def test_adversarial_training_makes_it_more_robust_at_every_strength(trained):
    # by how much, over seeds and against noise, is a claim of the study: 72 images of one seed say little
    standard, adversarial = (trained[training][2] for training in ("standard", "adversarial"))
    for eps in (0.05, 0.1):
        name = f"test_accuracy_attack_pgd_{eps:g}"
        assert adversarial[name] > standard[name]
    assert trained["adversarial"][1]["test_accuracy"] > 0.85


def test_wider_balls_and_more_steps_never_help_the_classifier(trained):
    for _, _, found, _ in trained.values():
        by_level = [found[f"test_accuracy_attack_pgd_{eps:g}"] for eps in IMAGES.levels]
        assert all(wide <= narrow + 0.02 for narrow, wide in pairwise(by_level))
        for eps in IMAGES.levels:
            pgd_accuracy = found[f"test_accuracy_attack_pgd_{eps:g}"]
            assert pgd_accuracy <= found[f"test_accuracy_attack_fgsm_{eps:g}"] + 0.02
            assert f"test_accuracy_noise_{eps:g}" in found  # the control row beside every attack
        assert found["pgd_minus_fgsm_accuracy"] <= 0.02


def test_random_starts_find_nothing_much_worse(trained):
    model, _, found, test = trained["standard"]
    restarted = partial(pgd, eps=0.1, alpha=0.025, steps=20, seed=5)
    assert robust_accuracy(model, test.x, test.y, restarted) >= found["test_accuracy_attack_pgd"] - 0.03


def test_the_attack_stays_among_pixels(trained):
    model, _, _, test = trained["standard"]
    moved = strongest(model, test.x, test.y, eps=0.1, settings=IMAGES)
    assert 0 <= moved.min() <= moved.max() <= 1
    assert (moved - test.x).abs().max() <= 0.1 + 1e-6
    assert torch.equal(moved, bim(model, test.x, test.y, eps=0.1, alpha=0.025, steps=10))


def test_consistency_measures_what_it_says():
    assert consistency({0.0: 1.0, 0.1: 0.5}, {0.0: 1.0, 0.1: 0.4}) == {
        "pgd_minus_fgsm_accuracy": 0.0,
        "rise_with_level_accuracy": pytest.approx(-0.6),
    }
    assert consistency({0.0: 0.3, 0.1: 0.3}, {0.0: 0.3, 0.1: 0.5})["rise_with_level_accuracy"] == pytest.approx(0.2)


@pytest.mark.parametrize("training", ["standard", "adversarial", "augmented"])
def test_half_of_a_batch_is_disturbed_as_strongly_as_the_settings_say(training):
    settings = replace(TINY, head="logistic", training=training)
    model = image_classifier(settings, 0)
    disturb = disturbance(model, settings)
    if training == "standard":
        assert disturb is None
        return
    x, y = pixels(), torch.tensor([0, 1] * 3)
    moved = disturb(x, y, 1)
    assert 0 <= moved.min() <= moved.max() <= 1
    assert float((moved - x).abs().max()) == pytest.approx(0.1, abs=1e-6)
    loss = [functional.cross_entropy(model(each), y) for each in (x, moved)]
    if training == "adversarial":
        assert loss[1] > loss[0]
    else:
        expected = (x + random_noise_like(torch.full_like(x, 0.1), seed=1)).clamp(0, 1)
        assert torch.equal(moved, expected)


# -- the study ---------------------------------------------------------------------------------------------------------


def test_no_word_of_medicine_stands_where_no_such_file_was_loaded():
    texts = [STUDY.title, STUDY.question, *STUDY.finding, STUDY.contrast.says]
    texts += [f"{arm.name} {arm.about}" for arm in STUDY.arms]
    texts += [f"{claim.statement} {claim.reported} {claim.source}" for claim in STUDY.claims]
    texts += [f"{figure.title} {figure.caption}" for figure in STUDY.figures]
    texts += [f"{name} {each.about}" for scale in SCALES.values() for name, each in scale.protocols.items()]
    assert not [text for text in texts if "mri" in text.lower() or "medic" in text.lower()]


def test_every_set_says_which_two_classes_and_has_enough_images():
    for scale in SCALES.values():
        for name, protocol in scale.protocols.items():
            for dataset in ("digits", "mnist10k", "fashion_mnist", "medical_mnist", "brain_tumor_mri"):
                if protocol.makes_its_data or not protocol.is_for_dataset(dataset):
                    continue
                settings = protocol.resolve("interleaved" if name != "transfer" else "transfer", dataset, {})
                assert isinstance(settings, ImageSettings)
                assert settings.eps in settings.levels
                assert settings.side**2 <= 3 * settings.n_qubits * settings.n_blocks


def test_the_words_noise_and_device_are_honest():
    noisy = [arm.about for arm in STUDY.arms if "depolarised" in arm.name]
    assert len(noisy) == 2
    assert all("simulated noise, not hardware" in about for about in noisy)


def test_a_shortcut_is_found_where_classes_differ_in_brightness():
    data = load("digits").of_classes((3, 8))
    brighter = replace(data, train_x=data.train_x // 2 + 8 * data.train_y[:, None, None, None].astype(np.uint8),
                       test_x=data.test_x // 2 + 8 * data.test_y[:, None, None, None].astype(np.uint8))  # fmt: skip
    assert shortcut_accuracy(data) < 0.9
    assert shortcut_accuracy(brighter) > 0.97


def test_a_model_that_says_one_thing_is_neither_accurate_nor_deceived():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.log(torch.tensor([0.7, 0.3])).expand(len(x), 2) + 0 * x.flatten(1)[:, :2]

    x, y = pixels(), torch.tensor([0, 1] * 3)
    assert accuracy(Constant()(x), y) == robust_accuracy(Constant(), x, y, partial(fgsm, eps=0.1)) == 0.5
    assert math.isclose(float(functional.cross_entropy(Constant()(x), y * 0)), -math.log(0.7), rel_tol=1e-6)
