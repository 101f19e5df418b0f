"""The acceptance list of the study's card, as far as it is about the study; circuits have tests of their own."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from replank.circuits import OnSpectra, QuantumLayer
from replank.datasets import load
from replank.errors import DataError
from replank.lab.cells import cells
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.measure.classification import accuracy
from replank.studies.hamiltonian_embedding import STUDY
from replank.studies.hamiltonian_embedding.data import framed, selected, split_anew
from replank.studies.hamiltonian_embedding.model import BUILDERS, build, symmetrised
from replank.studies.hamiltonian_embedding.settings import CT, DIGITS, IMAGES, SMOKE
from replank.studies.hamiltonian_embedding.trial import batch_mean_accuracy, initial, probability_floor, step_factor

ARMS = [arm.name for arm in STUDY.arms]
TINY = replace(DIGITS, n_layers=3)


def n_parameters(arm: str, settings, side: int) -> tuple[int, int]:
    """Allocated and effective."""
    model = build(arm, settings, side)
    return sum(each.numel() for each in model.module.parameters()), model.n_effective


@pytest.mark.parametrize(
    ("arm", "settings", "side", "allocated", "effective"),
    [
        ("embedding", DIGITS, 8, 465, 240),
        ("embedding-untied", DIGITS, 8, 465, 465),
        ("embedding", IMAGES, 32, 10_240, 10_240),
        ("layers-20", replace(IMAGES, n_layers=20), 32, 20_480, 20_480),
        ("embedding", CT, 32, 122, 122),
        ("qcnn", DIGITS, 8, 81, 81),
        ("qcnn", IMAGES, 32, 99, 93),
        ("frozen-blocks", DIGITS, 8, 465, 15),
        ("full-blocks", DIGITS, 8, 960, 960),
        ("ry-cnot-blocks", DIGITS, 8, 240, 240),
        ("two-blocks", DIGITS, 8, 690, 690),
        ("amplitude", DIGITS, 8, 450, 450),
        ("angle", DIGITS, 8, 450, 450),
        ("logistic", DIGITS, 8, 520, 520),
        ("logistic-symmetrised", DIGITS, 8, 296, 296),
        ("softmax-linear", DIGITS, 8, 512, 512),
    ],
)
def test_parameter_counts(arm, settings, side, allocated, effective):
    assert n_parameters(arm, settings, side) == (allocated, effective)


@pytest.mark.parametrize(
    ("arm", "settings", "side", "rival"),
    [
        ("mlp", DIGITS, 8, "embedding"),
        ("mlp-untied", DIGITS, 8, "embedding-untied"),
        ("linear-same-size", DIGITS, 8, "embedding"),
        ("mlp", IMAGES, 32, "embedding"),
        ("mlp", CT, 32, "embedding"),
    ],
)
def test_rivals_of_the_same_size_are_not_larger(arm, settings, side, rival):
    own, budget = n_parameters(arm, settings, side)[1], n_parameters(rival, settings, side)[1]
    one_unit = side * side + settings.n_classes + 1  # a single hidden unit of 1,024 inputs has more weights than 122
    assert own <= max(budget, one_unit + settings.n_classes)
    assert own > budget - one_unit


def images(n: int = 12, side: int = 8) -> torch.Tensor:
    return torch.rand(n, side, side, generator=torch.Generator().manual_seed(0)) + 0.01


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_gives_scores_and_trains(arm):
    model = initial(arm, TINY, 8, seed=0)
    scores = model.module(model.view(images()))
    assert scores.shape == (12, 8)
    functional.cross_entropy(scores, torch.arange(12) % 8).backward()
    assert any(each.grad is not None and each.grad.any() for each in model.module.parameters())


def test_arms_and_builders_are_the_same():
    assert list(BUILDERS) == ARMS


@pytest.mark.parametrize(
    "arm", ["qcnn", "embedding", "amplitude", "angle", "softmax-linear", "two-blocks", "hermitian"]
)
def test_scores_are_probabilities(arm):
    model = initial(arm, TINY, 8, seed=0)
    scores = model.module(model.view(images()))
    assert (scores >= -1e-6).all()
    assert (scores.sum(-1) <= 1 + 1e-5).all()


def test_half_of_the_tied_angles_get_no_gradient():
    model = initial("embedding", TINY, 8, seed=0)
    model.module(model.view(images())).square().sum().backward()
    gradient = model.module.classifier.block.theta.grad
    assert torch.count_nonzero(gradient[:, 1]) == 0
    assert torch.count_nonzero(gradient[:, 0]) > 40


def test_each_pixel_goes_in_once_as_an_angle():
    layer = next(each for each in build("angle", DIGITS, 8).module if isinstance(each, QuantumLayer))
    used = [v.index for op in layer.plan.circuit for angle in op.angles for v in angle.variables() if v.kind == "x"]
    assert used == list(range(64))


def test_only_one_arm_starts_alike_for_all_seeds():
    for arm, same in (("embedding", False), ("embedding-one-start", True)):
        first, second = (list(initial(arm, TINY, 8, seed).module.parameters()) for seed in (1, 2))
        assert all(torch.equal(a, b) == same for a, b in zip(first, second, strict=True))


def test_conjugation_keeps_spectra_and_shuffling_does_not():
    x = images()
    plain, turned, moved = (
        initial(arm, TINY, 8, 0).view(x) for arm in ("embedding-untied", "conjugated", "shuffled-pixels")
    )
    assert torch.equal(plain[:, 0], turned[:, 0])
    assert not torch.allclose(plain[:, 1:].abs(), turned[:, 1:].abs(), atol=1e-3)
    assert not torch.allclose(plain[:, 0], moved[:, 0], atol=1e-3)
    torch.testing.assert_close(moved[:, 0].square().sum() > 0, torch.tensor(True))


def test_symmetrised_pixels_are_what_the_embedding_keeps():
    x = images()
    assert torch.equal(symmetrised(x), symmetrised(x.mT))
    assert symmetrised(x).shape == (12, 36)


# -- the floor ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_classes", "published"), [(8, 1.27401), (2, 0.31326)])
def test_the_floor_is_the_published_number(n_classes, published):
    assert probability_floor(n_classes) == pytest.approx(math.log(1 + (n_classes - 1) / math.e), abs=1e-12)
    assert probability_floor(n_classes) == pytest.approx(published, abs=1e-5)


def test_no_probabilities_go_below_the_floor_whatever_the_labels():
    generator = torch.Generator().manual_seed(0)
    sharp = torch.distributions.Dirichlet(torch.full((8,), 0.05)).sample((2000,))
    for labels in (
        sharp.argmax(-1),
        torch.zeros(2000, dtype=torch.long),
        torch.randint(8, (2000,), generator=generator),
    ):
        assert functional.cross_entropy(sharp.double(), labels) >= probability_floor(8)
    perfect = torch.eye(8, dtype=torch.float64)[:1].expand(50, -1)  # one class alone: no bias can make it easier
    assert functional.cross_entropy(perfect, torch.zeros(50, dtype=torch.long)).item() == pytest.approx(
        probability_floor(8)
    )


def _least_loss(arm: str, lr: float, epochs: int) -> float:
    x = images(16)
    y = torch.arange(16) % 8
    model = initial(arm, TINY, 8, seed=0)
    feed = TensorFeed(model.view(x), y, batch_size=16)
    budget = Budget(epochs, functools.partial(torch.optim.Adam, lr=lr), evaluate_every=20)
    measured = train(model.module, Classification(), feed, feed, budget, seed=0, progress=lambda *_: None)
    return measured.metrics["least_train_loss"]


@pytest.mark.parametrize("arm", ["embedding", "embedding-untied", "full-blocks", "qcnn", "softmax-linear"])
def test_bounded_scores_stay_above_the_floor(arm):
    assert _least_loss(arm, lr=0.1, epochs=100) >= probability_floor(8)


def test_the_floor_is_near_what_training_reaches():
    assert _least_loss("full-blocks", lr=0.1, epochs=200) < probability_floor(8) + 0.25


@pytest.mark.parametrize("arm", ["logistic", "logistic-symmetrised"])
def test_unbounded_scores_break_it(arm):
    assert _least_loss(arm, lr=0.1, epochs=200) < probability_floor(8)


# -- data and protocol -------------------------------------------------------------------------------------------------


def test_pixels_are_padded_and_not_centred():
    x = framed(torch.ones(2, 1, 28, 28))
    assert x.shape == (2, 32, 32)
    assert torch.equal(x[:, 2:-2, 2:-2], torch.ones(2, 28, 28))
    assert x.sum() == 2 * 28 * 28


def test_digits_are_split_anew_by_each_seed():
    digits = load("digits")
    first, again, other = (selected(digits, replace(DIGITS, n_test=243), seed) for seed in (0, 0, 1))
    assert (len(first.train_y), len(first.test_y)) == (1200, 243)  # all 1,443 images of the classes 0 to 7
    assert set(first.train_y) == set(range(8))
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    together = np.concatenate((first.train_x, first.test_x)).reshape(1443, -1)
    everything = np.concatenate((digits.train_x, digits.test_x)).reshape(1797, -1)
    kept = everything[np.concatenate((digits.train_y, digits.test_y)) < 8]
    assert np.array_equal(np.sort(together.sum(1)), np.sort(kept.sum(1)))


@pytest.mark.parametrize(("n_train", "n_test"), [(1400, 400), (0, 10), (10, 0)])
def test_more_images_than_there_are_or_none_can_not_be_split(n_train, n_test):
    with pytest.raises(DataError, match="at least 1 and at most 1797 together"):
        split_anew(load("digits"), n_train, n_test, seed=0)


def test_images_of_a_hosted_set_are_drawn_by_the_seed():
    data = selected(load("mnist5k"), replace(IMAGES, n_train=400), seed=3)
    assert (data.card.n_train, data.card.n_test) == (400, 800)
    assert data.card.classes == tuple("01234567")


def test_colours_are_refused():
    digits = load("digits")
    colours = replace(digits, card=replace(digits.card, shape=(3, 8, 8)))
    with pytest.raises(DataError, match="must be grey, got 3 channels"):
        selected(colours, DIGITS, seed=0)


def test_the_published_accuracy_lets_a_small_last_batch_count_for_more():
    labels = torch.zeros(8017, dtype=torch.long)
    logits = torch.zeros(8017, 8)
    logits[:, 0] = 1.0
    logits[-17:, 1] = 2.0  # wrong in the last batch alone
    assert batch_mean_accuracy(logits, labels) == pytest.approx(8 / 9)
    assert accuracy(logits, labels) == pytest.approx(8000 / 8017)
    assert batch_mean_accuracy(logits[:8000], labels[:8000]) == accuracy(logits[:8000], labels[:8000])


def test_step_sizes_follow_the_published_schedules():
    assert step_factor(IMAGES, 0, 4800) == 1
    assert step_factor(IMAGES, 250, 4800) == pytest.approx(0.99**2.5)
    assert step_factor(CT, 500, 500) == pytest.approx(0.99)
    cosine = replace(IMAGES, schedule="cosine")
    assert [step_factor(cosine, step, 10) for step in (0, 5, 10)] == pytest.approx([1, 0.975, 0.95])


@pytest.mark.parametrize("scale", ["smoke", "small", "paper"])
def test_every_arm_of_a_claim_runs_in_its_protocols(scale, tmp_path):
    """So that no claim is left untested by a forgotten arm; without files, too."""
    planned = cells(STUDY, scale, datasets=STUDY.scale(scale).datasets)
    for protocol in STUDY.scale(scale).protocols:
        arms = {cell.arm for cell in planned if cell.protocol == protocol}
        assert {"qcnn", "embedding", "logistic", "softmax-linear"} <= arms
    assert {cell.dataset for cell in cells(STUDY, "small", folder=tmp_path)} == {"digits", "mnist5k"}


def test_layers_are_as_many_as_the_arm_says():
    found = {cell.arm: cell.settings.n_layers for cell in cells(STUDY, "small", datasets=("digits",))}
    assert {name: found[name] for name in found if name.startswith("layers-")} == {
        "layers-2": 2,
        "layers-5": 5,
        "layers-10": 10,
        "layers-20": 20,
    }
    assert found["embedding"] == 15


def test_models_of_the_embedding_take_precomputed_images():
    assert isinstance(build("embedding", SMOKE.settings, 8).module, OnSpectra)
