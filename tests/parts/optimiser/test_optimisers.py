"""What holds for every optimiser here, and what each promises."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import nn

from replank.parts.optimiser.farhi_neven import FarhiNevenSGD
from replank.parts.optimiser.spsa import SPSA

OPTIMISERS = {
    "Farhi-Neven": lambda parameters: FarhiNevenSGD(parameters, r=0.2),
    "SPSA": lambda parameters: SPSA(parameters, lr=0.1, generator=torch.Generator().manual_seed(3)),
}
every = pytest.mark.parametrize("build", OPTIMISERS.values(), ids=OPTIMISERS)


def _parameters(n: int = 5, seed: int = 0) -> list[nn.Parameter]:
    values = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return [nn.Parameter(values[: n // 2].clone()), nn.Parameter(values[n // 2 :].clone())]


def _bowl(parameters):
    return sum((parameter - 1).square().sum() for parameter in parameters)


def _closure(optimiser, loss):
    def closure():
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value.item()

    return closure


@every
def test_a_bowl_is_descended(build):
    parameters = _parameters()
    optimiser = build(parameters)
    before = _bowl(parameters).item()
    for _ in range(200):
        optimiser.step(_closure(optimiser, lambda: _bowl(parameters)))
    assert _bowl(parameters).item() < 1e-2 * before


@every
def test_the_loss_is_returned(build):
    parameters = _parameters()
    optimiser = build(parameters)
    before = _bowl(parameters).item()
    assert optimiser.step(_closure(optimiser, lambda: _bowl(parameters))) == pytest.approx(before, rel=0.2)


@every
def test_a_frozen_parameter_of_another_optimiser_stays(build):
    mine, other = _parameters()
    optimiser = build([mine])
    kept = other.detach().clone()
    optimiser.step(_closure(optimiser, lambda: _bowl([mine, other])))
    assert torch.equal(other, kept)


@every
def test_a_run_goes_on_from_its_state(build):
    """State and parameters, put into a new optimiser, lead to the same place."""
    parameters = _parameters()
    optimiser = build(parameters)
    for _ in range(3):
        optimiser.step(_closure(optimiser, lambda: _bowl(parameters)))
    copies = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    again = build(copies)
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for each in (optimiser, again):
        if hasattr(each, "_generator"):
            each._generator = torch.Generator().manual_seed(8)
    for _ in range(3):
        optimiser.step(_closure(optimiser, lambda: _bowl(parameters)))
        again.step(_closure(again, lambda: _bowl(copies)))
    assert all(torch.equal(one, other) for one, other in zip(parameters, copies, strict=True))


@every
def test_a_step_without_closure_is_refused(build):
    with pytest.raises(ValueError, match="needs the loss, got closure=None"):
        build(_parameters()).step()


@pytest.mark.parametrize("r", [0.01, 0.3, 0.9])
def test_a_linear_loss_shrinks_by_exactly_the_factor(r):
    parameters = _parameters()
    slopes = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(7))

    def loss():
        return torch.cat(list(parameters)) @ slopes + 9.0

    optimiser = FarhiNevenSGD(parameters, r)
    for _ in range(4):
        before = loss().item()
        optimiser.step(_closure(optimiser, loss))
        assert loss().item() == pytest.approx((1 - r) * before, rel=1e-12)


def test_the_farhi_rule_takes_no_step_on_a_plateau():
    parameters = _parameters()
    kept = [parameter.detach().clone() for parameter in parameters]
    optimiser = FarhiNevenSGD(parameters, 0.5)
    loss = optimiser.step(_closure(optimiser, lambda: 1 + 1e-8 * _bowl(parameters)))
    assert loss > 1
    assert all(torch.equal(one, other) for one, other in zip(parameters, kept, strict=True))


def test_the_factor_follows_a_schedule():
    parameters = _parameters()
    optimiser = FarhiNevenSGD(parameters, 0.5)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.5)
    loss = _closure(optimiser, lambda: parameters[0].sum() + 20)
    before = optimiser.step(loss)
    schedule.step()
    middle = optimiser.step(loss)
    assert middle == pytest.approx(before / 2)
    assert loss() == pytest.approx(middle * 0.75)


@pytest.mark.parametrize("r", [0, 1, -0.1, 1.5, float("nan")])
def test_a_factor_outside_0_to_1_is_refused(r):
    with pytest.raises(ValueError, match=r"`r` must lie between 0 and 1, got r="):
        FarhiNevenSGD(_parameters(), r)


def test_the_perturbed_difference_estimates_the_gradient():
    """On a linear loss the mean step over many draws of signs is the gradient times the rate."""
    slopes = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    moves = []
    for _ in range(4000):
        parameter = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        optimiser = SPSA([parameter], lr=0.1, generator=generator)
        optimiser.step(_closure(optimiser, lambda parameter=parameter: parameter @ slopes))
        moves.append(parameter.detach())
    mean, error = torch.stack(moves).mean(0), torch.stack(moves).std(0) / 4000**0.5
    assert ((mean + 0.1 * slopes).abs() < 4 * error).all()


def test_spsa_steps_shrink_as_they_should():
    """With one parameter and a linear loss the sign does not matter, so that each move is the rate times the slope."""
    parameter = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimiser = SPSA([parameter], lr=0.3, stability=2, alpha=0.5)
    places = [0.0]
    for _ in range(5):
        optimiser.step(_closure(optimiser, lambda: 2 * parameter.sum()))
        places.append(parameter.item())
    moves = [before - after for before, after in itertools.pairwise(places)]
    assert moves == pytest.approx([0.3 * 2 / (k + 3) ** 0.5 for k in range(5)], rel=1e-9)


@pytest.mark.parametrize("option", [{"lr": 0}, {"perturbation": -1}, {"stability": -1}, {"alpha": float("inf")}])
def test_wrong_sizes_of_spsa_are_refused(option):
    with pytest.raises(ValueError, match=f"SPSA: .* got {next(iter(option))}="):
        SPSA(_parameters(), **option)
