"""Circuits as quantum functions of PennyLane, and back. Conventions are the same: order of qubits, signs, phases."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replank.circuits.angle import Angle, Variable, as_angle, call
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.angle_values import angle_value
from replank.circuits.exchange.names import Keys
from replank.circuits.exchange.synthesis import as_gates, global_phase
from replank.circuits.operations import (
    UNITARY,
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
    basis_flips,
)
from replank.errors import MissingExtra

_OPERATORS = {
    "I": "Identity", "X": "PauliX", "Y": "PauliY", "Z": "PauliZ", "H": "Hadamard", "S": "S", "T": "T", "SX": "SX",
    "RX": "RX", "RY": "RY", "RZ": "RZ", "P": "PhaseShift", "U3": "U3", "Rot": "Rot", "CNOT": "CNOT", "CZ": "CZ",
    "CY": "CY", "CH": "CH", "SWAP": "SWAP", "iSWAP": "ISWAP", "CRX": "CRX", "CRY": "CRY", "CRZ": "CRZ",
    "CP": "ControlledPhaseShift", "RXX": "IsingXX", "RYY": "IsingYY", "RZZ": "IsingZZ", "Toffoli": "Toffoli",
}  # fmt: skip
_ADJOINTS = {"Sdg": "S", "Tdg": "T", "SXdg": "SX", "iSWAPdg": "iSWAP"}
_OURS = {theirs: ours for ours, theirs in _OPERATORS.items()} | {"U1": "P"}

QuantumFunction = Callable[[Any, Any], None]


def to_pennylane(circuit: Circuit, *, wire_order: Sequence[Hashable] | None = None) -> QuantumFunction:
    """A quantum function ``f(features, parameters)`` that applies the circuit's operations.

    It is to be called inside a QNode or a tape; arguments are arrays or tensors of any interface of PennyLane, whose
    last dimension counts features or parameters, and gradients flow through. Qubit k is the wire ``wire_order[k]``, k
    itself if it is not given; in both libraries the first wire is the most significant bit.

    Raises:
        MissingExtra: PennyLane is not installed.
        ValueError: not one wire for each qubit.
    """
    qml = _pennylane("to_pennylane")
    wires = tuple(range(circuit.n_qubits)) if wire_order is None else tuple(wire_order)
    if len(set(wires)) != circuit.n_qubits or len(wires) != circuit.n_qubits:
        raise ValueError(f"to_pennylane: needs {circuit.n_qubits} different wires, got wire_order={wires}.")
    operations = circuit.operations

    def quantum_function(features: Any = (), parameters: Any = ()) -> None:
        writer = _Writer(qml, wires, {"x": features, "theta": parameters})
        for operation in operations:
            writer.write(operation)

    return quantum_function


def _pennylane(caller: str) -> ModuleType:
    try:
        import pennylane
    except ImportError as error:
        raise MissingExtra(caller, "pennylane") from error
    return pennylane


class _Writer:
    """Queues operations in PennyLane."""

    def __init__(self, qml: ModuleType, wires: tuple[Hashable, ...], values: Mapping[str, Any]):
        self._qml = qml
        self._wires = wires
        self._values = values
        self._measured: dict[str, Any] = {}

    def write(self, operation: Operation) -> None:
        apply = partial(self._apply, operation, [self._wires[wire] for wire in operation.wires])
        if operation.when is None:
            apply()
        else:
            self._qml.cond(self._measured[operation.when], apply)()

    def _apply(self, operation: Operation, wires: list[Hashable]) -> None:
        qml, angles = self._qml, [self._angle(angle) for angle in operation.angles]
        match operation:
            case Gate(name=name) if name in _ADJOINTS:
                qml.adjoint(getattr(qml, _OPERATORS[_ADJOINTS[name]])(wires=wires))
            case Gate(name=name):
                getattr(qml, _OPERATORS[name])(*angles, wires=wires)
            case PauliRotation(letters=letters):
                qml.PauliRot(angles[0], letters, wires=wires)
            case Unitary(matrix=matrix):
                qml.QubitUnitary(matrix, wires=wires)
            case Diagonal(phases=phases):
                qml.DiagonalQubitUnitary(np.exp(1j * phases), wires=wires)
            case Measure(key=key):
                self._measured[key] = qml.measure(wires[0])
            case Reset():
                qml.measure(wires[0], reset=True)
            case PostSelect(value=value):
                qml.measure(wires[0], postselect=value)
            case PrepareProduct():
                for gate in as_gates(operation):
                    self.write(gate)
            case PrepareAmplitudes(amplitudes=amplitudes):
                state = qml.math.stack(angles, axis=-1) if angles else amplitudes
                qml.AmplitudeEmbedding(state, wires=wires, pad_with=0.0, normalize=True)
            case Channel(kraus=kraus):
                qml.QubitChannel(list(kraus), wires=wires)

    def _angle(self, angle: Angle) -> Any:
        return angle_value(angle, self._variable, self._function)

    def _variable(self, variable: Variable) -> Any:
        values = self._values[variable.kind]
        return values[..., variable.index] if getattr(values, "ndim", 1) > 1 else values[variable.index]

    def _function(self, name: str, value: Any) -> Any:
        if isinstance(value, Angle):
            return call(name, value)
        return 1 / value if name == "reciprocal" else getattr(self._qml.math, name)(value)


def from_pennylane(source: Any, *arguments: Any, wire_order: Sequence[Hashable] | None = None) -> Circuit:
    """The circuit of a tape, a quantum function or a QNode; what it measures at its end is left out.

    A function is called with ``arguments``. Arguments may be :data:`replank.circuits.theta` and
    :data:`replank.circuits.x`, which stay symbols as far as the function only does arithmetic with them, and become the
    circuit's parameters and features; numbers are bound. Wire ``wire_order[k]`` becomes qubit k. If it is not given,
    integer wires keep their numbers, others are numbered as they appear.

    Raises:
        MissingExtra: PennyLane is not installed.
        ValueError: an operation can't be said here, named in the message, or a wire is not in ``wire_order``.
    """
    qml = _pennylane("from_pennylane")
    if isinstance(source, qml.tape.QuantumScript):
        tape = source
    else:
        tape = qml.tape.make_qscript(getattr(source, "func", source))(*arguments)
    wires = _wire_order(list(tape.wires)) if wire_order is None else list(wire_order)
    reader = _Reader(qml, wires, tape.operations)
    return Circuit(len(wires), (each for operator in tape.operations for each in reader.read(operator)))


def _wire_order(wires: list[Any]) -> list[Any]:
    if all(isinstance(wire, int) and wire >= 0 for wire in wires):
        return list(range(max(wires, default=0) + 1))
    return wires


class _Reader:
    """Reads operators of PennyLane."""

    def __init__(self, qml: ModuleType, wires: list[Hashable], operators: Sequence[Any]):
        self._qml = qml
        self._wires = wires
        self._keys = Keys()
        conditional = [operator for operator in operators if isinstance(operator, qml.ops.Conditional)]
        self._used = {measured for operator in conditional for measured in operator.meas_val.measurements}
        self._measured: dict[Any, str] = {}

    def read(self, operator: Any) -> Iterator[Operation]:
        missing = [wire for wire in operator.wires if wire not in self._wires]
        if missing:
            raise ValueError(f"from_pennylane: wires must be in wire_order={self._wires}, got {operator}.")
        wires = tuple(self._wires.index(wire) for wire in operator.wires)
        match operator.name:
            case "Barrier" | "Snapshot":
                pass
            case name if name.startswith("Conditional("):
                yield from self._conditional(operator)
            case "MidMeasureMP":
                yield from self._measurement(operator, wires)
            case "BasisState" | "BasisEmbedding":
                yield from basis_flips([int(bit) for bit in operator.parameters[0]], wires)
            case "StatePrep" | "AmplitudeEmbedding":
                yield PrepareAmplitudes(amplitudes=self._array(operator.parameters[0]), wires=wires)
            case _:
                yield from self._unitary(operator, wires)

    def _unitary(self, operator: Any, wires: tuple[int, ...]) -> Iterator[Operation]:
        qml, name = self._qml, operator.name
        if name == "Identity" and len(wires) != 1:
            return
        if name in _OURS:
            yield Gate(name=_OURS[name], angles=self._angles(operator), wires=wires)
        elif name == "GlobalPhase":
            yield global_phase(-self._angles(operator)[0])
        elif name == "PauliRot":
            yield PauliRotation(
                letters=operator.hyperparameters["pauli_word"], angle=self._angles(operator)[0], wires=wires
            )
        elif name == "MultiRZ":
            yield PauliRotation(letters="Z" * len(wires), angle=self._angles(operator)[0], wires=wires)
        elif name == "DiagonalQubitUnitary":
            yield Diagonal(phases=np.angle(self._array(operator.parameters[0])), wires=wires)
        elif isinstance(operator, qml.operation.Channel):
            matrices = tuple(self._array(matrix) for matrix in operator.kraus_matrices())
            yield Channel(name=name, kraus=matrices, wires=wires)
        elif name.startswith("Adjoint("):
            yield from [each.inverse() for each in self.read(operator.base)][::-1]
        else:
            yield from self._composed(operator, wires)

    def _composed(self, operator: Any, wires: tuple[int, ...]) -> Iterator[Operation]:
        """What has no counterpart: as what it consists of, else as a matrix."""
        matrix_fits = operator.has_matrix and 1 <= len(wires) <= 3
        if operator.name != "QubitUnitary" and operator.has_decomposition:
            for part in operator.decomposition():
                yield from self.read(part)
        elif matrix_fits:
            yield Unitary(matrix=self._array(operator.matrix()), wires=wires)
        else:
            raise ValueError(f"from_pennylane: the operator {operator.name} on wires {list(wires)} is not supported.")

    def _conditional(self, operator: Any) -> Iterator[Operation]:
        value = operator.meas_val
        if len(value.measurements) != 1 or dict(value.branches) != {(0,): 0, (1,): 1}:
            raise ValueError(f"from_pennylane: a condition must be that one measurement gave 1, got {operator}.")
        key = self._measured[value.measurements[0]]
        for operation in self.read(operator.base):
            if not isinstance(operation, UNITARY):
                raise ValueError(f"from_pennylane: only gates can depend on a measurement, got {operator}.")
            yield replace(operation, when=key)

    def _measurement(self, operator: Any, wires: tuple[int, ...]) -> Iterator[Operation]:
        postselect, reset = operator.hyperparameters["postselect"], operator.hyperparameters["reset"]
        if operator in self._used or (postselect is None and not reset):
            self._measured[operator] = key = self._keys.measured(None)
            yield Measure(key=key, wires=wires)
        if postselect is not None:
            yield PostSelect(value=int(postselect), wires=wires)
        if reset:
            yield Reset(wires=wires)

    def _angles(self, operator: Any) -> tuple[Angle, ...]:
        return tuple(each if isinstance(each, Angle) else self._number(each, operator) for each in operator.parameters)

    def _number(self, value: Any, operator: Any) -> Angle:
        array = self._array(value)
        if array.size != 1:
            raise ValueError(f"from_pennylane: an angle must be one number, not a batch, got {operator}.")
        return as_angle(array.item())

    def _array(self, value: Any) -> NDArray[Any]:
        """An array of any interface, without its gradients."""
        return self._qml.math.toarray(value)
