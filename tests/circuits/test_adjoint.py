"""Gradients: uncomputing on the way back gives what automatic differentiation and shifted angles give."""

from __future__ import annotations

from math import pi, sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from replank.circuits import Circuit, DensityMatrix, PauliSum, Probabilities, Projector, State, X, Y, Z, theta, x
from tests.circuits.strategies import (
    BACKENDS,
    F64,
    assert_near,
    damping,
    expected,
    general_circuits,
    gradients,
    haar,
    inputs,
    needs_core,
    number,
    observables_of,
    pauli_sums,
    unitary_circuits,
    with_parameters,
)

TIGHT = 1e-8


def shift_rule(circuit: Circuit, observable: PauliSum, features: Tensor, parameters: Tensor) -> Tensor:
    """The derivative with respect to parameters that each turn one gate once, from values at shifted angles.

    Four shifts are exact for all frequencies that a gate here has, 1/2 and 1 (Anselmetti et al. 2021, doi:
    10.1088/1367-2630/ac2cb3).
    """
    plus, minus = (sqrt(2) + 1) / (4 * sqrt(2)), (sqrt(2) - 1) / (4 * sqrt(2))
    columns = []
    for direction in torch.eye(len(parameters), dtype=F64):
        shifted = [parameters + shift * direction for shift in (pi / 2, -pi / 2, 3 * pi / 2, -3 * pi / 2)]
        a, b, c, d = (expected(circuit, [observable], features, each)[0] for each in shifted)
        columns.append(plus * (a - b) - minus * (c - d))
    return torch.stack(columns, -1)


# -- against the reference ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), circuit=unitary_circuits(most_qubits=6), batch=st.sampled_from([1, 3, 9]))
def test_gradients_of_expectation_values(backend, data, circuit, batch):
    observables = data.draw(st.lists(pauli_sums(circuit.n_qubits), min_size=1, max_size=3))
    features, parameters = inputs(circuit, batch)
    values = circuit.plan(observables)(features, parameters, backend=backend)
    wanted = torch.stack(expected(circuit, observables, features, parameters), -1)
    slopes = zip(gradients(values, features, parameters), gradients(wanted, features, parameters), strict=True)
    for slope, want in slopes:
        assert_near(slope, want, TIGHT)


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), circuit=unitary_circuits(most_qubits=5))
def test_gradients_of_amplitudes_probabilities_and_matrices(backend, data, circuit):
    wires = data.draw(st.permutations(range(circuit.n_qubits)))
    outputs = [State(), Probabilities(), Probabilities(tuple(wires[:2])), DensityMatrix((wires[0],))]
    features, parameters = inputs(circuit, 3)
    for output in outputs:
        value = circuit.plan(output)(features, parameters, backend=backend)
        (wanted,) = expected(circuit, [output], features, parameters)
        slopes = zip(gradients(value, features, parameters), gradients(wanted, features, parameters), strict=True)
        for slope, want in slopes:
            assert_near(slope, want, TIGHT)


@pytest.mark.parametrize("backend", BACKENDS)
@given(data=st.data(), circuit=general_circuits(most_operations=8))
def test_gradients_of_measured_selected_and_noisy_circuits(backend, data, circuit):
    observables = data.draw(st.lists(observables_of(circuit.n_qubits), min_size=1, max_size=2))
    features, parameters = inputs(circuit, 2)
    for observable in observables:
        value = circuit.plan(observable)(features, parameters, backend=backend)
        (wanted,) = expected(circuit, [observable], features, parameters)
        slopes = zip(gradients(value, features, parameters), gradients(wanted, features, parameters), strict=True)
        for slope, want in slopes:
            assert_near(slope, want, TIGHT)


