from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from replank.circuits import Circuit, PauliSum, Probabilities, Projector, X, Y, Z, pauli, theta, x
from replank.circuits.columns import Columns
from replank.circuits.estimators import Estimator
from replank.circuits.noise import ReadoutError, amplitude_damping, depolarising
from replank.circuits.shots import Shots, group, sampled
from tests.circuits.noise_cases import OBSERVABLES
from tests.circuits.strategies import F64, assert_near, general_circuits, gradients, inputs, pauli_sums

MANY = 4000
"""Estimates whose scatter is looked at: it is known to about 1 % then."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def circuit() -> Circuit:
    turned = Circuit(2).ry(theta[0] + x[0], 0).rx(x[1], 1).crx(theta[1], 0, 1).rz(theta[2], 0)
    return turned.append(depolarising(0.05, 0)).ryy(0.5, 0, 1).append(amplitude_damping(0.2, 1)).rx(0.4, 0)


def repeated(observables: object, **options: object) -> tuple[Tensor, Tensor]:
    """Many estimates for one sample, and the exact values."""
    plan = circuit().plan(observables)
    features, parameters = (each.detach() for each in inputs(plan.circuit, 1))
    estimates = Estimator(plan, **options)(features.expand(MANY, -1), parameters, generator=seeded())
    return estimates, plan(features, parameters)[0]


def assert_unbiased(estimates: Tensor, exact: Tensor) -> None:
    error = estimates.std(0) / math.sqrt(MANY)
    assert ((estimates.mean(0) - exact).abs() <= 5 * error + 1e-12).all()


# -- settings ----------------------------------------------------------------------------------------------------------

words = st.lists(
    st.text("IXYZ", min_size=4, max_size=4).map(lambda letters: pauli(letters).terms[0][0]), min_size=1, unique=True
)


@given(words=words)
def test_every_word_is_measured_once_with_words_of_the_same_letters(words):
    groups = group(words)
    assert sorted(place for _, members in groups for place in members) == list(range(len(words)))
    for letters, members in groups:
        assert all(letters[wire] == letter for place in members for wire, letter in words[place])


def test_words_of_z_are_one_setting():
    columns = Columns([Z(0) @ Z(1), Z(2), Probabilities((0, 3)), Z(1)], is_single=False, n_qubits=4)
    assert [letters for letters, _ in group(columns.words)] == [dict.fromkeys(range(4), "Z")]


@pytest.mark.parametrize("letter", [X, Y, Z])
def test_letters_are_turned_to_z_with_the_right_sign(letter):
    plan = Circuit(1).u3(1.0, 0.4, 0.2, 0).plan(letter(0))
    exact = Estimator(plan, readout=ReadoutError(0, 0))(*inputs(plan.circuit, 1))
    assert_near(exact, plan(*inputs(plan.circuit, 1)), 1e-14)


@given(circuit=general_circuits(most_operations=6), data=st.data())
def test_settings_give_the_values_of_the_plan(circuit, data):
    observables = [data.draw(pauli_sums(circuit.n_qubits)), Projector((1,), (0,)), Probabilities()]
    sources = inputs(circuit, 2)
    columns = Columns(observables, is_single=False, n_qubits=circuit.n_qubits)
    table = Shots(circuit, columns).run(sources[0][None], sources[1][None], shots=None)
    for value, wanted in zip(columns.split(table), circuit.plan(observables)(*sources), strict=True):
        assert_near(value[0], wanted, 1e-10)


# -- scatter -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [1, 10, 1000])
def test_a_string_has_the_mean_and_the_variance_of_a_coin(shots):
    estimates, exact = repeated([Z(0), X(0) @ Y(1), Y(1), Z(0) @ Z(1)], shots=shots)
    assert_unbiased(estimates, exact)
    assert_near(estimates.var(0) * shots / (1 - exact**2), torch.ones(4, dtype=F64), 0.15)


def test_every_observable_is_unbiased():
    estimates, exact = repeated(OBSERVABLES[:4], shots=20)
    assert_unbiased(estimates, exact)
    outcomes, wanted = repeated(Probabilities((1, 0)), shots=20)
    assert_unbiased(outcomes, wanted)


def test_strings_of_one_setting_are_measured_in_the_same_shots():
    estimates, _ = repeated([Z(0) @ Z(1), Z(0), Z(1)], shots=1)
    assert torch.equal(estimates[:, 0], estimates[:, 1] * estimates[:, 2])


def test_frequencies_count_shots():
    estimates, _ = repeated(Probabilities(), shots=20)
    assert_near(estimates.sum(-1), torch.ones(MANY, dtype=F64), 1e-12)
    assert_near(20 * estimates, (20 * estimates).round(), 1e-12)


def test_an_eigenstate_does_not_scatter():
    plan = Circuit(2).x(0).h(1).plan([Z(0), X(1), Z(0) @ X(1), PauliSum((((), 0.5),))])
    values = Estimator(plan, shots=3)(torch.zeros(50, 0, dtype=F64), torch.zeros(0, dtype=F64))
    assert_near(values, torch.tensor([-1.0, 1.0, -1.0, 0.5], dtype=F64).expand(50, -1), 1e-12)


def test_draws_follow_the_probabilities():
    p = torch.tensor([[0.0, 0.1, 0.2, 0.7], [1.0, 0.0, 0.0, 0.0]], dtype=F64)
    frequencies = sampled(p, 1_000_000, seeded())
    assert ((frequencies - p).abs() <= 5 * (p * (1 - p) / 1_000_000).sqrt()).all()


def test_the_same_seed_gives_the_same_outcomes():
    (one, _), (other, _) = (repeated([Z(0), X(1)], shots=7) for _ in range(2))
    assert torch.equal(one, other)
    plan, sources = circuit().plan(), inputs(circuit())
    drawn = [Estimator(plan, shots=7)(*sources, generator=generator) for generator in [seeded(), seeded(1), None]]
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [None, 50])
def test_strings_are_read_as_their_read_observables_say(shots):
    error, strings = ReadoutError(0.08, 0.15), [Z(0), X(0) @ Y(1), Y(1) - 0.5 * Z(0) @ Z(1)]
    estimates, _ = repeated(strings, shots=shots, readout=error)
    sources = [each.detach() for each in inputs(circuit(), 1)]
    exact = circuit().plan([error.of_observable(each) for each in strings])(*sources)[0]
    if shots is None:
        assert_near(estimates[0], exact, 1e-12)
    else:
        assert_unbiased(estimates, exact)


# -- gradients ---------------------------------------------------------------------------------------------------------


def test_adjoint_gradients_are_exact_whatever_was_drawn():
    plan = circuit().plan([Z(0), X(0) @ Y(1)])
    sources = inputs(plan.circuit, 3)
    values, exact = Estimator(plan, shots=10)(*sources, generator=seeded()), plan(*sources)
    assert not torch.allclose(values, exact)
    for one, other in zip(gradients(values, *sources), gradients(exact, *sources), strict=True):
        assert_near(one, other, 1e-12)


@pytest.mark.parametrize("readout", [None, ReadoutError(0.1, 0.05)])
def test_shifted_gradients_are_unbiased(readout):
    plan = circuit().plan(Z(0) @ Z(1) + 0.5 * X(0))
    features, parameters = (each.detach() for each in inputs(plan.circuit, 1))
    copies = features.expand(MANY, -1).clone().requires_grad_()
    groups = parameters.expand(MANY, -1).clone().requires_grad_()
    estimator = Estimator(plan, gradient="parameter_shift", shots=20, readout=readout)
    drawn = torch.autograd.grad(estimator.run(copies[:, None], groups, generator=seeded()).sum(), [copies, groups])
    copies, groups = features.clone().requires_grad_(), parameters.clone().requires_grad_()
    exact = torch.autograd.grad(Estimator(plan, readout=readout)(copies, groups).sum(), [copies, groups])
    for estimates, wanted in zip(drawn, exact, strict=True):
        assert estimates.std(0).min() > 0
        assert_unbiased(estimates, wanted)
