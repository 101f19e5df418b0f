"""PennyLane and Qiskit as witnesses of circuits: states with their global phase, values, noise, and gradients.

Both are told a circuit gate by gate, by tables of this file. Qubit 0 is the most significant bit of an index here and
in PennyLane, and the least significant one in Qiskit.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import library
from qiskit.quantum_info import DensityMatrix as QiskitDensityMatrix
from qiskit.quantum_info import Kraus, Operator, SparsePauliOp, Statevector

from replank.circuits import Circuit, DensityMatrix, PauliSum, Probabilities, State, X, Y, Z, reference
from replank.circuits.gates import GATES
from replank.circuits.operations import (
    Channel,
    Diagonal,
    Gate,
    Measure,
    Operation,
    PauliRotation,
    PostSelect,
    PrepareAmplitudes,
    PrepareProduct,
    Reset,
    Unitary,
)
from tests.circuits.strategies import (
    BACKENDS,
    F64,
    damping,
    general_circuits,
    gradients,
    haar,
    inputs,
    number,
    pauli_sums,
    unitary_circuits,
    with_parameters,
)

NOTHING = torch.zeros(0, dtype=F64)
BOTH_BACKENDS = pytest.mark.parametrize("backend", BACKENDS)

# -- PennyLane ---------------------------------------------------------------------------------------------------------

PENNYLANE = {
    "I": qml.Identity, "X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ, "H": qml.Hadamard,
    "S": qml.S, "Sdg": qml.adjoint(qml.S), "T": qml.T, "Tdg": qml.adjoint(qml.T),
    "SX": qml.SX, "SXdg": qml.adjoint(qml.SX),
    "RX": qml.RX, "RY": qml.RY, "RZ": qml.RZ, "P": qml.PhaseShift, "U3": qml.U3, "Rot": qml.Rot,
    "CNOT": qml.CNOT, "CZ": qml.CZ, "CY": qml.CY, "CH": qml.CH, "SWAP": qml.SWAP,
    "iSWAP": qml.ISWAP, "iSWAPdg": qml.adjoint(qml.ISWAP),
    "CRX": qml.CRX, "CRY": qml.CRY, "CRZ": qml.CRZ, "CP": qml.ControlledPhaseShift,
    "RXX": qml.IsingXX, "RYY": qml.IsingYY, "RZZ": qml.IsingZZ, "Toffoli": qml.Toffoli,
}  # fmt: skip


def tell_pennylane(circuit: Circuit, parameters: torch.Tensor = NOTHING) -> None:
    """Queue a circuit's operations."""
    outcomes = {}
    for operation in circuit:
        wires = operation.wires
        match operation:
            case Measure(key=key):
                outcomes[key] = qml.measure(wires[0])
            case Reset():
                qml.measure(wires[0], reset=True)
            case PostSelect(value=value):
                qml.measure(wires[0], postselect=value)
            case Channel(kraus=kraus):
                qml.QubitChannel(list(kraus), wires=wires)
            case PrepareAmplitudes(amplitudes=amplitudes):
                qml.StatePrep(
                    np.asarray([getattr(a, "constant", a) for a in amplitudes]), wires=wires, pad_with=0, normalize=True
                )
            case PrepareProduct(states=states):
                for wire, state in zip(wires, states, strict=True):
                    qml.StatePrep(state, wires=[wire])
            case _ if operation.when is not None:
                qml.cond(outcomes[operation.when], partial(pennylane_gate, operation, parameters))()
            case _:
                pennylane_gate(operation, parameters)


def pennylane_gate(operation: Operation, parameters: torch.Tensor) -> None:
    angles = [angle.evaluate(parameters, parameters) for angle in operation.angles]
    angles = angles if parameters.requires_grad else [float(angle) for angle in angles]
    match operation:
        case Gate(name=name, wires=wires):
            PENNYLANE[name](*angles, wires=wires)
        case PauliRotation(letters=letters, wires=wires):
            qml.PauliRot(angles[0], letters, wires=wires)
        case Unitary(matrix=matrix, wires=wires):
            qml.QubitUnitary(matrix, wires=wires)
        case Diagonal(phases=phases, wires=wires):
            qml.DiagonalQubitUnitary(np.exp(1j * phases), wires=wires)


