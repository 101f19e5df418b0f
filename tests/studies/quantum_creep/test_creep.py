"""The acceptance list of the study's card, as far as it is about the whole network; layers have tests of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from replank.datasets import load
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.measure.loss_floor import bounded_logit_floor
from replank.studies.quantum_creep import STUDY
from replank.studies.quantum_creep.model import creep_ladder
from replank.studies.quantum_creep.settings import PUBLISHED, SMOKE
from replank.studies.quantum_creep.trial import framed, strongest_kernels

TINY = replace(SMOKE.settings, channels=(2, 2))
SHAPE = (1, 6, 6)
FLOOR = math.log(1 + 9 / math.e)


@pytest.mark.parametrize(
    ("rung", "colours", "count"),
    [
        ("level-0", 1, 130_394),
        ("level-0", 3, 130_970),
        ("level-1", 1, 133_658),
        ("level-1", 3, 134_618),
        ("level-2", 1, 172_048),
        ("level-2", 3, 173_008),
    ],
)
def test_published_parameter_counts(rung, colours, count):
    model = creep_ladder(PUBLISHED, (colours, 32, 32)).model(rung)
    assert sum(p.numel() for p in model.parameters()) == count


@torch.no_grad()
def _affine_defect(rung: str) -> float:
    model = creep_ladder(TINY, SHAPE).model(rung).double()
    x, y = torch.randn(2, 4, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, b = 0.3, -1.7
    rest = (1 - a - b) * model(torch.zeros_like(x))  # an affine map: f(ax + by) = a f(x) + b f(y) + (1 - a - b) f(0)
    return (model(a * x + b * y) - a * model(x) - b * model(y) - rest).abs().max().item()


@pytest.mark.parametrize("rung", ["level-0", "level-1", "level-1-complex", "1a-symmetric-psd", "1b-mean-conv"])
def test_levels_0_and_1_are_affine(rung):
    assert _affine_defect(rung) < 1e-12


@pytest.mark.parametrize("rung", ["level-2", "2a-head-only", "2d-logit-scale"])
def test_level_2_is_not_affine(rung):
    assert _affine_defect(rung) > 1e-3


@pytest.mark.parametrize("arm", [arm.name for arm in STUDY.arms])
def test_what_is_not_swapped_starts_bit_identical(arm):
    ladder = creep_ladder(TINY, SHAPE)
    swapped = {slot for each in ladder.rungs[arm] for slot in ([each.slots] if each.slots == "head" else each.slots)}
    host, model = ladder.model("level-0", seed=3).state_dict(), ladder.model(arm, seed=3).state_dict()
    kept = [name for name in host if name.split(".")[0] not in swapped]
    assert kept or swapped == {"conv1", "conv2", "head"}
    assert all(torch.equal(host[name], model[name]) for name in kept)


@pytest.mark.parametrize("arm", ["level-2", "1c-frozen-quanv", "2c-frozen-circuit", "2f-same-size"])
def test_arms_with_quanvolutions_start_with_the_same_ones(arm):
    first, second = (creep_ladder(TINY, SHAPE).model(each, seed=1) for each in ("level-1", arm))
    assert torch.equal(first.conv1.theta, second.conv1.theta)
    assert torch.equal(first.conv2.theta, second.conv2.theta)


def _blobs(n_classes: int = 10, each: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Easy images: classes far apart, so that every loss can go down."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(n_classes, *SHAPE, generator=generator) * 2 - 1
    y = torch.arange(n_classes).repeat(each)
    return centres[y] + 0.02 * torch.randn(len(y), *SHAPE, generator=generator), y


def _least_loss(rung: str, lr: float, epochs: int) -> float:
    x, y = _blobs()
    model = creep_ladder(replace(TINY, n_reps=2), SHAPE).model(rung)
    feed = TensorFeed(x, y, batch_size=20)
    budget = Budget(epochs, lambda parameters: torch.optim.Adam(parameters, lr=lr))
    measured = train(model, Classification(), feed, feed, budget, seed=0, progress=lambda *_: None)
    return measured.metrics["least_train_loss"]


@pytest.mark.parametrize("rung", ["level-2", "2a-head-only", "2c-frozen-circuit", "2b-softmax-linear"])
def test_bounded_logits_can_not_go_below_the_floor(rung):
    assert _least_loss(rung, lr=0.05, epochs=60) >= FLOOR


def test_the_floor_is_near_what_training_reaches():
    """So that the floor is no bound that nothing ever comes close to."""
    assert _least_loss("2b-softmax-linear", lr=0.05, epochs=60) < FLOOR + 0.15


@pytest.mark.parametrize("rung", ["level-2-complex", "level-0", "2d-logit-scale"])
def test_unbounded_logits_can(rung):
    assert _least_loss(rung, lr=0.02, epochs=80) < FLOOR


def test_floor_of_ten_balanced_classes_is_the_published_one():
    assert bounded_logit_floor([1 / 10] * 10) == pytest.approx(1.46115, abs=1e-5)
    assert bounded_logit_floor([1 / 10] * 10) == pytest.approx(FLOOR, abs=1e-12)


def test_padding_is_black_and_comes_before_scaling():
    x = framed(torch.ones(1, 1, 28, 28), "pad")
    assert x.shape == (1, 1, 32, 32)
    assert torch.equal(x[0, 0, 2:-2, 2:-2], torch.ones(28, 28))
    assert (x[0, 0, :2] == -1).all()
    assert (x[0, 0, :, -2:] == -1).all()


def test_halving_averages_and_keeps_the_range():
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x = framed(images, "halve")
    assert x.shape == (3, 3, 16, 16)
    assert x.mean().item() == pytest.approx(images.mean().item() * 2 - 1, abs=1e-6)
    assert torch.equal(framed(images, "pad"), framed(images, "keep"))  # CIFAR-10 has the size already


def test_strongest_kernels_are_sorted_and_within_the_constraint():
    kernels = torch.from_numpy(strongest_kernels(creep_ladder(SMOKE.settings, (1, 8, 8)).model("level-1"))).double()
    norms = kernels.flatten(1).norm(dim=1)
    assert kernels.shape == (10, 3, 3)
    assert (norms[:-1] >= norms[1:]).all()
    assert torch.allclose(kernels, kernels.mT, atol=1e-6)
    assert (torch.linalg.eigvalsh(kernels) > -1e-6).all()


def test_every_rung_trains_on_the_device_of_its_input():
    for name, model in creep_ladder(TINY, SHAPE).models():
        loss = functional.cross_entropy(model(torch.zeros(3, *SHAPE)), torch.tensor([0, 1, 2]))
        loss.backward()
        assert any(p.grad is not None and p.grad.any() for p in model.parameters()), name


def test_same_size_head_has_no_more_parameters_than_level_2s():
    for settings, shape in ((PUBLISHED, (1, 32, 32)), (TINY, SHAPE)):
        ladder = creep_ladder(settings, shape)
        rival, quantum = (ladder.model(arm).head for arm in ("2f-same-size", "level-2"))
        assert sum(p.numel() for p in rival.parameters()) <= sum(p.numel() for p in quantum.parameters())
    assert isinstance(creep_ladder(PUBLISHED).model("2f-same-size").head, nn.Linear)


def test_no_part_of_mnist_is_called_mnist():
    title = load("mnist5k").card.title
    assert "mnist5k" in title
    assert not title.startswith("MNIST")
