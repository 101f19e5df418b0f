from __future__ import annotations

import itertools
import math
import warnings

import pytest
import torch
from scipy import stats
from torch import nn

from replank.measure import bim, clamp_only, fgsm, pgd, random_noise_like


def smooth(n_inputs: int, n_classes: int = 3) -> nn.Sequential:
    """A classifier whose gradient changes from point to point."""
    torch.manual_seed(7)
    return nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 8), nn.Tanh(), nn.Linear(8, n_classes)).double()


@pytest.fixture
def images() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Two-channel images in [0, 1], some pixels black or white, and a model that takes them normalised."""
    stream = torch.Generator().manual_seed(2)
    x = torch.rand(40, 2, 3, 3, dtype=torch.float64, generator=stream).mul(1.4).sub(0.2).clamp(0, 1)
    return smooth(18), x, torch.randint(0, 3, (40,), generator=stream)


MEAN, STD = (0.2, 0.6), (0.3, 0.5)
NORMALISED = {"mean": MEAN, "std": STD}


def normalised(x: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(values, dtype=x.dtype).view(-1, 1, 1) for values in (MEAN, STD))
    return (x - mean) / std


def losses(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return nn.functional.cross_entropy(model(normalised(x)), y, reduction="none")


NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])
STARTS = pytest.mark.parametrize("random_start", [True, False], ids=["random start", "own start"])


@NORMS
@STARTS
def test_no_radius_no_change(images, norm, random_start):
    found = pgd(*images, eps=0, alpha=0.1, steps=3, norm=norm, random_start=random_start, **NORMALISED)
    assert torch.equal(found, images[1])


@NORMS
@STARTS
@pytest.mark.parametrize("eps", [0.05, 0.3, 2.0])
def test_attacks_stay_in_ball_and_box(images, norm, random_start, eps):
    model, x, y = images
    found = pgd(model, x, y, eps=eps, alpha=eps / 2, steps=7, norm=norm, random_start=random_start, **NORMALISED)
    moved = (found - x).flatten(1)
    distance = moved.abs().amax(1) if norm == "linf" else moved.norm(dim=1)
    assert found.min() >= 0
    assert found.max() <= 1
    assert distance.max() <= eps + 1e-12
    assert distance.max() > 0.9 * min(eps, 1)  # the ball is used


@NORMS
def test_random_starts_fill_the_ball(images, norm):
    # at a step that is much smaller than the ball the start is what is seen; bounds far away
    model, x, y = images
    found = pgd(model, x, y, eps=1.0, alpha=1e-9, steps=1, norm=norm, bounds=(-9, 9), seed=3)
    moved = (found - x).flatten(1)
    if norm == "linf":
        assert moved.std() == pytest.approx(3**-0.5, rel=0.05)  # uniform in [-1, 1]
    else:
        # the 18th power of the length is uniform in [0, 1]
        assert stats.kstest(moved.norm(dim=1).numpy() ** 18, "uniform").pvalue > 0.01
    other = pgd(model, x, y, eps=1.0, alpha=1e-9, steps=1, norm=norm, bounds=(-9, 9), seed=4)
    assert not torch.equal(found, other)


def test_one_step_of_full_length_is_fgsm(images):
    model, x, y = images
    one_step = pgd(model, x, y, eps=0.1, alpha=0.1, steps=1, random_start=False, **NORMALISED)
    assert torch.equal(fgsm(model, x, y, eps=0.1, **NORMALISED), one_step)
    inputs = x.clone().requires_grad_()
    nn.functional.cross_entropy(model(normalised(inputs)), y).backward()
    assert torch.allclose(one_step, (x + 0.1 * inputs.grad.sign()).clamp(0, 1), atol=1e-15)


@NORMS
def test_iterated_steps_are_projected_ones_from_the_input_itself(images, norm):
    options = {"eps": 0.1, "alpha": 0.04, "steps": 4, "norm": norm, **NORMALISED}
    assert torch.equal(bim(*images, **options), pgd(*images, random_start=False, **options))


@NORMS
def test_a_targeted_attack_goes_towards_the_wanted_class(images, norm):
    model, x, _ = images
    wanted = torch.zeros(len(x)).long()
    attack = {"eps": 0.3, "alpha": 0.05, "steps": 10, "norm": norm, **NORMALISED}
    near, far = (bim(model, x, wanted, targeted=sense, **attack) for sense in (True, False))
    before = losses(model, x, wanted)
    assert (losses(model, near, wanted) <= before).all()
    assert (losses(model, far, wanted) >= before).all()
    # with two classes, to go towards one is to go away from the other
    two = smooth(18, n_classes=2)
    other = bim(two, x, 1 - wanted, **attack)
    torch.testing.assert_close(bim(two, x, wanted, targeted=True, **attack), other)
    torch.testing.assert_close(
        fgsm(two, x, wanted, eps=0.1, targeted=True, **NORMALISED), fgsm(two, x, 1 - wanted, eps=0.1, **NORMALISED)
    )


@NORMS
def test_noise_is_as_large_as_the_perturbation_and_has_no_direction(images, norm):
    model, x, y = images
    delta = pgd(model, x, y, eps=0.2, alpha=0.1, steps=3, norm=norm, **NORMALISED) - x
    noise = random_noise_like(delta, norm=norm, seed=1)
    size = (
        (lambda each: each.flatten(1).abs().amax(1)) if norm == "linf" else (lambda each: each.flatten(1).norm(dim=1))
    )
    torch.testing.assert_close(size(noise), size(delta))
    if norm == "linf":  # random signs: as long as a step of the sign of the gradient, too
        assert torch.equal(noise.abs().flatten(1).amax(1), noise.abs().flatten(1).amin(1))
    assert abs(float(noise.mean())) < 4 * float(noise.std()) / noise.numel() ** 0.5
    assert torch.equal(noise, random_noise_like(delta, norm=norm, seed=1))
    assert not torch.equal(noise, random_noise_like(delta, norm=norm, seed=2))


def test_noise_like_nothing_is_nothing():
    assert not random_noise_like(torch.zeros(3, 4)).any()
    with pytest.raises(ValueError, match="`norm` must be one of linf, l2, got norm='l1'"):
        random_noise_like(torch.zeros(3, 4), norm="l1")
    with pytest.raises(TypeError, match="must be floating point"):
        random_noise_like(torch.zeros(3, 4).long())


@pytest.mark.parametrize("p", [0.5, 0.0])
def test_a_model_with_dropout_in_training_mode_is_warned_of_and_attacked_at_rest(images, p):
    _, x, y = images
    model = nn.Sequential(nn.Flatten(), nn.Dropout(p), nn.Linear(18, 3)).double().train()
    if p:
        with pytest.warns(UserWarning, match="in training mode and has dropout"):
            found = fgsm(model, x, y, eps=0.1)
    else:
        found = fgsm(model, x, y, eps=0.1)
    assert model.training
    assert torch.equal(found, fgsm(model.eval(), x, y, eps=0.1))


def test_what_is_not_differentiable_is_refused(images):
    class Rounded(nn.Module):
        def forward(self, x):
            return x.detach().flatten(1)[:, :3].round()

    with pytest.raises(TypeError, match="`model` must be differentiable"):
        fgsm(Rounded(), images[1], images[2], eps=0.1)


@NORMS
def test_a_wider_ball_does_more_harm_on_average(images, norm):
    model, x, y = images
    harm = [
        losses(model, pgd(model, x, y, eps=eps, alpha=eps / 4 or 1, steps=10, norm=norm, **NORMALISED), y).mean()
        for eps in (0.0, 0.02, 0.1, 0.3)
    ]
    assert all(wider > narrower for narrower, wider in itertools.pairwise(harm))


@NORMS
def test_the_attack_on_a_linear_model_is_the_best_there_is(norm):
    # the dual norm says how far a linear function can fall within the ball
    torch.manual_seed(0)
    linear = nn.Linear(6, 2).double()
    x = torch.randn(9, 6, dtype=torch.float64)
    found = pgd(linear, x, torch.ones(9).long(), eps=0.3, alpha=0.1, steps=4, norm=norm, bounds=(-9, 9),
                random_start=False)  # fmt: skip
    towards = (linear.weight[1] - linear.weight[0]).detach()
    reach = towards.abs().sum() if norm == "linf" else towards.norm()
    assert torch.allclose((x - found) @ towards, (0.3 * reach).expand(9), atol=1e-12)


def test_normalisation_inside_is_normalisation_outside(images):
    # with one scale for all channels the same ball, step and box can be said in either unit
    model, x, y = images
    mean, std = 0.3, 0.25
    inside = pgd(model, x, y, eps=0.1, alpha=0.03, steps=5, mean=(mean,), std=(std,), seed=1)
    outside = pgd(
        model, (x - mean) / std, y, eps=0.1 / std, alpha=0.03 / std, steps=5,
        bounds=((0 - mean) / std, (1 - mean) / std), seed=1,
    )  # fmt: skip
    assert torch.allclose(inside, outside * std + mean, atol=1e-12)


def test_samples_do_not_see_each_other(images):
    model, x, y = images
    both = pgd(model, x.repeat(8, 1, 1, 1), y.repeat(8), eps=0.1, alpha=0.02, steps=5, random_start=False, **NORMALISED)
    alone = pgd(model, x[:1], y[:1], eps=0.1, alpha=0.02, steps=5, random_start=False, **NORMALISED)
    assert torch.allclose(both[280], alone[0], atol=1e-12)


def test_the_legacy_clamp_is_as_torchattacks_does_it_on_normalised_inputs(images):
    model, x, y = images
    z = normalised(x)
    found = pgd(model, x, y, eps=0.1, alpha=0.04, steps=4, random_start=False, legacy_clamp=True, **NORMALISED)
    at = z.clamp(0, 1)
    for _ in range(4):
        inputs = at.clone().requires_grad_()
        nn.functional.cross_entropy(model(inputs), y).backward()
        at = (z + (at + 0.04 * inputs.grad.sign() - z).clamp(-0.1, 0.1)).clamp(0, 1)
    assert torch.allclose(normalised(found), at, atol=1e-12)
    # a pixel whose normalised value lies outside of [0, 1] is moved there, however far that is
    assert (normalised(found) - z).abs().max() > 0.5


def test_clamp_only_is_the_legacy_clamp_without_attack(images):
    model, x, y = images
    found = pgd(model, x, y, eps=0, alpha=1, steps=1, legacy_clamp=True, **NORMALISED)
    assert torch.allclose(clamp_only(x, **NORMALISED), found, atol=1e-12)
    assert torch.allclose(normalised(found), normalised(x).clamp(0, 1), atol=1e-12)


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_foolbox_finds_the_same(images, attack):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports SciPy by an old path
        foolbox = pytest.importorskip("foolbox")
    model, x, y = images[0].float().eval(), images[1].float(), images[2]
    victim = foolbox.PyTorchModel(model, bounds=(0, 1), preprocessing={"mean": MEAN, "std": STD, "axis": -3})
    options = {} if attack == "fgsm" else {"rel_stepsize": None, "abs_stepsize": 0.02, "steps": 6}
    kind = foolbox.attacks.LinfFastGradientAttack if attack == "fgsm" else foolbox.attacks.LinfPGD
    _, expected, _ = kind(random_start=False, **options)(victim, x, y, epsilons=0.07)
    found = (
        fgsm(model, x, y, eps=0.07, **NORMALISED)
        if attack == "fgsm"
        else pgd(model, x, y, eps=0.07, alpha=0.02, steps=6, random_start=False, **NORMALISED)
    )
    # a pixel at which the gradient is nearly zero may take the other side
    assert ((found - expected).abs() < 1e-6).float().mean() > 0.995


WRONG_PGD = {
    "normalised inputs": ({"x": torch.linspace(-0.42, 2.82, 40 * 18).view(40, 2, 3, 3)}, ValueError,
                          r"input range \[-0.42, 2.82\] is outside bounds \[0, 1\]; pass mean/std"),
    "NaN": ({"x": torch.full((40, 2, 3, 3), math.nan)}, ValueError, "is outside bounds"),
    "negative radius": ({"eps": -0.1}, ValueError, "`eps` must be finite and not negative, got -0.1"),
    "no step": ({"steps": 0}, ValueError, "needs at least one step of positive length, got alpha=0.1, steps=0"),
    "standing still": ({"alpha": 0.0}, ValueError, "needs at least one step of positive length, got alpha=0.0"),
    "unknown norm": ({"norm": "l1"}, ValueError, "`norm` must be one of linf, l2, got norm='l1'"),
    "mean alone": ({"std": None}, ValueError, "`mean` and `std` come together"),
    "three means": ({"mean": (0, 0, 0)}, ValueError, r"a number for each of the .*2.* channels"),
    "no deviation": ({"std": (0.5, 0.0)}, ValueError, "`std` positive"),
    "a class too many": ({"y": torch.full((40,), 3)}, ValueError, r"`y` must hold classes from 0 to 2, .* got 3..3"),
    "a negative class": ({"y": torch.full((40,), -1)}, ValueError, r"`y` must hold classes from 0 to 2, .* got -1..-1"),
    "integers": ({"x": torch.zeros(40, 2, 3, 3).long()}, TypeError, "`x` must be floating point"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_PGD, ids=str)
def test_a_wrong_attack_is_refused(images, case):
    model, x, y = images
    change, error, law = WRONG_PGD[case]
    arguments = {"x": x, "y": y, "eps": 0.1, "alpha": 0.1, "steps": 2} | NORMALISED | change
    with pytest.raises(error, match=law):
        pgd(model, **arguments)
