"""Circuits as quantum functions of PennyLane, and back. Conventions are the same: order of qubits, signs, phases."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replank.circuits.angle import Angle, Variable, Variables, as_angle, call
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

_NO_ARITHMETIC = (ImportError, TypeError, AttributeError)
"""What PennyLane and NumPy raise when they meet a parameter or a feature where they need a number."""

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
        _check_length(qml, "features", features, circuit.n_features)
        _check_length(qml, "parameters", parameters, circuit.n_parameters)
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


def _check_length(qml: ModuleType, what: str, values: Any, n: int) -> None:
    if n == 0 or isinstance(values, Variables):
        return
    shape = qml.math.shape(values)
    if not shape or shape[-1] < n:
        raise ValueError(f"to_pennylane: the circuit has {n} {what} in the last dimension, got shape {shape}.")


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
                for gate in as_gates(operation, "to_pennylane"):
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
    integer wires keep their numbers, and the last one in use is the last qubit; others are numbered as they appear.

    Raises:
        MissingExtra: PennyLane is not installed.
        ValueError: an operation can't be said here, named in the message, or a wire is not in ``wire_order``.
    """
    qml = _pennylane("from_pennylane")
    tape = _tape(qml, source, arguments)
    wires = _wire_order(list(tape.wires)) if wire_order is None else list(wire_order)
    reader = _Reader(qml, wires, tape.operations)
    return Circuit(len(wires), (each for operator in tape.operations for each in reader.read(operator)))


def _tape(qml: ModuleType, source: Any, arguments: tuple[Any, ...]) -> Any:
    if isinstance(source, qml.tape.QuantumScript):
        return source
    function = getattr(source, "func", source)  # of a QNode
    if not callable(function):
        law = "`source` must be a tape, a quantum function or a QNode"
        raise TypeError(f"from_pennylane: {law}, got {type(source).__name__}.")
    try:
        return qml.tape.make_qscript(function)(*arguments)
    except _NO_ARITHMETIC as error:
        if not any(isinstance(each, Angle | Variables) for each in arguments):
            raise
        law = "a function may only do arithmetic with parameters and features"
        raise ValueError(f"from_pennylane: {law}, got: {error}. Give it numbers.") from error


def _wire_order(wires: list[Any]) -> Sequence[Any]:
    if all(isinstance(wire, int | np.integer) and wire >= 0 for wire in wires):
        return range(max(wires, default=0) + 1)
    return wires


class _Reader:
    """Reads operators of PennyLane."""

    def __init__(self, qml: ModuleType, wires: Sequence[Hashable], operators: Sequence[Any]):
        self._qml = qml
        self._wires = wires
        self._keys = Keys()
        conditional = [operator for operator in operators if isinstance(operator, qml.ops.Conditional)]
        self._used = {measured for operator in conditional for measured in operator.meas_val.measurements}
        self._measured: dict[Any, str] = {}

    def read(self, operator: Any) -> Iterator[Operation]:
        try:
            yield from self._read(operator)
        except ValueError as error:
            where = f"{operator.name} on wires {list(operator.wires)}"
            raise ValueError(f"from_pennylane: {where} is not supported: {str(error).rstrip('.')}.") from None

    def _read(self, operator: Any) -> Iterator[Operation]:
        if any(wire not in self._wires for wire in operator.wires):
            raise ValueError(f"wires must be in wire_order={list(self._wires)}")
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
            yield from [each.inverse() for each in self._read(operator.base)][::-1]
        else:
            yield from self._composed(operator, wires)

    def _composed(self, operator: Any, wires: tuple[int, ...]) -> Iterator[Operation]:
        """What has no counterpart: as what it consists of, else as a matrix."""
        is_small = 1 <= len(wires) <= 3
        if not (is_small and operator.name == "QubitUnitary") and (parts := self._parts(operator)) is not None:
            for part in parts:
                yield from self._read(part)
        elif is_small and operator.has_matrix:
            yield Unitary(matrix=self._array(operator.matrix()), wires=wires)
        else:
            raise ValueError("it has neither a counterpart nor a decomposition")

    def _parts(self, operator: Any) -> list[Any] | None:
        try:
            return operator.decomposition() if operator.has_decomposition else None
        except _NO_ARITHMETIC as error:
            if not any(isinstance(each, Angle) for each in operator.parameters):
                raise
            raise ValueError("PennyLane takes it apart with numbers only, not with parameters or features") from error

    def _conditional(self, operator: Any) -> Iterator[Operation]:
        value = operator.meas_val
        if len(value.measurements) != 1 or dict(value.branches) != {(0,): 0, (1,): 1}:
            raise ValueError("a condition must be that one measurement gave 1")
        key = self._measured[value.measurements[0]]
        for operation in self._read(operator.base):
            if not isinstance(operation, UNITARY):
                raise ValueError(f"only gates can depend on a measurement, got {operation.label}")
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
        return tuple(each if isinstance(each, Angle) else self._number(each) for each in operator.parameters)

    def _number(self, value: Any) -> Angle:
        array = self._array(value)
        if array.size != 1:
            raise ValueError(f"an angle must be one number, got a batch of shape {array.shape}")
        return as_angle(array.item())

    def _array(self, value: Any) -> NDArray[Any]:
        """An array of any interface, without its gradients."""
        return self._qml.math.toarray(value)