@needs_core
@given(data=st.data(), circuit=unitary_circuits(most_qubits=6))
def test_gradients_in_single_precision(data, circuit):
    observable = data.draw(pauli_sums(circuit.n_qubits))
    features, parameters = inputs(circuit, 5, dtype=torch.float32)
    slopes = gradients(circuit.plan(observable)(features, parameters, backend="core"), features, parameters)
    doubled = features.detach().double().requires_grad_(), parameters.detach().double().requires_grad_()
    wanted = gradients(circuit.plan(observable)(*doubled, backend="torch"), *doubled)
    for slope, want in zip(slopes, wanted, strict=True):
        assert slope.dtype == torch.float32
        torch.testing.assert_close(slope.double(), want, rtol=2e-4, atol=2e-4)


# -- against shifted angles --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=15)
@given(data=st.data(), circuit=unitary_circuits(most_qubits=4, most_operations=10, angle=number))
def test_gradients_are_those_of_shifted_angles(backend, data, circuit):
    circuit, parameters = with_parameters(circuit)
    observable = data.draw(pauli_sums(circuit.n_qubits))
    features = torch.zeros(1, 0, dtype=F64)
    wanted = shift_rule(circuit, observable, features, parameters)[0] if len(parameters) else torch.zeros(0).double()
    value = circuit.plan(observable)(features, parameters.requires_grad_(), backend=backend)
    slope = (
        torch.autograd.grad(value.sum(), parameters, allow_unused=True, materialize_grads=True)[0]
        if value.requires_grad
        else torch.zeros_like(wanted)
    )
    assert_near(slope, wanted, TIGHT)


# -- torch's own checks ------------------------------------------------------------------------------------------------

MIXED = (
    Circuit(3)
    .ry(x[0], 0).rx(theta[0], 1).h(2).cnot(0, 1).crx(theta[0] * x[1], 1, 2).rzz(theta[1] + x[0], 0, 2)
    .unitary(haar(2, 3), [2, 0]).rot(theta[2], x[1], 0.3, 1).cp(theta[1], 2, 1).pauli_rotation("YX", theta[2], [1, 0])
)  # fmt: skip
SELECTED = MIXED.copy().post_select(2, 1).ry(theta[0], 2)
PREPARED = Circuit(3).prepare_amplitudes([x[0], 0.4, theta[1], x[0] * x[1]], [2, 0]).extend(MIXED)
NOISY = (
    Circuit(2)
    .ry(x[0], 0)
    .cnot(0, 1)
    .channel(damping(1, 0.3))
    .crx(theta[0], 1, 0)
    .measure(0)
    .ry(theta[1], 1, when="m0")
    .rx(theta[2] * x[1], 1)
)
OUTPUTS = {
    "expectations": [Z(0), X(1) @ Y(0) + 0.3, Z(0) @ Z(1)],
    "probabilities": Probabilities(),
    "projector": [Projector((1, 0), (1, 0)), Z(1)],
    "density": DensityMatrix((1,)),
}
CIRCUITS = pytest.mark.parametrize(
    "circuit", [MIXED, SELECTED, PREPARED, NOISY], ids=["mixed", "selected", "prepared", "noisy"]
)


@needs_core
@CIRCUITS
@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_gradcheck(circuit, output):
    plan = circuit.copy().plan(output)
    features, parameters = inputs(circuit, 2)
    function = lambda features, parameters: plan(features, parameters, backend="core")  # noqa: E731
    assert torch.autograd.gradcheck(function, (features, parameters))


@needs_core
@CIRCUITS
def test_gradgradcheck(circuit):
    plan = circuit.copy().plan(OUTPUTS["expectations"])
    features, parameters = inputs(circuit, 1)
    function = lambda features, parameters: plan(features, parameters, backend="core")  # noqa: E731
    assert torch.autograd.gradgradcheck(function, (features, parameters))


@needs_core
def test_gradgradcheck_of_amplitudes():
    plan = MIXED.copy().plan(State())
    features, parameters = inputs(MIXED, 1)
    function = lambda features, parameters: plan(features, parameters, backend="core")  # noqa: E731
    assert torch.autograd.gradgradcheck(function, (features, parameters))