def by_pennylane(circuit: Circuit, measured, parameters: torch.Tensor = NOTHING, *, noisy: bool = False):
    """What PennyLane's simulator measures of a circuit."""
    defers = any(isinstance(operation, Measure | Reset | PostSelect) for operation in circuit)
    device = qml.device("default.mixed" if noisy else "default.qubit", wires=None if defers else circuit.n_qubits)
    interface = "torch" if parameters.requires_grad else "auto"

    @qml.qnode(device, interface=interface, diff_method="backprop" if parameters.requires_grad else None)
    def run():
        tell_pennylane(circuit, parameters)
        return measured()

    return run()


def pennylane_sum(observable: PauliSum):
    terms = [
        (c, qml.prod(*(getattr(qml, letter)(wire) for wire, letter in word)) if word else qml.Identity(0))
        for word, c in observable.terms
    ]
    return qml.dot(*zip(*terms, strict=True)) if terms else 0.0 * qml.Identity(0)


# -- Qiskit ------------------------------------------------------------------------------------------------------------

QISKIT = {
    "I": library.IGate, "X": library.XGate, "Y": library.YGate, "Z": library.ZGate, "H": library.HGate,
    "S": library.SGate, "Sdg": library.SdgGate, "T": library.TGate, "Tdg": library.TdgGate,
    "SX": library.SXGate, "SXdg": library.SXdgGate,
    "RX": library.RXGate, "RY": library.RYGate, "RZ": library.RZGate, "P": library.PhaseGate, "U3": library.UGate,
    "CNOT": library.CXGate, "CZ": library.CZGate, "CY": library.CYGate, "CH": library.CHGate, "SWAP": library.SwapGate,
    "iSWAP": library.iSwapGate, "iSWAPdg": lambda: library.iSwapGate().inverse(),
    "CRX": library.CRXGate, "CRY": library.CRYGate, "CRZ": library.CRZGate, "CP": library.CPhaseGate,
    "RXX": library.RXXGate, "RYY": library.RYYGate, "RZZ": library.RZZGate, "Toffoli": library.CCXGate,
}  # fmt: skip


def for_qiskit(circuit: Circuit) -> QuantumCircuit:
    """A unitary circuit without parameters."""
    told = QuantumCircuit(circuit.n_qubits)
    for operation in circuit:
        angles, wires = [angle.constant for angle in operation.angles], list(operation.wires)
        match operation:
            case Gate(name="Rot"):
                for gate, angle in zip((library.RZGate, library.RYGate, library.RZGate), angles, strict=True):
                    told.append(gate(angle), wires)
            case Gate(name=name):
                told.append(QISKIT[name](*angles), wires)
            case PauliRotation(letters=letters):
                string, half = Operator(SparsePauliOp(letters[::-1])).data, angles[0] / 2
                turned = np.cos(half) * np.eye(len(string)) - 1j * np.sin(half) * string
                told.append(library.UnitaryGate(turned), wires)
            case Unitary(matrix=matrix):
                told.append(library.UnitaryGate(matrix), wires[::-1])
            case Diagonal(phases=phases):
                told.append(library.DiagonalGate(np.exp(1j * phases).tolist()), wires[::-1])
            case _:
                raise AssertionError(operation)
    return told


def most_significant_first(told: QuantumCircuit) -> QuantumCircuit:
    return told.reverse_bits()


def state_by_qiskit(circuit: Circuit) -> np.ndarray:
    return Statevector(most_significant_first(for_qiskit(circuit))).data


# -- ours --------------------------------------------------------------------------------------------------------------


