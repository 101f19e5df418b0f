from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from replank.circuits import Circuit, reference, x
from replank.circuits.given_states import DiagonalMeans
from replank.measure import (
    local_unitary_attack,
    random_local_unitary,
    state_fidelity,
    trace_distance,
    turned_locally,
)

N = 3


def random_states(n: int = 20, seed: int = 0) -> torch.Tensor:
    parts = torch.randn(n, 2**N, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    psi = torch.view_as_complex(parts)
    return psi / psi.norm(dim=1, keepdim=True)


class Reader(nn.Module):
    """Log-probabilities of the outcomes of qubit 1 after a random unitary."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("unitary", torch.linalg.qr(torch.randn(2**N, 2**N, dtype=torch.complex128)).Q)
        self.means = DiagonalMeans(N, [(1,)])

    def forward(self, states):
        z = self.means(states @ self.unitary)
        return torch.log(torch.cat((1 + z, 1 - z), 1) / 2)


@pytest.fixture
def problem() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model, states = Reader(), random_states()
    return model, states, model(states).argmax(1)


def losses(model, states, y):
    return nn.functional.cross_entropy(model(states), y, reduction="none")


def test_turns_are_the_gates_of_a_circuit():
    psi, angles = random_states(6), torch.randn(6, 3, N, dtype=torch.float64)
    circuit = Circuit(N).prepare_amplitudes(list(x[: 2**N]))
    for number, gate in enumerate(("RX", "RZ", "RX")):
        for wire in range(N):
            circuit.gate(gate, (x[2**N + number * N + wire],), (wire,))

    def run(amplitudes):  # the reference prepares real amplitudes: real and imaginary parts go through one by one
        norm = amplitudes.norm(dim=1, keepdim=True)
        features = torch.cat((amplitudes, angles.flatten(1)), 1)
        return norm * reference.state(circuit, features, features.new_zeros(0))

    torch.testing.assert_close(turned_locally(psi, angles), run(psi.real) + 1j * run(psi.imag))


def test_turns_do_not_change_what_qubits_share():
    psi = random_states(4)
    turned = turned_locally(psi, torch.randn(4, 3, N, dtype=torch.float64))
    for states in (psi, turned):
        torch.testing.assert_close(states.norm(dim=1), torch.ones(4, dtype=torch.float64))
    schmidt = [torch.linalg.svdvals(states.reshape(4, 2, -1)) for states in (psi, turned)]
    torch.testing.assert_close(*schmidt)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("n_starts", [1, 3])
def test_the_attack_stays_in_its_ball_and_does_harm(problem, norm, n_starts):
    found = local_unitary_attack(*problem, eps=0.2, steps=6, norm=norm, n_starts=n_starts)
    size = found.angles.flatten(1)
    length = size.abs().amax(1) if norm == "linf" else size.norm(dim=1)
    assert length.max() <= 0.2 + 1e-12
    torch.testing.assert_close(found.states, turned_locally(problem[1], found.angles))
    model, states, y = problem
    assert (losses(model, found.states, y) > losses(model, states, y)).all()
    towards = local_unitary_attack(*problem, eps=0.2, steps=6, norm=norm, n_starts=n_starts, targeted=True)
    assert (losses(model, towards.states, y) < losses(model, states, y)).all()


def test_more_starts_never_do_less_harm(problem):
    model, _, y = problem
    few, many = (
        losses(model, local_unitary_attack(*problem, eps=0.3, steps=4, n_starts=n, seed=1).states, y) for n in (1, 4)
    )
    assert (many >= few).all()


def test_outputs_are_no_further_apart_than_states(problem):
    model, states, _ = problem
    found = local_unitary_attack(*problem, eps=0.3, steps=5)
    moved = (model(found.states).exp() - model(states).exp()).abs()[:, 0]
    assert (moved <= trace_distance(states, found.states) + 1e-12).all()


def test_no_radius_no_change(problem):
    found = local_unitary_attack(*problem, eps=0, steps=3)
    assert torch.equal(found.states, problem[1])
    assert torch.equal(random_local_unitary(problem[1], eps=0, seed=0).angles, torch.zeros(20, 3, N).double())


def test_random_turns_are_as_large_and_of_no_direction(problem):
    states = problem[1]
    found = random_local_unitary(states, eps=0.1, seed=0)
    assert torch.equal(found.angles.abs(), torch.full((20, 3, N), 0.1, dtype=torch.float64))
    assert 0.9 < state_fidelity(states, found.states).mean() < 1
    assert torch.equal(found.angles, random_local_unitary(states, eps=0.1, seed=0).angles)
    assert not torch.equal(found.angles, random_local_unitary(states, eps=0.1, seed=1).angles)


def test_what_reads_z_of_states_with_a_fixed_number_of_ones_is_blind_at_first_order():
    states = torch.zeros(2, 2**N, dtype=torch.complex128)
    states[:, [1, 2, 4]] = torch.tensor([0.6, 0.48, 0.64], dtype=torch.complex128)
    model = nn.Sequential(DiagonalMeans(N, [(0,), (1,)]))
    angles = torch.zeros(2, 3, N, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(turned_locally(states, angles))[:, 0].sum(), angles)
    assert gradient.abs().max() < 1e-15


WRONG = {
    "not of norm one": ({"states": 2 * random_states()}, ValueError, "states must have norm 1"),
    "barely not of norm one": ({"states": (1 + 3e-6) * random_states()}, ValueError, "states must have norm 1"),
    "real": ({"states": random_states().real}, TypeError, "`states` must be complex"),
    "negative radius": ({"eps": -0.1}, ValueError, "`eps` must be finite and not negative, got eps=-0.1"),
    "endless radius": ({"eps": math.inf}, ValueError, "`eps` must be finite"),
    "no step": ({"steps": 0}, ValueError, "at least one step of positive length"),
    "standing still": ({"alpha": 0.0}, ValueError, "at least one step of positive length, got alpha=0.0"),
    "no start": ({"n_starts": 0}, ValueError, "got alpha=None, steps=2, n_starts=0"),
    "unknown norm": ({"norm": "l1"}, ValueError, "`norm` must be one of linf, l2, got norm='l1'"),
    "a class too many": ({"y": torch.full((20,), 2)}, ValueError, "`y` must hold classes from 0 to 1"),
    "no gradient": ({"model": lambda states: states.detach().real[:, :2]}, TypeError, "must be differentiable"),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_attack_is_refused(problem, case):
    change, error, law = WRONG[case]
    model, states, y = problem
    arguments = {"model": model, "states": states, "y": y, "eps": 0.1, "steps": 2} | change
    if not isinstance(arguments["model"], nn.Module):
        function = arguments["model"]
        arguments["model"] = nn.Identity()
        arguments["model"].forward = function
    with pytest.raises(error, match=law):
        local_unitary_attack(**arguments)


def test_angles_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"needs states \(B, 2\^n\) and angles \(B, 3, n\)"):
        turned_locally(random_states(), torch.zeros(20, 3, N + 1))
