from __future__ import annotations

import pytest
import torch
from hypothesis import given

from replank.circuits import Circuit, Probabilities, Projector, X, Y, Z, theta, x
from replank.circuits.estimators import Estimator
from replank.circuits.gates import GATES
from replank.circuits.noise import ReadoutError, amplitude_damping, depolarising
from replank.circuits.parameter_shift import FOUR_TERM, TWO_TERM, Shiftable, shifted
from tests.circuits.noise_cases import wild
from tests.circuits.strategies import F64, assert_near, gradients, inputs, unitary_circuits

ATOL = 1e-8
TURNING = [name for name, kind in GATES.items() if kind.n_angles]


def assert_same_gradients(circuit: Circuit, observables: object, batch: int = 2, atol: float = ATOL) -> None:
    plan = circuit.plan(observables)
    sources = inputs(circuit, batch)
    shifting, exact = Estimator(plan, gradient="parameter_shift")(*sources), plan(*sources)
    for value, wanted in zip(
        *[each if isinstance(each, tuple) else (each,) for each in (shifting, exact)], strict=True
    ):
        assert_near(value, wanted, atol)
        for actual, other in zip(gradients(value, *sources), gradients(wanted, *sources), strict=True):
            assert_near(actual, other, atol)


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "frequencies"), [(TWO_TERM, [1.0]), (FOUR_TERM, [0.5, 1.0])])
def test_rules_differentiate_their_frequencies(rule, frequencies):
    a = torch.linspace(-3, 3, 7, dtype=F64)
    for f in frequencies:
        for wave, derivative in ((torch.sin, f * torch.cos(f * a)), (torch.cos, -f * torch.sin(f * a))):
            assert_near(sum(weight * wave(f * (a + shift)) for shift, weight in rule), derivative, 1e-14)


@pytest.mark.parametrize("name", TURNING)
@pytest.mark.parametrize("conditional", [False, True], ids=["always", "by a measurement"])
def test_every_gate_with_an_angle_has_its_rule(name, conditional):
    kind = GATES[name]
    n = kind.n_wires + 1
    circuit = Circuit(n)
    for wire in range(n):
        circuit.ry(0.5 + wire, wire).rz(1.5 - wire, wire)
    circuit.cnot(0, n - 1).measure(n - 1, "m").ry(0.7, n - 1)
    circuit.gate(name, theta[: kind.n_angles], range(kind.n_wires), "m" if conditional else None)
    for wire in range(n):
        circuit.rx(0.3 + wire, wire)
    assert_same_gradients(circuit, [Z(0), X(0) @ Y(n - 1), Z(n - 1) @ Z(0)], batch=1)


# -- circuits ----------------------------------------------------------------------------------------------------------


@given(circuit=unitary_circuits(most_qubits=4, most_operations=12))
def test_values_and_gradients_are_those_of_the_plan(circuit):
    last = circuit.n_qubits - 1
    assert_same_gradients(circuit, [Z(0), 2 * X(last) - Y(0) + 1, Projector((1,), (last,))])


def test_probabilities_beside_numbers():
    circuit = Circuit(2).crx(theta[0] * x[0], 0, 1).ry(x[0], 0).crz(theta[1], 0, 1).rx(0.4, 1)
    assert_same_gradients(circuit, [Probabilities((1, 0)), Z(0), Probabilities()])
    assert_same_gradients(circuit, Probabilities((1,)))
    assert_same_gradients(circuit, X(1))


def test_channels_and_measurements_between_gates():
    circuit = (
        Circuit(2).ry(theta[0], 0).append(depolarising(0.1, 0)).crx(theta[1], 0, 1).append(amplitude_damping(0.3, 1))
    )
    assert_same_gradients(circuit.measure(0, "m").ry(theta[0] + x[0], 1, when="m").cry(x[0], 1, 0), [Z(0), X(0) @ Y(1)])


def test_prepared_amplitudes_stay_what_they_are():
    circuit, plan = wild(), wild().plan([Z(0), X(1)])
    features, parameters = inputs(circuit, batch=2)
    constant = features.detach()
    values = Estimator(plan, gradient="parameter_shift")(constant, parameters)
    wanted = plan(constant, parameters)
    assert_near(values, wanted, 1e-12)
    assert_near(gradients(values, parameters)[0], gradients(wanted, parameters)[0], ATOL)
    with pytest.raises(ValueError, match=r"amplitudes have no shift rule, got a gradient through x\[0\]"):
        Estimator(plan, gradient="parameter_shift")(features, parameters)