def ours(circuit: Circuit, observables, backend: str, dtype: torch.dtype = F64):
    nothing = torch.zeros(0, dtype=dtype)
    return circuit.copy().plan(observables)(nothing, nothing, backend=backend)


def assert_equal(actual, wanted, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(np.asarray(actual), np.asarray(wanted), rtol=0, atol=atol)


# -- conventions -------------------------------------------------------------------------------------------------------


def single_gate(name: str) -> Circuit:
    """A gate on wires in an order that is neither rising nor falling, with angles of both signs beyond pi."""
    kind = GATES[name]
    angles = np.random.default_rng(len(name)).uniform(-7, 7, kind.n_angles)
    return Circuit(3).gate(name, angles.tolist(), (1, 2, 0)[: kind.n_wires])


@pytest.mark.parametrize("name", GATES)
def test_matrices_with_their_global_phase(name):
    circuit = single_gate(name)
    matrix = reference.unitary(circuit)
    assert_equal(matrix, qml.matrix(tell_pennylane, wire_order=range(3))(circuit))
    assert_equal(matrix, Operator(most_significant_first(for_qiskit(circuit))).data)


@BOTH_BACKENDS
@pytest.mark.parametrize("name", GATES)
def test_states_with_their_global_phase(backend, name):
    start = Circuit(3).unitary(haar(3, 5), [0, 1, 2])
    circuit = start.extend(single_gate(name))
    state = ours(circuit, State(), backend)
    assert_equal(state, by_pennylane(circuit, qml.state))
    assert_equal(state, state_by_qiskit(circuit))


@BOTH_BACKENDS
@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(3).x(0),
        Circuit(3).rx(0.3, 2).ry(-0.9, 0),
        Circuit(3).h(0).s(0).cnot(0, 2).t(2),
        Circuit(4).pauli_rotation("XYZ", 0.7, [3, 0, 2]).pauli_rotation("YIX", -1.9, [0, 1, 3]),
        Circuit(3).unitary(haar(2, 1), [2, 0]).unitary(haar(3, 2), [1, 2, 0]),
        Circuit(3).h(0).h(1).h(2).diagonal(np.arange(8) / 3, [2, 0, 1]),
        Circuit(3).ry(0.4, 1).iswap(1, 0).gate("iSWAPdg", [], (2, 0)).swap(0, 1),
        Circuit(4).ry(0.4, 0).ry(0.9, 1).toffoli(1, 0, 3).ch(3, 2).cp(0.3, 2, 0),
    ],
    ids=lambda circuit: " ".join(each.label for each in circuit),
)  # fmt: skip
def test_asymmetric_circuits(backend, circuit):
    state = ours(circuit, State(), backend)
    assert_equal(state, by_pennylane(circuit, qml.state))
    assert_equal(state, state_by_qiskit(circuit))
    wires = (circuit.n_qubits - 1, 0)
    probabilities, matrix = ours(circuit, [Probabilities(wires), DensityMatrix(wires)], backend)
    assert_equal(probabilities, by_pennylane(circuit, lambda: qml.probs(wires=wires)))
    assert_equal(matrix, by_pennylane(circuit, lambda: qml.density_matrix(wires=wires)))


@BOTH_BACKENDS
def test_the_sign_of_y_and_the_order_of_strings(backend):
    circuit = Circuit(3).rx(0.5, 0).ry(0.8, 2).crx(1.1, 2, 1).rz(0.4, 1)
    observables = [X(0), Y(0), Z(0), Y(1) @ X(2), Z(0) @ Y(1) @ X(2)]
    values = ours(circuit, observables, backend)
    psi = Statevector(most_significant_first(for_qiskit(circuit)))
    for value, observable, letters in zip(values, observables, ("XII", "YII", "ZII", "IYX", "ZYX"), strict=True):
        assert_equal(value, by_pennylane(circuit, lambda each=observable: qml.expval(pennylane_sum(each))))
        assert_equal(value, psi.expectation_value(SparsePauliOp(letters)).real)


# -- random circuits ---------------------------------------------------------------------------------------------------


