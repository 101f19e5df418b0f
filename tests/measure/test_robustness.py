from __future__ import annotations

import copy
import math

import pytest
import torch
from scipy import stats
from torch import nn

from replank.measure import (
    accuracy,
    adversarial_accuracy,
    fgsm,
    gradient_masking,
    noise_accuracy,
    robust_accuracy,
    transfer_accuracy,
)

ATTACKS = pytest.mark.parametrize("attack", ["fgsm", "pgd"])
EPSILONS = [0.0, 0.05, 0.1, 0.2, 0.4]


@pytest.fixture
def linear() -> nn.Linear:
    """A binary classifier: sample x of class y has the margin (w_y - w_other).x + b_y - b_other."""
    torch.manual_seed(0)
    return nn.Linear(6, 2).double()


@pytest.fixture
def data(linear) -> tuple[torch.Tensor, torch.Tensor]:
    """More samples than one batch, with a tenth of the labels wrong."""
    stream = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(600, 6, dtype=torch.float64, generator=stream) - 1
    y = linear(x).argmax(dim=1)
    y[:60] = 1 - y[:60]
    return x, y


def margins(model: nn.Linear, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Signed margin of each sample, and the weight vector that it belongs to."""
    towards = torch.where(y == 1, 1.0, -1.0).double()
    with torch.no_grad():
        w, b = model.weight[1] - model.weight[0], model.bias[1] - model.bias[0]
        return towards * (x @ w + b), w


@ATTACKS
def test_linear_model_falls_exactly_where_its_margin_ends(linear, data, attack):
    # the best move in the maximum norm is epsilon against the sign of each weight: it costs epsilon ||w||_1
    margin, w = margins(linear, *data)
    expected = {epsilon: float((margin > epsilon * w.abs().sum()).double().mean()) for epsilon in EPSILONS}
    found = adversarial_accuracy(linear, *data, EPSILONS, attack=attack, bounds=(-10, 10))
    assert found == pytest.approx(expected, abs=1e-12)
    assert 0 < found[0.1] < found[0.0] == 0.9  # the levels tell something


def test_the_attacker_stays_inside_the_bounds(linear, data):
    x, y = data
    low, high = -1.0, 1.0
    margin, w = margins(linear, x, y)
    towards = torch.where(y == 1, 1.0, -1.0).double()[:, None]
    worst = (x - 0.4 * towards * w.sign()).clip(low, high)
    expected = float(((margins(linear, worst, y)[0] > 0) & (margin > 0)).double().mean())
    assert adversarial_accuracy(linear, x, y, [0.4], bounds=(low, high))[0.4] == pytest.approx(expected, abs=1e-12)
    assert expected > adversarial_accuracy(linear, x, y, [0.4], bounds=(-10, 10))[0.4]


def test_a_sample_that_was_wrong_does_not_become_right():
    class Valley(nn.Module):
        """Right where |x| > 1."""

        def forward(self, x):
            return torch.cat([1 - x.square(), x.square() - 1], dim=1)

    # the step from 0.5 towards the bottom of the valley overshoots, and ends at -1.5 on the right side
    x, y = torch.tensor([[0.5]], dtype=torch.float64), torch.tensor([1])
    assert accuracy(Valley()(x - 2), y) == 1
    assert adversarial_accuracy(Valley(), x, y, [2.0], bounds=(-10, 10)) == {2.0: 0.0}


@ATTACKS
def test_same_seed_same_attack_and_no_global_randomness(linear, data, attack):
    state = torch.random.get_rng_state()
    model = nn.Sequential(linear, nn.Tanh(), nn.Linear(2, 2).double())
    torch.random.set_rng_state(state)
    first = adversarial_accuracy(model, *data, EPSILONS, attack=attack, bounds=(-1, 1), seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert adversarial_accuracy(model, *data, EPSILONS, attack=attack, bounds=(-1, 1), seed=3) == first


@pytest.mark.parametrize(
    "measure",
    [
        lambda model, x, y: noise_accuracy(model, x, y, [0.1], seed=0),
        lambda model, x, y: adversarial_accuracy(model, x, y, [0.1], bounds=(-1, 1)),
    ],
    ids=["noise", "attack"],
)
def test_the_model_is_left_as_it_was(linear, data, measure):
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(), linear).double().train()
    before = copy.deepcopy(model.state_dict())
    measure(model, *data)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert all(child.training for child in model)


def test_noise_of_a_linear_model_follows_the_normal_distribution(linear, data):
    # the margin is disturbed by sigma ||w||_2 z: a sample stays right with probability Phi(margin / (sigma ||w||_2))
    x, y = (part.repeat(20, *[1] * (part.ndim - 1)) for part in data)
    margin, w = margins(linear, x, y)
    sigma = 0.3
    right = stats.norm.cdf((margin / (sigma * w.norm())).numpy())
    spread = math.sqrt((right * (1 - right)).sum()) / len(right)
    assert noise_accuracy(linear, x, y, [sigma], seed=0)[sigma] == pytest.approx(right.mean(), abs=4 * spread)


def test_noise_has_a_stream_of_its_own(linear, data):
    state = torch.random.get_rng_state()
    sigmas = [0.0, 0.5, 2.0]
    first = noise_accuracy(linear, *data, sigmas, seed=5)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert list(first) == sigmas
    assert first[0.0] == accuracy(linear(data[0]), data[1])
    assert noise_accuracy(linear, *data, sigmas, seed=5) == first
    assert noise_accuracy(linear, *data, sigmas, seed=6) != first
    # each level sees the same noise, whatever else is asked for
    assert noise_accuracy(linear, *data, [2.0], seed=5)[2.0] == first[2.0]


def attack(model, x, y):
    return fgsm(model, x, y, eps=0.2, bounds=(-10, 10))


def test_an_attack_of_ones_own_counts_as_the_known_one(linear, data):
    expected = adversarial_accuracy(linear, *data, [0.2], bounds=(-10, 10))[0.2]
    assert robust_accuracy(linear, *data, attack) == expected
    assert robust_accuracy(linear, *data, lambda _, x, y: x) == accuracy(linear(data[0]), data[1])


def test_an_attack_is_made_on_a_model_at_rest(linear, data):
    model = nn.Sequential(nn.Dropout(), linear).train()
    assert robust_accuracy(model, *data, attack) == robust_accuracy(linear, *data, attack)
    assert transfer_accuracy(linear, model, *data, attack) == robust_accuracy(linear, *data, attack)
    assert model.training


def test_examples_carry_over_as_far_as_gradients_agree(linear, data):
    own = robust_accuracy(linear, *data, attack)
    assert transfer_accuracy(linear, linear, *data, attack) == own
    twin, opposite = copy.deepcopy(linear), copy.deepcopy(linear)
    with torch.no_grad():
        twin.weight.mul_(3)  # the same direction
        opposite.weight.neg_()
    assert transfer_accuracy(linear, twin, *data, attack) == own
    # whoever believes the opposite pushes samples deeper into their class
    assert transfer_accuracy(linear, opposite, *data, attack) == accuracy(linear(data[0]), data[1])


def test_one_step_that_does_more_harm_than_many_is_warned_of():
    assert gradient_masking({0.1: 0.5, 0.2: 0.4}, {0.1: 0.4, 0.2: 0.41}) == pytest.approx(0.01)
    with pytest.warns(UserWarning, match=r"got an accuracy under PGD that is 0\.1 above that under FGSM at eps=0\.2"):
        assert gradient_masking({0.1: 0.5, 0.2: 0.4}, {0.1: 0.4, 0.2: 0.5}) == pytest.approx(0.1)
    with pytest.raises(ValueError, match=r"needs the same radii, got fgsm=\[0\.1\] and pgd=\[0\.2\]"):
        gradient_masking({0.1: 0.5}, {0.2: 0.5})


def test_a_saturated_model_masks_its_gradients():
    class Steep(nn.Module):
        """Right where x < 1, with a slope of exactly zero but for one bump."""

        def forward(self, x):
            score = 1e4 * (x - 1)
            return torch.cat([-score.clamp(-50, 50), score.clamp(-50, 50)], dim=1)

    x, y = torch.zeros(5, 1, dtype=torch.float64), torch.zeros(5).long()
    found = adversarial_accuracy(Steep(), x, y, [2.0], bounds=(-9, 9), attack="fgsm")
    assert found == {2.0: 1.0}  # no gradient, no step: the model is not robust, it only looks so


WRONG = {
    "outside bounds": ({"bounds": (0, 1)}, ValueError, r"input range \[-1.00, 1.00\] is outside bounds \[0, 1\]"),
    "negative epsilon": ({"epsilons": [-0.1]}, ValueError, "`epsilons` must be finite and not negative, got -0.1"),
    "no epsilon": ({"epsilons": []}, ValueError, r"`epsilons` must hold at least one number, got \[\]"),
    "unknown attack": ({"attack": "fgms"}, ValueError, "`attack` must be one of fgsm, pgd, got attack='fgms'"),
    "integer input": ({"x": torch.zeros(600, 6, dtype=torch.uint8)}, TypeError, "`x` must be floating point"),
    "label out of range": ({"y": torch.full((600,), 2)}, ValueError, r"`labels` must lie in 0..1"),
    "no samples": ({"x": torch.zeros(0, 6).double(), "y": torch.zeros(0).long()}, ValueError, "n_samples >= 1"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_input_is_refused(linear, data, case):
    change, error, law = WRONG[case]
    arguments = {"x": data[0], "y": data[1], "epsilons": [0.1], "bounds": (-1, 1)} | change
    with pytest.raises(error, match=law):
        adversarial_accuracy(linear, **arguments)


@pytest.mark.parametrize("sigma", [-1.0, math.nan, math.inf], ids=str)
def test_wrong_sigma_is_refused(linear, data, sigma):
    with pytest.raises(ValueError, match="`sigmas` must be finite and not negative"):
        noise_accuracy(linear, *data, [sigma], seed=0)
