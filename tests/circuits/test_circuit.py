"""Circuits as data: what their methods add, and what they say about themselves."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replank.circuits import Circuit, Z, reference, theta, x
from replank.circuits.angle import Variable, as_angle, sin
from replank.circuits.gates import GATES
from replank.circuits.operations import Channel, Gate, Measure, PauliRotation, PrepareAmplitudes, Unitary
from replank.errors import UnknownName, UsageError
from tests.circuits.strategies import F64, PREPARED, damping, general_circuits, haar, inputs, unitary_circuits

METHODS = {name: name.lower() for name in GATES}
"""Gates and the methods that add them; the adjoint of iSWAP has none of its own."""


def unitary(circuit: Circuit, features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    return reference.unitary(circuit, features, parameters)


def assert_equal(actual: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(actual, wanted, rtol=0, atol=1e-10)


# -- building ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in GATES if hasattr(Circuit, METHODS[name])])
def test_a_method_adds_its_gate_with_angles_before_wires(name):
    kind = GATES[name]
    angles, wires = theta[: kind.n_angles], (2, 0, 1)[: kind.n_wires]
    circuit = getattr(Circuit(3), METHODS[name])(*angles, *wires)
    (gate,) = circuit
    assert (gate.name, gate.angles, gate.wires, gate.when) == (name, tuple(angles), wires, None)


def test_every_gate_but_one_has_a_method():
    assert [name for name in GATES if not hasattr(Circuit, METHODS[name])] == ["iSWAPdg"]


@pytest.mark.parametrize("name", [name for name in GATES if hasattr(Circuit, METHODS[name]) and name != "I"])
def test_a_gate_may_depend_on_a_measurement(name):
    kind = GATES[name]
    circuit = Circuit(3).measure(0)
    getattr(circuit, METHODS[name])(*theta[: kind.n_angles], *range(kind.n_wires), when="m0")
    assert circuit.operations[-1].when == "m0"


def test_methods_return_the_circuit_itself():
    circuit = Circuit(2)
    assert circuit.h(0).cnot(0, 1).measure(1).reset(0).post_select(0, 0).extend([]).freeze() is circuit
    assert [operation.label for operation in circuit] == ["H", "CNOT", "M", "Reset", "|0⟩⟨0|"]


def test_measurements_are_numbered_unless_they_are_named():
    circuit = Circuit(2).measure(0).measure(1, "parity").measure(0)
    assert [operation.key for operation in circuit] == ["m0", "parity", "m2"]


def test_a_basis_state_is_made_of_flips():
    circuit = Circuit(3).prepare_basis([1, 0, 1]).prepare_basis([1], [1])
    assert [(gate.name, gate.wires) for gate in circuit] == [("X", (0,)), ("X", (2,)), ("X", (1,))]


def test_amplitudes_are_angles_or_numbers():
    (symbolic,) = Circuit(2).prepare_amplitudes([x[0], 1.0, theta[0]])
    assert symbolic.angles == (x[0], as_angle(1.0), theta[0])
    (given_,) = Circuit(2).prepare_amplitudes(PREPARED[-1], (1, 0))
    assert given_.angles == ()
    assert given_.wires == (1, 0)


def test_arrays_are_copied_and_read_only():
    matrix = haar(1, 0)
    operation = Unitary(matrix=matrix, wires=(0,))
    matrix[0] = 7
    assert operation.matrix[0, 0] != 7
    with pytest.raises(ValueError, match="read-only"):
        operation.matrix[0, 0] = 7


def test_tensors_are_matrices_too():
    (operation,) = Circuit(1).unitary(torch.tensor([[0, 1], [1, 0]]), [0])
    np.testing.assert_array_equal(operation.matrix, [[0, 1], [1, 0]])


# -- reading -----------------------------------------------------------------------------------------------------------


def test_counts():
    circuit = Circuit(4).h(0).cnot(0, 1).rx(theta[2] + x[4], 1).rzz(sin(theta[0]), 2, 3).measure(0).x(3, when="m0")
    counts = circuit.counts()
    assert (counts.n_qubits, counts.n_gates, counts.n_two_qubit) == (4, 5, 2)
    assert (counts.n_parameters, counts.n_features) == (3, 5)
    assert counts.by_name == {"H": 1, "CNOT": 1, "RX": 1, "RZZ": 1, "M": 1, "X": 1}
    assert counts.depth == 3
    assert Circuit(2).counts().depth == 0
    assert repr(circuit) == "Circuit(4 qubits, 6 operations)"


@given(st.integers(1, 6), st.integers(0, 6))
def test_depth_of_layers(n, n_layers):
    circuit = Circuit(n)
    for _ in range(n_layers):
        circuit.extend(Gate(name="H", wires=(wire,)) for wire in range(n))
    assert circuit.counts().depth == n_layers
    assert len(circuit) == n * n_layers


def test_indices_count_where_they_are_prepared():
    circuit = Circuit(2).prepare_amplitudes([x[5], theta[1]])
    assert (circuit.n_features, circuit.n_parameters) == (6, 2)


# -- deriving ----------------------------------------------------------------------------------------------------------


@given(unitary_circuits(most_qubits=4))
def test_the_inverse_undoes_the_circuit(circuit):
    features, parameters = inputs(circuit, 1)
    both = circuit.copy().extend(circuit.inverse())
    assert_equal(unitary(both, features[0], parameters), torch.eye(2**circuit.n_qubits, dtype=torch.complex128))


@given(unitary_circuits(most_qubits=3))
def test_the_inverse_of_the_inverse_is_the_circuit(circuit):
    features, parameters = inputs(circuit, 1)
    twice = circuit.inverse().inverse()
    assert_equal(unitary(twice, features[0], parameters), unitary(circuit, features[0], parameters))


@given(general_circuits(most_operations=6))
def test_bound_circuits_take_no_input(circuit):
    features, parameters = inputs(circuit, 1)
    bound = circuit.bind(parameters.tolist(), features[0].tolist())
    assert (bound.n_features, bound.n_parameters) == (0, 0)
    nothing = torch.zeros(0, dtype=F64)
    wanted = reference.density_matrix(circuit, features[0], parameters)
    assert_equal(reference.density_matrix(bound, nothing, nothing), wanted.detach())


def test_binding_may_be_partial():
    circuit = Circuit(1).rx(theta[0] + 2 * theta[1], 0).bind([0.5])
    assert circuit.operations[0].angles == (2 * theta[1] + 0.5,)


@given(unitary_circuits(most_qubits=3, angle=lambda dice: dice.choice([theta[0], x[0] * theta[1], sin(x[1])])))
def test_renaming_parameters(circuit):
    moved = circuit.substitute({Variable("theta", 0): theta[1], Variable("theta", 1): theta[0]})
    features, parameters = torch.randn(2, dtype=F64), torch.randn(2, dtype=F64)
    assert_equal(unitary(moved, features, parameters.flip(0)), unitary(circuit, features, parameters))


@given(unitary_circuits(n_qubits=2, most_operations=8), st.permutations(range(4)))
def test_on_other_wires(circuit, order):
    """The same amplitudes, with the bits of the index where the wires went, and 0 on the others."""
    features, parameters = inputs(circuit, 1)
    wide = reference.state(circuit.on(order[:2], 4), features, parameters).reshape(2, 2, 2, 2)
    narrow = reference.state(circuit, features, parameters).reshape(2, 2)
    assert_equal(wide.permute(*order)[..., 0, 0], narrow)


def test_a_copy_is_independent_and_not_frozen():
    planned = Circuit(1).h(0)
    planned.plan()
    copied = planned.copy().x(0)
    assert (len(planned), len(copied)) == (1, 2)


@given(general_circuits(most_operations=5))
def test_circuits_survive_pickling(circuit):
    features, parameters = inputs(circuit, 1)
    wanted = reference.density_matrix(circuit, features[0], parameters)
    for other in (pickle.loads(pickle.dumps(circuit)), copy.deepcopy(circuit)):
        assert_equal(reference.density_matrix(other, features[0], parameters), wanted)


# -- what is refused ---------------------------------------------------------------------------------------------------

NOT_UNITARY = np.array([[1, 1], [0, 1]])
NAN = np.full((2, 2), np.nan)


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        (lambda: Circuit(0), "must be at least one qubit, got n_qubits=0"),
        (lambda: Circuit(2.0), "got n_qubits=2.0"),
        (lambda: Circuit(True), "got n_qubits=True"),
        (lambda: Circuit(2).x(2), r"X: wires must be among 0\.\.1 of a circuit with 2 qubits, got wires=\(2,\)"),
        (lambda: Circuit(2).cnot(0, -1), r"CNOT: wires must be among 0\.\.1.*got wires=\(0, -1\)"),
        (lambda: Circuit(2).x(True), "X: wires must be among"),
        (lambda: Circuit(2).x(0.0), "X: wires must be among"),
        (lambda: Circuit(2).cnot(1, 1), r"CNOT: wires must differ, got wires=\(1, 1\)"),
        (lambda: Circuit(3).toffoli(0, 1, 0), r"Toffoli: wires must differ, got wires=\(0, 1, 0\)"),
        (lambda: Circuit(2).gate("RX", [0.1], [0, 1]), r"RX: takes 1 wires, got 2: wires=\(0, 1\)"),
        (lambda: Circuit(2).gate("Rot", [0.1], [0]), "Rot: takes 3 angles, got 1"),
        (lambda: Circuit(2).rx(float("nan"), 0), "a number must be finite, got nan"),
        (lambda: Circuit(2).rx(float("inf"), 0), "a number must be finite, got inf"),
        (lambda: Circuit(2).bind([float("nan")]), "a number must be finite, got nan"),
        (lambda: Circuit(2).pauli_rotation("XQ", 0.1, [0, 1]), "needs a letter of I, X, Y, Z.*letters='XQ'"),
        (lambda: Circuit(2).pauli_rotation("X", 0.1, [0, 1]), "for each of 2 wires, got letters='X'"),
        (lambda: Circuit(2).unitary(NOT_UNITARY, [0]), r"U U\^\+ must be the identity, got a deviation of 1"),
        (lambda: Circuit(2).unitary(NAN, [0]), "got a deviation of nan"),
        (lambda: Circuit(2).unitary(np.eye(2), [0, 1]), r"must be 2\^k x 2\^k, got shape \(2, 2\) for wires=\(0, 1\)"),
        (lambda: Circuit(4).unitary(np.eye(16), [0, 1, 2, 3]), "on 1 to 3 wires"),
        (lambda: Circuit(2).unitary(np.zeros((0, 0)), []), "on 1 to 3 wires"),
        (lambda: Circuit(2).diagonal([0.0, 1.0, 2.0], [0, 1]), r"needs 2\^k finite phases.*got shape \(3,\)"),
        (lambda: Circuit(2).diagonal([0.0, np.inf], [0]), "finite phases"),
        (lambda: Circuit(13).diagonal(np.zeros(2**13), range(13)), "for 1 to 12 wires"),
        (lambda: Circuit(1).diagonal([0.0, 1j], [0]), "phases must be real"),
        (lambda: Circuit(1).x(0, when="m0"), r"when='m0' must name an earlier measurement, known: \[\]"),
        (lambda: Circuit(1).measure(0).x(0, when="m1"), r"when='m1' must name an earlier measurement, known: \['m0'\]"),
        (lambda: Circuit(2).measure(0, "a").measure(1, "a"), "a key must be new, got key='a' twice"),
        (lambda: Circuit(1).append(Measure(wires=(0,), key="a", when="b")), "only unitary operations can depend"),
        (lambda: Circuit(1).post_select(0, 2), "found in 0 or 1, got value=2"),
        (lambda: Circuit(2).prepare_basis([1]), r"a bit 0 or 1 for each of 2 wires, got bits=\[1\]"),
        (lambda: Circuit(2).prepare_basis([0, 2]), r"got bits=\[0, 2\]"),
        (lambda: Circuit(2).prepare_basis([1, 1], [0, 5]), r"wires must be among 0\.\.1"),
        (lambda: Circuit(2).prepare_product([[1, 0]]), r"two amplitudes for each of 2 wires, got \(1, 2\)"),
        (lambda: Circuit(1).prepare_product([[1, 1]]), r"states must have norm 1, got \[1.41.*Divide by it"),
        (lambda: Circuit(1).prepare_product([[np.nan, 0]]), "states must have norm 1, got"),
        (lambda: Circuit(1).prepare_amplitudes([1.0, 1.0]), r"states must have norm 1, got \[1.41"),
        (lambda: Circuit(2).prepare_amplitudes([1.0, 0.0]), r"2 wires have 4 amplitudes, got \(2,\)"),
        (lambda: Circuit(1).prepare_amplitudes([x[0], x[1], x[2]]), "1 wires hold 1 to 2 amplitudes, got 3"),
        (lambda: Circuit(2).h(1).prepare_amplitudes([x[0]]), r"on fresh qubits, got wires=\(0, 1\), used: {1}"),
        (lambda: Circuit(2).h(1).prepare_product([[1, 0]], [1]), r"on fresh qubits, got wires=\(1,\), used: {1}"),
        (lambda: Circuit(2).h(0).measure(0).inverse(), r"only unitary operations can be undone, got M on wires=\(0,\)"),
        (lambda: Circuit(1).channel(damping(0, 0.1)).inverse(), "only unitary operations can be undone, got damping"),
        (lambda: Circuit(2).on([0], 3), r"needs a wire for each of 2 qubits, got wires=\(0,\)"),
        (lambda: Channel(name="loss", wires=(0,), kraus=(np.eye(2) / 2,)), r"loss: sum K\^\+ K must be the identity"),
        (lambda: Channel(name="loss", wires=(0,), kraus=()), "loss: needs Kraus matrices"),
        (lambda: Channel(name="loss", wires=(0, 1, 2), kraus=(np.eye(8),)), "for 1 or 2 wires"),
        (lambda: PauliRotation(letters="XX", angle=theta[0], wires=(0,)), "for each of 1 wires"),
        (lambda: PrepareAmplitudes(amplitudes=(), wires=(0,)), "hold 1 to 2 amplitudes, got 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_bad_input(wrong, law):
    with pytest.raises(ValueError, match=law):
        wrong()


def test_an_unknown_gate_says_the_nearest_one():
    with pytest.raises(UnknownName, match=r"unknown gate 'CNOTT'\. Did you mean 'CNOT'"):
        Circuit(2).gate("CNOTT", [], [0, 1])


def test_a_matrix_is_not_trained():
    with pytest.raises(TypeError, match=r"a matrix is given, not trained.*Use \.detach"):
        Circuit(1).unitary(torch.eye(2, requires_grad=True), [0])


def test_a_planned_circuit_does_not_change():
    circuit = Circuit(1).h(0)
    circuit.plan(Z(0))
    with pytest.raises(UsageError, match=r"a planned circuit must not change. Take a \.copy"):
        circuit.x(0)
    assert len(circuit) == 1


def test_a_refused_operation_leaves_no_trace():
    circuit = Circuit(2).h(0)
    for wrong in (lambda: circuit.x(5), lambda: circuit.cnot(0, 0), lambda: circuit.x(0, when="m0")):
        with pytest.raises(ValueError, match="must"):
            wrong()
    assert [operation.label for operation in circuit] == ["H"]