@BOTH_BACKENDS
@settings(max_examples=20)
@given(circuit=unitary_circuits(angle=number))
def test_random_states(backend, circuit):
    state = ours(circuit, State(), backend)
    assert_equal(state, by_pennylane(circuit, qml.state))
    assert_equal(state, state_by_qiskit(circuit))


@BOTH_BACKENDS
@settings(max_examples=20)
@given(data=st.data(), circuit=unitary_circuits(angle=number))
def test_random_expectation_values(backend, data, circuit):
    n = circuit.n_qubits
    observables = [data.draw(pauli_sums(n)) for _ in range(3)]
    values, single = (ours(circuit, observables, backend, dtype) for dtype in (F64, torch.float32))
    psi = Statevector(most_significant_first(for_qiskit(circuit)))
    for value, rounded, observable in zip(values, single, observables, strict=True):
        wanted = by_pennylane(circuit, lambda each=observable: qml.expval(pennylane_sum(each)))
        assert_equal(value, wanted)
        assert_equal(rounded, wanted, 2e-5 * max(1, sum(abs(c) for _, c in observable.terms)))
        words = [("".join(dict(word).get(wire, "I") for wire in range(n)), c) for word, c in observable.terms]
        assert_equal(value, psi.expectation_value(SparsePauliOp.from_list(words)).real if words else 0.0)


@BOTH_BACKENDS
@settings(max_examples=15)
@given(data=st.data(), circuit=unitary_circuits(most_qubits=5, most_operations=12, angle=number))
def test_gradients_are_those_of_backpropagation(backend, data, circuit):
    circuit, parameters = with_parameters(circuit)
    parameters.requires_grad_()
    observable = data.draw(pauli_sums(circuit.n_qubits))
    value = circuit.plan(observable)(NOTHING, parameters, backend=backend)
    (slope,) = gradients(value, parameters)
    if len(parameters):
        measured = by_pennylane(circuit, lambda: qml.expval(pennylane_sum(observable)), parameters)
        assert_equal(slope, gradients(measured, parameters)[0], 1e-8)


@BOTH_BACKENDS
@settings(max_examples=15)
@given(circuit=general_circuits(channels=False, most_operations=8))
def test_measured_reset_and_selected_circuits(backend, circuit):
    features, parameters = inputs(circuit, 1)
    circuit = circuit.bind(parameters.tolist(), features[0].tolist())
    wires = tuple(range(circuit.n_qubits))[::-1]
    values = ours(circuit, [Probabilities(wires), *(letter(0) + 0.0 for letter in (X, Y, Z))], backend)
    measured = by_pennylane(
        circuit, lambda: (qml.probs(wires=wires), *(qml.expval(each(0)) for each in (qml.X, qml.Y, qml.Z)))
    )
    for value, want in zip(values, measured, strict=True):
        assert_equal(value, want, 1e-9)


@BOTH_BACKENDS
@settings(max_examples=15)
@given(data=st.data(), circuit=unitary_circuits(most_qubits=4, most_operations=8, angle=number))
def test_noisy_circuits(backend, data, circuit):
    """Kraus operators by PennyLane's mixed simulator, and by Qiskit's density matrices."""
    n = circuit.n_qubits
    wire = data.draw(st.integers(0, n - 1))
    noisy = circuit.copy().channel(damping(wire, 0.3)).ry(0.4, wire).channel(damping(0, 0.2))
    matrix = ours(noisy, DensityMatrix(tuple(range(n))), backend)
    assert_equal(matrix, by_pennylane(noisy, qml.state, noisy=True))
    rho = QiskitDensityMatrix(for_qiskit(circuit))
    rho = rho.evolve(Kraus(list(damping(wire, 0.3).kraus)), [wire])
    rho = rho.evolve(Operator(library.RYGate(0.4)), [wire]).evolve(Kraus(list(damping(0, 0.2).kraus)), [0])
    assert_equal(matrix, rho.reverse_qargs().data)