def test_exact_reading_errors_are_differentiated_too():
    plan = Circuit(2).ry(theta[0], 0).crx(theta[1] * x[0], 0, 1).rx(x[0], 0).plan([Z(0) @ Z(1), X(0), Y(1)])
    sources = inputs(plan.circuit, 2)
    values = [
        Estimator(plan, gradient=how, readout=ReadoutError(0.1, 0.2))(*sources)
        for how in ("adjoint", "parameter_shift")
    ]
    assert_near(*values, 1e-12)
    for one, other in zip(*[gradients(value, *sources) for value in values], strict=True):
        assert_near(one, other, ATOL)


# -- derivatives of any order, in any way ------------------------------------------------------------------------------


def entangled() -> Circuit:
    return (
        Circuit(2).rx(x[0] + theta[0], 0).crx(theta[1], 0, 1).ry(theta[0] * x[0], 1).crz(theta[2], 1, 0).rx(theta[2], 0)
    )


def test_second_derivatives():
    plan = entangled().plan(Z(0) + X(1))
    shifting, sources = Estimator(plan, gradient="parameter_shift"), tuple(x.detach() for x in inputs(plan.circuit, 2))
    assert torch.autograd.gradcheck(shifting, [x.clone().requires_grad_() for x in sources])
    hessians = [torch.autograd.functional.hessian(lambda *s, f=f: f(*s).sum(), sources) for f in (shifting, plan)]
    for row, other in zip(*hessians, strict=True):
        for block, wanted in zip(row, other, strict=True):
            assert_near(block, wanted, ATOL)


def test_transforms_of_torch_func():
    plan = entangled().plan([Z(0), X(1)])
    shifting = Estimator(plan, gradient="parameter_shift")
    features, parameters = (each.detach() for each in inputs(plan.circuit, 2))
    for transform in (torch.func.jacrev, lambda f: torch.func.grad(lambda p: f(p).sum())):
        one, other = (transform(lambda p, f=f: f(features, p))(parameters) for f in (shifting, plan))
        assert_near(one, other, ATOL)
    many = torch.stack((parameters, 2 * parameters))
    assert_near(torch.vmap(lambda p: shifting(features, p))(many), torch.vmap(lambda p: plan(features, p))(many), ATOL)


def test_groups_of_features_and_parameters():
    plan = entangled().plan([Z(0), X(1)])
    sources = torch.rand(1, 3, 1, dtype=F64).requires_grad_(), torch.rand(2, 3, dtype=F64).requires_grad_()
    values = [each.run(*sources) for each in (Estimator(plan, gradient="parameter_shift"), plan)]
    assert_near(*values, ATOL)
    for one, other in zip(*[gradients(value, *sources) for value in values], strict=True):
        assert_near(one, other, ATOL)


def test_no_samples():
    plan = entangled().plan([Z(0), X(1)])
    parameters = torch.rand(3, requires_grad=True)
    values = Estimator(plan, gradient="parameter_shift")(torch.zeros(0, 1), parameters)
    assert values.shape == (0, 2)
    assert torch.autograd.grad(values.sum(), parameters)[0].tolist() == [0, 0, 0]


# -- cost --------------------------------------------------------------------------------------------------------------


def test_only_what_is_differentiated_is_shifted_and_all_at_once():
    shiftable = Shiftable(entangled())  # angles of parameters and features: 2; of parameters alone: 3, two controlled
    rows = {
        (of_features, of_parameters): len(shiftable.shifts(of_features=of_features, of_parameters=of_parameters)[0])
        for of_features in (False, True)
        for of_parameters in (False, True)
    }
    assert rows == {(False, False): 0, (True, False): 4, (False, True): 14, (True, True): 14}
    calls: list[int] = []

    def evaluate(angles: torch.Tensor) -> torch.Tensor:
        calls.append(len(angles))
        return angles.sin()

    angles = torch.zeros(3, 5, dtype=F64, requires_grad=True)
    shifted(evaluate, angles, *shiftable.shifts(of_features=True, of_parameters=True)).sum().backward()
    assert calls == [3, 3 * 14]


def test_numbers_are_not_shifted():
    assert Shiftable(Circuit(2).rx(0.3, 0).cry(0.2, 0, 1).pauli_rotation("XX", 0.1, (0, 1))).circuit.n_features == 0


def test_post_selection_has_no_rule():
    plan = Circuit(2).ry(theta[0], 0).cnot(0, 1).post_select(1, 0).plan(Z(0))
    with pytest.raises(ValueError, match="must not post-select, got PostSelect"):
        Estimator(plan, gradient="parameter_shift")
