"""Losses and their gradients, training that stops where it must, and estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from replank.open_systems import (
    POVM,
    Descent,
    LocalGenerator,
    SteadyStateSolver,
    TrapezoidEvolver,
    all_strings,
    descend,
    dissipative_tfim,
    estimate_observable,
    lindblad_generator,
    site_means,
    steady_residual,
    step_residual,
    vector_steady_state,
    vector_steps,
)
from replank.open_systems.pauli import DTYPE, X, Z
from replank.parts.density import GRUDensity, ProductDensity, RBMDensity
from replank.seeding import isolated, torch_stream
from tests.open_systems.open_cases import random_state

MODEL = dissipative_tfim(3, 1.5)
POVM_3 = POVM()
LOCAL = LocalGenerator(lindblad_generator(MODEL.h_terms, MODEL.jump_ops, POVM_3), 3)
MATRIX = torch.from_numpy(LOCAL.matrix().toarray())
EVERY = all_strings(3)
TAU = 0.03
KINDS = {"gru": (GRUDensity, 3), "rbm": (RBMDensity, 3)}


def density(name: str, seed: int = 0):
    """Some distribution that is no product."""
    kind, n_hidden = KINDS[name]
    with isolated(seed, "part"):
        part = kind(3, n_hidden=n_hidden, dtype=torch.float64)
        with torch.no_grad():
            for each in part.parameters():
                each.add_(0.5 * torch.randn_like(each))
    return part


def probabilities(part) -> torch.Tensor:
    return part.log_prob(EVERY).exp()


def shares(part) -> torch.Tensor:
    return probabilities(part).detach()


def whole_steady(part) -> torch.Tensor:
    return (MATRIX @ probabilities(part)).abs().sum()


def whole_step(part, old, scheme: str) -> torch.Tensor:
    p, before = probabilities(part), probabilities(old).detach()
    if scheme == "euler":
        return (p - before - 2 * TAU * (MATRIX @ before)).abs().sum()
    return (p - TAU * (MATRIX @ p) - before - TAU * (MATRIX @ before)).abs().sum()


def by_differences(part, loss) -> torch.Tensor:
    """Central differences of a loss along every parameter."""
    slopes, width = [], 1e-6
    with torch.no_grad():
        for parameter in part.parameters():
            flat = parameter.view(-1)
            for i in range(len(flat)):
                ends = []
                for side in (1, -1):
                    flat[i] += side * width
                    ends.append(loss().item())
                    flat[i] -= side * width
                slopes.append((ends[0] - ends[1]) / (2 * width))
    return torch.tensor(slopes, dtype=torch.float64)


def gradient(loss, part) -> torch.Tensor:
    return torch.cat([each.flatten() for each in torch.autograd.grad(loss, list(part.parameters()))])


@pytest.mark.parametrize("name", KINDS)
def test_the_whole_steady_residual_has_the_gradient_of_the_norm(name):
    part = density(name)
    loss = steady_residual(part, LOCAL, EVERY, shares(part))
    assert loss.item() == pytest.approx(whole_steady(part).item(), rel=1e-12)
    found = gradient(loss, part)
    expected = by_differences(part, lambda: whole_steady(part))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("scheme", ["trapezoid", "euler"])
@pytest.mark.parametrize("name", KINDS)
def test_the_whole_step_residual_has_the_gradient_of_the_norm(name, scheme):
    part, old = density(name), density(name, seed=1)
    loss = step_residual(part, old, LOCAL, TAU, EVERY, shares(part), scheme=scheme)
    assert loss.item() == pytest.approx(whole_step(part, old, scheme).item(), rel=1e-10)
    found = gradient(loss, part)
    expected = by_differences(part, lambda: whole_step(part, old, scheme))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_sampled_residuals_and_gradients_are_those_of_all_strings_on_average():
    part = density("gru")
    whole = steady_residual(part, LOCAL, EVERY, shares(part))
    found = []
    for batch in part.sample(40_000, torch_stream(0, "samples"))[0].split(400):
        loss = steady_residual(part, LOCAL, batch, torch.full((400,), 1 / 400, dtype=torch.float64))
        found.append(torch.cat((loss[None], gradient(loss, part))).detach())
    values = torch.stack(found)
    error = values.std(0) / len(found) ** 0.5
    expected = torch.cat((whole[None], gradient(whole, part))).detach()
    # 75 numbers: one in a thousand of a normal distribution is beyond 3.3 errors, none beyond 5
    assert ((values.mean(0) - expected).abs() < 5 * error + 1e-9).all()


class Table(nn.Module):
    """A density that is a vector."""

    normalised = True
    n_sites, n_outcomes = 3, 4

    def __init__(self, p):
        super().__init__()
        self.logs = nn.Parameter(p.log())

    def log_weight(self, a):
        return self.logs[(a * 4 ** torch.arange(2, -1, -1)).sum(1)]

    def sample(self, n, generator=None):
        chosen = torch.multinomial(self.logs.exp(), n, replacement=True, generator=generator)
        return EVERY[chosen], self.logs[chosen].detach()


def test_residuals_vanish_for_what_they_ask_for():
    steady = torch.from_numpy(vector_steady_state(LOCAL.matrix()))
    assert steady_residual(Table(steady), LOCAL, EVERY, steady).item() < 1e-12
    before = POVM_3.povm_probabilities(random_state(3, 0))
    for scheme in ("trapezoid", "euler"):
        after = torch.from_numpy(vector_steps(LOCAL.matrix(), before.numpy(), TAU, 1, scheme)[1])
        tables = Table(after), Table(before)
        assert step_residual(*tables, LOCAL, TAU, EVERY, after, scheme=scheme).item() < 1e-12
        assert step_residual(*tables, LOCAL, 2 * TAU, EVERY, after, scheme=scheme).item() > 1e-3


def test_a_string_that_can_not_occur_is_floored_with_a_warning():
    p = torch.full((64,), 1 / 63, dtype=torch.float64)
    p[5] = 0
    with pytest.warns(UserWarning, match="1 of 2 strings have probability 0"):
        loss = steady_residual(Table(p), LOCAL, EVERY[[5, 6]], torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert loss.isfinite()


def test_training_approaches_the_steady_state_and_shrinks_its_residual():
    with isolated(0, "part"):
        part = GRUDensity(3, n_hidden=8, dtype=torch.float64)
    before = whole_steady(part).item()
    solver = SteadyStateSolver(LOCAL, Descent(150, 256, full_sum=True))
    result = solver.solve(part, part)
    assert result.is_whole
    assert len(result.losses) == 150
    assert result.loss < 0.15 * before
    steady = torch.from_numpy(vector_steady_state(LOCAL.matrix()))
    assert (probabilities(part) - steady).abs().sum().item() < 0.15


def test_a_step_of_a_network_is_a_step_of_the_vector():
    with isolated(0, "part"):
        part = GRUDensity(3, n_hidden=8, initial=POVM_3.product_distribution(torch.tensor([1, 0])), dtype=torch.float64)
    p = shares(part).numpy()
    for _ in range(2):
        TrapezoidEvolver(LOCAL, 0.05, Descent(120, 100, halve_at=80, full_sum=True)).step(part, part)
    after = torch.from_numpy(vector_steps(LOCAL.matrix(), p, 0.05, 2)[2])
    moved = (after - torch.from_numpy(p)).abs().sum()
    assert (shares(part) - after).abs().sum() < 0.15 * moved


def test_samples_come_from_the_stream_alone():
    def trained(seed: int) -> torch.Tensor:
        part = ProductDensity(3, dtype=torch.float64)
        SteadyStateSolver(LOCAL, Descent(3, 20)).solve(part, part, torch_stream(seed, "samples"))
        return part.table.detach()

    state = torch.get_rng_state()
    assert torch.equal(trained(0), trained(0))
    assert not torch.equal(trained(0), trained(1))
    assert torch.equal(torch.get_rng_state(), state)


class Breaks(Table):
    """Its loss is no number from the fourth update on."""

    calls = 0

    def log_weight(self, a):
        self.calls += 1
        return super().log_weight(a) * (math.nan if self.calls > 3 else 1)


def test_a_loss_that_is_no_number_ends_with_the_last_good_parameters():
    part = Breaks(torch.full((64,), 1 / 64, dtype=torch.float64))
    seen = []

    def loss(a, shares):
        value = steady_residual(part, LOCAL, a, shares)
        if value.isfinite():
            seen.append(part.logs.detach().clone())
        return value

    with pytest.warns(UserWarning, match="became nan at update 3"):
        result = descend(part, loss, Descent(10, 5), part, torch_stream(0, "samples"))
    assert not result.is_whole
    assert len(result.losses) == 3
    assert torch.equal(part.logs, seen[-1])


def test_the_step_size_is_halved_once():
    """Adam's updates of a constant gradient are as large as its step size."""
    part, positions = Table(torch.full((64,), 1 / 64, dtype=torch.float64)), []

    def loss(a, shares):
        positions.append(part.logs[0].item())
        return part.logs.sum()

    descend(part, loss, Descent(6, 2, lr=0.1, halve_at=3), part, torch_stream(0, "samples"))
    np.testing.assert_allclose(-np.diff(positions), [0.1, 0.1, 0.1, 0.05, 0.05], rtol=1e-6)


