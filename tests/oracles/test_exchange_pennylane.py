"""Circuits as PennyLane's and back: PennyLane's own matrices, states, gradients and channels are the witness."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given

from replank.circuits import Circuit, Z, reference, theta, x
from replank.circuits.exchange import from_pennylane, to_pennylane
from replank.circuits.gates import GATES
from replank.circuits.operations import Channel
from tests.circuits.exchange.random_circuits import (
    ATOL,
    FEATURES,
    PARAMETERS,
    SYMBOLS,
    assert_same_state,
    assert_same_unitary,
    circuits,
    final_state,
    measured_circuits,
    unitary,
)

DAMPING = Channel(
    name="damping", wires=(1,), kraus=(np.array([[1, 0], [0, 0.8]]) + 0j, np.array([[0, 0.6], [0, 0]]) + 0j)
)


def matrix(function, *arguments, n=3):
    return torch.as_tensor(np.array(qml.matrix(function, wire_order=range(n))(*arguments)), dtype=torch.complex128)


def density_matrix(circuit: Circuit) -> torch.Tensor:
    """By PennyLane, which puts measurements off to the end on further wires."""

    @qml.qnode(qml.device("default.qubit"))
    def run():
        to_pennylane(circuit)(FEATURES.numpy(), PARAMETERS.numpy())
        return qml.density_matrix(range(circuit.n_qubits))

    return torch.as_tensor(np.array(run()))


# -- to PennyLane ------------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=SYMBOLS))
def test_unitaries_are_the_same_to_the_phase(circuit):
    theirs = matrix(to_pennylane(circuit), FEATURES.numpy(), PARAMETERS.numpy())
    torch.testing.assert_close(theirs, unitary(circuit), rtol=0, atol=ATOL)


@given(circuit=measured_circuits())
def test_measurements_and_what_depends_on_them(circuit):
    torch.testing.assert_close(density_matrix(circuit), final_state(circuit), rtol=0, atol=ATOL)


def test_post_selection():
    circuit = Circuit(3).ry(0.7, 0).cnot(0, 1).ry(0.4, 1).post_select(1, 1).h(2)
    torch.testing.assert_close(density_matrix(circuit), final_state(circuit), rtol=0, atol=ATOL)


def test_features_as_amplitudes():
    circuit = Circuit(2).prepare_amplitudes([x[0], 0.5, x[1]]).cnot(0, 1)
    torch.testing.assert_close(density_matrix(circuit), final_state(circuit), rtol=0, atol=ATOL)


def test_channels():
    circuit = Circuit(2).h(0).cnot(0, 1).channel(DAMPING)

    @qml.qnode(qml.device("default.mixed", wires=2))
    def run():
        to_pennylane(circuit)()
        return qml.density_matrix([0, 1])

    torch.testing.assert_close(torch.as_tensor(np.array(run())), final_state(circuit), rtol=0, atol=ATOL)


def test_wires_have_the_names_that_are_given():
    tape = qml.tape.make_qscript(to_pennylane(Circuit(3).cnot(2, 0), wire_order=("a", "b", "c")))()
    assert tape.operations == [qml.CNOT(wires=["c", "a"])]


def test_gradients_and_batches_flow_through():
    circuit = Circuit(2).ry(x[0], 0).rx(theta[0] * x[1], 1).cnot(0, 1).ry(torch.pi * theta[1], 1)
    features = torch.tensor([[0.3, -1.1], [0.2, 0.5], [1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    parameters = torch.tensor([0.7, 0.2], dtype=torch.float64, requires_grad=True)

    @qml.qnode(qml.device("default.qubit", wires=2), diff_method="backprop")
    def run(features, parameters):
        to_pennylane(circuit)(features, parameters)
        return qml.expval(qml.Z(1))

    rhos = [reference.density_matrix(circuit, sample, parameters) for sample in features]
    ours = torch.stack([reference.expectation(Z(1), rho) for rho in rhos])
    theirs = run(features, parameters)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=ATOL)
    for one, other in zip(*(torch.autograd.grad(y.sum(), [features, parameters]) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=ATOL)


@pytest.mark.parametrize("wire_order", [(0,), (0, 0), (0, 1, 2)])
def test_there_must_be_a_wire_for_each_qubit(wire_order):
    with pytest.raises(ValueError, match=r"^to_pennylane: needs 2 different wires, got wire_order="):
        to_pennylane(Circuit(2), wire_order=wire_order)


@pytest.mark.parametrize("features", [(), 0.3, [0.1, 0.2], torch.zeros(5, 2)], ids=repr)
def test_there_must_be_enough_features(features):
    function = to_pennylane(Circuit(1).rx(x[2], 0))
    with pytest.raises(ValueError, match=r"^to_pennylane: the circuit has 3 features in the last dimension, got shape"):
        qml.tape.make_qscript(function)(features, ())


# -- from PennyLane ----------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=SYMBOLS))
def test_unitaries_come_back_with_their_symbols(circuit):
    assert_same_unitary(from_pennylane(to_pennylane(circuit), x, theta, wire_order=range(3)), circuit)


@given(circuit=measured_circuits())
def test_measurements_come_back(circuit):
    assert_same_state(from_pennylane(to_pennylane(circuit), wire_order=range(3)), circuit)


@pytest.mark.parametrize("name", GATES)
def test_every_gate_comes_back_as_itself(name):
    angles = [theta[0], 0.5 * x[1] - 1, 0.3][: GATES[name].n_angles]
    circuit = Circuit(3).gate(name, angles, (2, 0, 1)[: GATES[name].n_wires])
    (gate,) = from_pennylane(to_pennylane(circuit), x, theta)
    assert (gate.name, gate.wires, gate.angles) == (name, circuit.operations[0].wires, circuit.operations[0].angles)


def test_channels_come_back():
    circuit = Circuit(2).h(0).cnot(0, 1).channel(DAMPING)
    assert_same_state(from_pennylane(to_pennylane(circuit)), circuit)


def test_a_measurement_that_is_reset_and_selected():
    def function():
        qml.RY(0.7, wires=0)
        measured = qml.measure(0, reset=True, postselect=1)
        qml.cond(measured, qml.RX)(0.3, wires=1)

    expected = Circuit(2).ry(0.7, 0).post_select(0, 1).reset(0).rx(0.3, 1)
    assert_same_state(from_pennylane(function), expected)


RNG = np.random.default_rng(0)
FOREIGN = {
    "templates": lambda: qml.StronglyEntanglingLayers(RNG.normal(size=(2, 3, 3)), wires=range(3)),
    "Fourier transform": lambda: qml.QFT(wires=range(3)),
    "adjoint of a template": lambda: qml.adjoint(qml.QFT)(wires=range(3)),
    "adjoint": lambda: qml.adjoint(qml.Rot(0.1, 0.2, 0.3, wires=1)),
    "control": lambda: qml.ctrl(qml.RX(0.3, wires=0), control=[1, 2], control_values=[0, 1]),
    "power": lambda: qml.pow(qml.T(wires=0), 3),
    "product": lambda: qml.prod(qml.S(0), qml.T(1), qml.X(0)),
    "exponential": lambda: qml.evolve(qml.Z(0) @ qml.Z(1) @ qml.X(2), 0.3),
    "MultiRZ": lambda: qml.MultiRZ(0.3, wires=[2, 0]),
    "PauliRot": lambda: qml.PauliRot(0.3, "XY", wires=[2, 0]),
    "identity": lambda: qml.Identity(wires=[0, 1, 2]),
    "global phase": lambda: qml.GlobalPhase(0.4),
    "U1 and U2": lambda: (qml.U1(0.3, wires=0), qml.U2(0.1, 0.2, wires=1)),
    "excitation": lambda: qml.DoubleExcitation(0.4, wires=range(4)),
    "large matrix": lambda: qml.QubitUnitary(np.linalg.qr(RNG.normal(size=(16, 16)))[0], wires=range(4)),
    "diagonal": lambda: qml.DiagonalQubitUnitary(np.exp(1j * RNG.normal(size=8)), wires=[2, 0, 1]),
    "barrier": lambda: (qml.X(0), qml.Barrier(wires=[0, 1]), qml.Y(0)),
}


@pytest.mark.parametrize("function", FOREIGN.values(), ids=FOREIGN)
def test_foreign_operators(function):
    tape = qml.tape.make_qscript(function)()
    ours = reference.unitary(from_pennylane(tape, wire_order=range(4)))
    theirs = torch.as_tensor(np.array(qml.matrix(tape, wire_order=range(4))), dtype=torch.complex128)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=ATOL)


@pytest.mark.parametrize("prepare", [qml.BasisState, qml.StatePrep], ids=["basis", "amplitudes"])
def test_prepared_states(prepare):
    values = [1, 0] if prepare is qml.BasisState else np.array([0.6, 0.0, 0.48j, 0.64])

    def function():
        prepare(values, wires=[2, 0])

    theirs = qml.QNode(lambda: (function(), qml.density_matrix(range(3)))[1], qml.device("default.qubit", wires=3))()
    ours = final_state(from_pennylane(function, wire_order=range(3)))
    torch.testing.assert_close(ours, torch.as_tensor(np.array(theirs)), rtol=0, atol=ATOL)


def test_a_qnode_without_its_observables():
    @qml.qnode(qml.device("default.qubit", wires=1))
    def node(weights, scale):
        qml.RX(scale * weights[1], wires=0)
        return qml.expval(qml.Z(0))

    (gate,) = from_pennylane(node, theta, 0.5)
    assert gate.angles == (0.5 * theta[1],)


def test_wires_keep_their_numbers_and_names_are_numbered():
    assert from_pennylane(lambda: qml.CNOT(wires=[3, 1])).operations[0].wires == (3, 1)
    assert from_pennylane(lambda: qml.CNOT(wires=np.array([3, 1]))).operations[0].wires == (3, 1)
    assert from_pennylane(lambda: qml.CNOT(wires=["b", "a"])).operations[0].wires == (0, 1)
    assert from_pennylane(lambda: qml.CNOT(wires=["b", "a"]), wire_order=["a", "b"]).operations[0].wires == (1, 0)


def on_two_measurements():
    qml.cond(qml.measure(0) & qml.measure(1), qml.X)(2)


def on_zero():
    qml.cond(~qml.measure(0), qml.X)(2)


REFUSED = {
    "two measurements": (on_two_measurements, r"Conditional\(PauliX\) on wires \[2\] .*one measurement gave 1"),
    "measured 0": (on_zero, r"Conditional\(PauliX\) on wires \[2\] .*one measurement gave 1"),
    "not unitary": (lambda: qml.Projector([1], wires=0), r"Projector on wires \[0\] .*must be the identity"),
    "density matrix": (lambda: qml.QubitDensityMatrix(np.eye(2) / 2, wires=0), "QubitDensityMatrix .* neither"),
    "batch": (lambda: qml.RX(np.array([0.1, 0.2]), wires=0), r"RX .*one number, got a batch of shape \(2,\)"),
    "not a number": (lambda: qml.RX(float("nan"), wires=0), r"RX .*must be finite, got nan"),
    "control of a symbol": (lambda: qml.ctrl(qml.RX(theta[0], wires=0), control=[1, 2]), r"C\(RX\) .*numbers only"),
}


@pytest.mark.parametrize(("function", "law"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_named(function, law):
    with pytest.raises(ValueError, match=f"^from_pennylane: {law}"):
        from_pennylane(function)


def test_a_wire_that_is_not_in_the_order():
    with pytest.raises(ValueError, match=r"^from_pennylane: CNOT on wires \['a', 'b'\] .*wire_order=\['b'\]"):
        from_pennylane(lambda: qml.CNOT(wires=["a", "b"]), wire_order=["b"])


@pytest.mark.parametrize(
    "function",
    [lambda v: qml.RX(np.sin(v[0]), wires=0), to_pennylane(Circuit(1).prepare_amplitudes([x[0], x[1]]))],
    ids=["sine", "amplitudes"],
)
def test_symbols_can_do_arithmetic_only(function):
    with pytest.raises(ValueError, match=r"^from_pennylane: a function may only do arithmetic .*Give it numbers\."):
        from_pennylane(function, x)


def test_a_function_that_fails_for_other_reasons_says_so_itself():
    with pytest.raises(TypeError, match="unsupported operand"):
        from_pennylane(lambda value: qml.RX(value + "", wires=0), 1)


def test_what_is_no_function():
    with pytest.raises(TypeError, match=r"^from_pennylane: `source` must be a tape, a quantum function or a QNode"):
        from_pennylane(3)


def test_methods_are_the_functions():
    circuit = Circuit.from_pennylane(Circuit(2).cnot(1, 0).to_pennylane(wire_order="ab"), wire_order="ba")
    assert circuit.operations[0].wires == (0, 1)