# -- which gradients are there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("of_features", "of_parameters"), [(True, False), (False, True), (False, False)])
def test_gradients_of_one_input_alone(backend, of_features, of_parameters):
    plan = MIXED.copy().plan([Z(0), X(1)])
    features, parameters = inputs(MIXED, 4)
    both = gradients(plan(features, parameters, backend=backend), features, parameters)
    features, parameters = (
        features.detach().requires_grad_(of_features),
        parameters.detach().requires_grad_(of_parameters),
    )
    value = plan(features, parameters, backend=backend)
    assert value.requires_grad == (of_features or of_parameters)
    for wanted, needs, tensor in zip(both, (of_features, of_parameters), (features, parameters), strict=True):
        if needs:
            (slope,) = gradients(value, tensor)
            assert_near(slope, wanted, 1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_the_observables_do_not_see_has_gradient_0(backend):
    circuit = Circuit(3).ry(theta[0] + x[0], 0).ry(theta[1] + x[1], 1).cnot(1, 2).rz(theta[2], 0)
    features, parameters = inputs(circuit, 2)
    slopes = gradients(circuit.plan(Z(0))(features, parameters, backend=backend), features, parameters)
    assert slopes[1][0] != 0
    assert slopes[1][1:].tolist() == [0, 0]
    assert (slopes[0][:, 0] != 0).all()
    assert (slopes[0][:, 1] == 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_indices_that_no_gate_uses(backend):
    circuit = Circuit(1).rx(theta[5] + x[3], 0)
    features, parameters = inputs(circuit, 2)
    slopes = gradients(circuit.plan()(features, parameters, backend=backend), features, parameters)
    assert slopes[0].shape == (2, 4)
    assert slopes[1][:5].tolist() == [0] * 5
    assert slopes[1][5] != 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_backward_may_be_called_twice(backend):
    features, parameters = inputs(MIXED, 4)
    value = MIXED.copy().plan()(features, parameters, backend=backend).sum()
    first = torch.autograd.grad(value, (features, parameters), retain_graph=True)
    second = torch.autograd.grad(value, (features, parameters))
    for one, other in zip(first, second, strict=True):
        assert_near(one, other, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_part_of_the_result_may_be_used(backend):
    features, parameters = inputs(MIXED, 4)
    values = MIXED.copy().plan([Z(0), X(1)])(features, parameters, backend=backend)
    alone = MIXED.copy().plan(X(1))(features, parameters, backend=backend)
    for one, other in zip(
        gradients(values[1:2, 1], features, parameters), gradients(alone[1:2], features, parameters), strict=True
    ):
        assert_near(one, other, 1e-14)


@needs_core
def test_gradients_that_are_not_contiguous():
    features, parameters = inputs(MIXED, 4)
    values = MIXED.copy().plan([Z(0), X(1)])(features, parameters, backend="core")
    weights = torch.randn(2, 4, dtype=F64)
    strided = torch.autograd.grad(values, parameters, weights.T, retain_graph=True)
    assert_near(strided[0], torch.autograd.grad(values, parameters, weights.T.contiguous())[0], 0)
    expanded = MIXED.copy().plan([Z(0), X(1)])(features, parameters, backend="core").sum()
    assert_near(torch.autograd.grad(expanded, parameters)[0], gradients_of_ones(features, parameters), 0)


def gradients_of_ones(features: Tensor, parameters: Tensor) -> Tensor:
    values = MIXED.copy().plan([Z(0), X(1)])(features, parameters, backend="core")
    return torch.autograd.grad(values, parameters, torch.ones_like(values))[0]


# -- memory ------------------------------------------------------------------------------------------------------------


def deep(n: int, n_layers: int) -> Circuit:
    circuit = Circuit(n)
    angle = iter(theta[: 2 * n * n_layers])
    for _ in range(n_layers):
        for wire in range(n):
            circuit.rx(next(angle), wire).rz(next(angle), wire)
        for wire in range(n):
            circuit.cnot(wire, (wire + 1) % n).rzz(x[0], wire, (wire + 1) % n)
    return circuit


def saved_bytes(circuit: Circuit, batch: int) -> int:
    """Bytes that a run keeps for its backward pass, beside its inputs."""
    features, parameters = inputs(circuit, batch)
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in (features.data_ptr(), parameters.data_ptr()):
            kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        circuit.plan(Z(0))(features, parameters, backend="core")
    return sum(kept.values())


@needs_core
def test_what_is_kept_does_not_depend_on_depth():
    shallow, tall = deep(6, 2), deep(6, 40)
    assert saved_bytes(tall, 16) == saved_bytes(shallow, 16)
    assert 16 * 2**6 * 16 <= saved_bytes(tall, 16) < 1.5 * 16 * 2**6 * 16


@needs_core
def test_nothing_is_kept_without_gradients():
    features, parameters = inputs(MIXED, 4)
    plan = MIXED.copy().plan()
    with torch.no_grad():
        value = plan(features, parameters, backend="core")
    assert not value.requires_grad
    assert_near(value, plan(features, parameters, backend="core").detach(), 0)


@needs_core
def test_the_core_keeps_one_state_more_for_each_step_that_can_not_be_undone():
    from replank.circuits import core_backend

    def saved(circuit: Circuit) -> int:
        (component,) = circuit.plan([Z(0), Z(1), Z(2)]).components
        compiled = core_backend.CoreProgram(component.program, component.slots, component.output, prepared=False)
        return compiled.handle.saved_size(5, False, True)

    entangled = deep(3, 3)
    one = saved(entangled.copy())
    assert one == 5 * 2 * 2**3
    assert saved(deep(3, 30)) == one
    selected = entangled.copy().post_select(0, 1).ry(0.3, 0).cnot(0, 1).post_select(1, 0).cnot(1, 2)
    assert saved(selected) == 3 * one


# -- large -------------------------------------------------------------------------------------------------------------


@needs_core
def test_many_slots_and_steps():
    """More slots than a word has bits, and more than thirty steps."""
    circuit = deep(4, 20)
    plan = circuit.copy().plan([Z(0), Y(3)])
    (component,) = plan.components
    assert len(component.slots) > 64
    assert len(component.program.steps) > 30
    features, parameters = inputs(circuit, 3)
    values = plan(features, parameters, backend="core")
    wanted = plan(features, parameters, backend="torch")
    assert_near(values, wanted, 1e-12)
    for slope, want in zip(
        gradients(values, features, parameters), gradients(wanted, features, parameters), strict=True
    ):
        assert_near(slope, want, 1e-11)


@needs_core
def test_the_gradient_of_a_large_state():
    """GHZ on 20 qubits, turned at its ends: ``<X...X>`` is known in closed form."""
    n = 20
    circuit = Circuit(n).ry(theta[0], 0)
    for wire in range(n - 1):
        circuit.cnot(wire, wire + 1)
    circuit.rz(theta[1] + x[0], n - 1)
    all_x = PauliSum(((tuple((wire, "X") for wire in range(n)), 1.0),))
    features = torch.tensor([0.3], dtype=F64, requires_grad=True)
    parameters = torch.tensor([0.7, 0.4], dtype=F64, requires_grad=True)
    values = circuit.plan([all_x, Z(0)])(features, parameters, backend="core")
    a, b = parameters.detach()
    c = b + 0.3
    assert_near(values, torch.stack([a.sin() * c.cos(), a.cos()]), 1e-12)
    jacobian = torch.autograd.grad(values[0], (features, parameters), retain_graph=True)
    assert_near(jacobian[1], torch.stack([a.cos() * c.cos(), -a.sin() * c.sin()]), 1e-12)
    assert_near(jacobian[0], (-a.sin() * c.sin())[None], 1e-12)
