"""Circuits as Qiskit's and back, and OpenQASM as Qiskit writes and reads it.

Qiskit's matrices have qubit 0 as the least significant bit: ``reverse_bits`` turns them into ours.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2, qasm3
from qiskit.circuit import Clbit, Gate, Parameter, ParameterVector, library
from qiskit.quantum_info import DensityMatrix, Operator, SparsePauliOp

from replank.circuits import Circuit, reference, theta, x
from replank.circuits.exchange import from_qasm, from_qiskit, to_qasm, to_qiskit
from replank.circuits.gates import GATES
from replank.circuits.operations import Channel
from tests.circuits.exchange.random_circuits import (
    ARITHMETIC,
    ATOL,
    FEATURES,
    PARAMETERS,
    SYMBOLS,
    assert_same_state,
    assert_same_unitary,
    assert_same_up_to_phase,
    circuits,
    final_state,
    measured_circuits,
    unitary,
)

# by Qiskit itself, on the way to matrices of evolutions
pytestmark = pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")


def bound(circuit: QuantumCircuit) -> QuantumCircuit:
    """With the numbers of the features and parameters that occur, whatever brackets their names have got."""
    values = {f"x{k}": value for k, value in enumerate(FEATURES.tolist())}
    values |= {f"theta{k}": value for k, value in enumerate(PARAMETERS.tolist())}
    return circuit.assign_parameters({p: values[re.sub(r"\W|_", "", p.name)] for p in circuit.parameters})


def matrix(circuit: QuantumCircuit) -> torch.Tensor:
    return torch.as_tensor(Operator(bound(circuit)).reverse_qargs().data)


def assert_same_matrix(theirs: QuantumCircuit, ours: Circuit) -> None:
    torch.testing.assert_close(matrix(theirs), unitary(ours), rtol=0, atol=ATOL)


# -- to Qiskit ---------------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=SYMBOLS))
def test_unitaries_are_the_same_to_the_phase(circuit):
    assert_same_matrix(to_qiskit(circuit), circuit)


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(2).prepare_amplitudes([0.6, 0.0, 0.48j, 0.64], (1, 0)).cnot(0, 1),
        Circuit(2).prepare_product([[0.8, -0.6j], [0.6j, 0.8]]).cz(0, 1),
        Circuit(2).h(0).cnot(0, 1).reset(0),
        Circuit(2)
        .h(0)
        .cnot(0, 1)
        .channel(Channel(name="flip", wires=(1,), kraus=(0.8 * np.eye(2) + 0j, np.array([[0, 0.6], [0.6, 0]]) + 0j))),
    ],
    ids=["amplitudes", "product", "reset", "channel"],
)
def test_states_and_channels(circuit):
    theirs = DensityMatrix.from_label("00").evolve(to_qiskit(circuit)).reverse_qargs().data
    torch.testing.assert_close(torch.as_tensor(theirs), final_state(circuit), rtol=0, atol=ATOL)
    assert_same_state(from_qiskit(to_qiskit(circuit)), circuit)


def test_a_condition_is_a_block_of_its_own():
    circuit = to_qiskit(Circuit(2).h(0).measure(0, "parity").rx(theta[0], 1, when="parity"))
    block = circuit.data[-1].operation
    (register,) = circuit.cregs
    assert (register.name, register.size, block.condition) == ("parity", 1, (register, 1))
    assert block.blocks[0].data[0].operation.name == "rx"
    assert circuit.parameters[0].name == "theta[0]"


@pytest.mark.parametrize(
    ("circuit", "law"),
    [
        (Circuit(2).post_select(1, 1), r"Qiskit has no post-selection, got one on wires=\(1,\)"),
        (Circuit(1).prepare_amplitudes([x[0], x[1]]), r"given amplitudes only, got x\[0\], x\[1\].*bind"),
    ],
    ids=["post-selection", "features as amplitudes"],
)
def test_export_refuses(circuit, law):
    with pytest.raises(ValueError, match=f"^to_qiskit: .*{law}"):
        to_qiskit(circuit)


# -- from Qiskit -------------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=SYMBOLS))
def test_unitaries_come_back_with_their_symbols(circuit):
    assert_same_unitary(from_qiskit(to_qiskit(circuit)), circuit)


@given(circuit=measured_circuits())
def test_measurements_come_back(circuit):
    assert_same_state(from_qiskit(to_qiskit(circuit)), circuit)


@pytest.mark.parametrize("name", [name for name in GATES if name != "Rot"])  # which Qiskit has not
def test_every_gate_comes_back_as_itself(name):
    angles = [theta[0], 0.5 * x[1] - 1, 0.3][: GATES[name].n_angles]
    circuit = Circuit(3).gate(name, angles, (2, 0, 1)[: GATES[name].n_wires])
    (gate,) = from_qiskit(to_qiskit(circuit))
    assert (gate.name, gate.wires, gate.angles) == (name, circuit.operations[0].wires, circuit.operations[0].angles)


def test_pauli_rotations_and_diagonals_come_back_as_themselves():
    circuit = Circuit(3).pauli_rotation("XZY", 0.5 * theta[1], (2, 0, 1)).diagonal([0.1, 0.2, 0.3, 0.4], (2, 0))
    labels = [(operation.label, operation.wires) for operation in from_qiskit(to_qiskit(circuit))]
    assert labels == [("RXZY", (2, 0, 1)), ("Diag", (2, 0))]


A, B = Parameter("a"), Parameter("b")


def foreign(n_qubits: int, *gates: tuple) -> QuantumCircuit:
    circuit = QuantumCircuit(n_qubits)
    for gate, *qubits in gates:
        circuit.append(gate, qubits)
    return circuit


def of_a_matrix(n_qubits: int) -> library.UnitaryGate:
    return library.UnitaryGate(scipy.stats.unitary_group.rvs(2**n_qubits, random_state=n_qubits))


FOREIGN = {
    "Fourier transform": foreign(3, (library.QFTGate(3), 2, 0, 1)),
    "controls": foreign(4, (library.C3XGate(), 0, 1, 3, 2), (library.CSXGate(), 1, 0)),
    "controls on 0": foreign(3, (library.CXGate(ctrl_state=0), 2, 0), (library.CCXGate(ctrl_state=1), 2, 0, 1)),
    "a relative phase": foreign(3, (library.RCCXGate(), 2, 0, 1)),
    "one qubit": foreign(1, (library.U2Gate(0.1, 0.2), 0), (library.RGate(0.1, 0.2), 0), (library.U3Gate(1, 2, 3), 0)),
    "two qubits": foreign(2, (library.ECRGate(), 1, 0), (library.RZXGate(0.3), 1, 0), (library.CU1Gate(0.2), 1, 0)),
    "matrices": foreign(4, (of_a_matrix(2), 3, 1), (of_a_matrix(4), 2, 0, 1, 3)),
    "diagonal": foreign(3, (library.DiagonalGate(list(np.exp(1j * np.arange(8)))), 2, 0, 1)),
    "permutation": foreign(3, (library.PermutationGate([2, 0, 1]), 2, 0, 1)),
    "Paulis": foreign(3, (library.PauliGate("XYZ"), 2, 0, 1)),
    "one Pauli string": foreign(3, (library.PauliEvolutionGate(SparsePauliOp(["XYZ"], [0.3]), 0.7), 2, 0, 1)),
    "two Pauli strings": foreign(2, (library.PauliEvolutionGate(SparsePauliOp(["XI", "XZ"], [0.3, 0.4]), 0.7), 1, 0)),
    "annotated": foreign(2, (library.SGate().control(annotated=True), 1, 0), (library.SXGate().inverse(True), 0)),
    "global phase": foreign(1, (library.GlobalPhaseGate(0.4),), (library.XGate(), 0)),
    "barrier": foreign(2, (library.XGate(), 0), (library.Barrier(2), 0, 1), (library.YGate(), 0)),
}  # fmt: skip


@pytest.mark.parametrize("circuit", FOREIGN.values(), ids=FOREIGN)
def test_foreign_gates(circuit):
    assert_same_matrix(circuit, from_qiskit(circuit))


def test_expressions_of_parameters():
    circuit = QuantumCircuit(1, global_phase=A)
    for angle in (
        A / (B + 3),
        (A * B - 1) ** 2,
        A.sin() + A.cos() * B.exp(),
        A.arctan() + B.tan(),
        -A + np.pi,
        A - A + 1,
    ):
        circuit.ry(angle, 0)
        circuit.h(0)
    theirs = Operator(circuit.assign_parameters({A: 0.7, B: 0.3})).data
    ours = reference.unitary(from_qiskit(circuit).bind([0.7, 0.3]))
    torch.testing.assert_close(ours, torch.as_tensor(theirs), rtol=0, atol=ATOL)


def test_names_of_parameters():
    ours = ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    for parameter in (B, A, ours[0], ours[2], Parameter("x[1]")):
        circuit.rx(parameter, 0)
    angles = [gate.angles[0] for gate in from_qiskit(circuit)]
    assert angles == [theta[3], theta[1], theta[0], theta[2], x[1]]


def test_measurements_in_what_an_instruction_consists_of():
    part = QuantumCircuit(1, 1, name="part")
    part.h(0)
    part.measure(0, 0)
    circuit = QuantumCircuit(2, 2)
    circuit.append(part.to_instruction(), [1], [1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(0)
    assert_same_state(from_qiskit(circuit), Circuit(2).h(1).measure(1, "k").x(0, when="k"))
    assert from_qiskit(circuit).operations[1].key == "c[1]"


def test_bits_with_names_that_look_alike_stay_apart():
    circuit = QuantumCircuit(QuantumRegister(3, "q"), [Clbit()], ClassicalRegister(1, "bit_0"))
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(2)
    assert_same_state(from_qiskit(circuit), Circuit(3).h(0).h(1).measure(0, "k").measure(1).x(2, when="k"))


def measured(build) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    circuit.measure(0, 1)
    build(circuit)
    return circuit


def with_else(circuit):
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.y(1)


def on_zero(circuit):
    with circuit.if_test((circuit.clbits[0], 0)):
        circuit.x(1)


def on_two_bits(circuit):
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)


def nested(circuit):
    with circuit.if_test((circuit.clbits[0], 1)), circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(1)


def measured_in_a_block(circuit):
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.measure(1, 1)


def in_a_loop(circuit):
    with circuit.for_loop(range(3)):
        circuit.x(1)


REFUSED = {
    "else": (measured(with_else), 2, "if_else", "an `else` has no counterpart"),
    "condition on 0": (measured(on_zero), 2, "if_else", "one measured bit is 1"),
    "condition on two bits": (measured(on_two_bits), 2, "if_else", "one measured bit is 1"),
    "two conditions": (measured(nested), 2, "if_else", "on one alone, got X"),
    "measurement under a condition": (measured(measured_in_a_block), 2, "if_else", "only gates can depend"),
    "loop": (measured(in_a_loop), 2, "for_loop", "neither a counterpart nor a definition"),
    "no definition": (foreign(1, (Gate("magic", 1, []), 0)), 0, "magic", "neither a counterpart nor a definition"),
    "function": (foreign(1, (library.RXGate(A.log()), 0)), 0, "rx", "the function 'log'"),
    "exponent": (foreign(1, (library.RXGate(A**B), 0)), 0, "rx", "b must be a real number"),
    "root": (foreign(1, (library.RXGate(A**0.3), 0)), 0, "rx", r"the exponent 0\.3"),
    "not a number": (foreign(1, (library.RXGate(float("nan")), 0)), 0, "rx", "must be finite, got nan"),
}  # fmt: skip


@pytest.mark.parametrize(("circuit", "position", "name", "law"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_named(circuit, position, name, law):
    with pytest.raises(ValueError, match=f"^from_qiskit: instruction {position}, '{name}' on qubits .*{law}"):
        from_qiskit(circuit)


def test_what_is_no_circuit():
    with pytest.raises(TypeError, match=r"^from_qiskit: `source` must be a QuantumCircuit, got str\."):
        from_qiskit("OPENQASM 3.0;")


def test_methods_are_the_functions():
    circuit = Circuit(2).rx(theta[1], 1).cnot(0, 1)
    assert_same_unitary(Circuit.from_qiskit(circuit.to_qiskit()), circuit)


# -- OpenQASM by Qiskit ------------------------------------------------------------------------------------------------


@given(circuit=circuits(symbols=ARITHMETIC))  # Qiskit reads no functions
def test_qiskit_reads_our_version_3(circuit):
    assert_same_matrix(qasm3.loads(to_qasm(circuit)), circuit)


@given(circuit=circuits())
def test_qiskit_reads_our_version_2(circuit):
    assert_same_up_to_phase(from_qiskit(qasm2.loads(to_qasm(circuit, 2))), circuit)


@given(circuit=measured_circuits())
def test_qiskit_reads_our_measurements(circuit):
    assert_same_state(from_qiskit(qasm3.loads(to_qasm(circuit))), circuit)
    assert_same_state(from_qiskit(qasm2.loads(to_qasm(circuit, 2))), circuit)


def made_of_gates(circuit: Circuit) -> QuantumCircuit:
    """What Qiskit can write: it knows no diagonals in OpenQASM, and leaves phases of definitions out."""
    return to_qiskit(from_qasm(to_qasm(circuit)))


@given(circuit=circuits(symbols=SYMBOLS))
def test_we_read_version_3_by_qiskit(circuit):
    assert_same_up_to_phase(from_qasm(qasm3.dumps(made_of_gates(circuit))), circuit)


@given(circuit=circuits())
def test_we_read_version_2_by_qiskit(circuit):
    assert_same_up_to_phase(from_qasm(qasm2.dumps(made_of_gates(circuit))), circuit)


@given(circuit=measured_circuits())
def test_we_read_measurements_by_qiskit(circuit):
    assert_same_state(from_qasm(qasm3.dumps(made_of_gates(circuit))), circuit)