@pytest.mark.parametrize("change", [{"n_iterations": 0}, {"n_samples": 0}, {"lr": 0.0}, {"lr": math.nan}])
def test_bad_descents_are_refused(change):
    with pytest.raises(ValueError, match=f"`{next(iter(change))}` must be positive"):
        Descent(**{"n_iterations": 1, **change})


@pytest.mark.parametrize("tau", [0.0, -1.0, math.inf])
def test_bad_steps_are_refused(tau):
    with pytest.raises(ValueError, match="`tau` must be positive"):
        TrapezoidEvolver(LOCAL, tau, Descent(1))


def test_estimates_have_their_mean_and_error():
    """100,000 strings of a known distribution: within four standard errors, which are the spread over batches."""
    part, zx = density("gru"), torch.kron(Z, X)
    one, two = POVM_3.observable_coefficients(Z), POVM_3.observable_coefficients(zx)
    terms = [((0,), one), ((2, 1), two)]
    rho = POVM_3.density_from_probabilities(shares(part))
    whole = torch.kron(Z, torch.eye(4, dtype=DTYPE)) + torch.kron(torch.eye(2, dtype=DTYPE), torch.kron(X, Z))
    exact = torch.trace(rho @ whole).real.item()
    samples, _ = part.sample(100_000, torch_stream(0, "samples"))
    found = estimate_observable(samples, terms)
    assert abs(found.mean - exact) < 4 * found.standard_error
    means = [estimate_observable(each, terms).mean for each in samples.split(1000)]
    assert float(np.std(means) / 10) == pytest.approx(found.standard_error, rel=0.3)


def test_tetra_estimates_have_smaller_errors_than_4pauli():
    errors = {}
    for kind in ("tetra", "4pauli"):
        povm = POVM(kind)
        part = ProductDensity(2, initial=povm.product_distribution(random_state(1, 0)), dtype=torch.float64)
        samples, _ = part.sample(20_000, torch_stream(0, "samples"))
        errors[kind] = estimate_observable(samples, [((0,), povm.observable_coefficients(Z))]).standard_error
    assert errors["tetra"] < errors["4pauli"]


def test_site_means_are_traces():
    rho = random_state(3, 2)
    p = POVM_3.povm_probabilities(rho)
    expected = [
        torch.trace(rho @ torch.kron(torch.kron(torch.eye(2**i), Z), torch.eye(2 ** (2 - i)))).real for i in range(3)
    ]
    torch.testing.assert_close(site_means(p, POVM_3.observable_coefficients(Z), 3), torch.stack(expected))


def test_one_sample_has_no_error():
    with pytest.raises(ValueError, match="at least two samples"):
        estimate_observable(EVERY[:1], [((0,), torch.ones(4))])
