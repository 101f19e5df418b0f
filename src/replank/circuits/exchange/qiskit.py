"""Circuits as Qiskit's, and back.

Qubit k is qubit k in both. Qiskit's state vectors, matrices and Pauli strings have qubit 0 as the *least* significant
bit and the last letter: matrices and strings are handed over with their wires reversed.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from replank.circuits.angle import Angle, as_angle, call
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.angle_values import angle_power, angle_value
from replank.circuits.exchange.names import Keys, named_variables
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
    Reset,
    Unitary,
)
from replank.errors import MissingExtra

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_CLASSES = {
    "I": "IGate", "X": "XGate", "Y": "YGate", "Z": "ZGate", "H": "HGate", "S": "SGate", "Sdg": "SdgGate", "T": "TGate",
    "Tdg": "TdgGate", "SX": "SXGate", "SXdg": "SXdgGate", "RX": "RXGate", "RY": "RYGate", "RZ": "RZGate",
    "P": "PhaseGate", "U3": "UGate", "CNOT": "CXGate", "CZ": "CZGate", "CY": "CYGate", "CH": "CHGate",
    "SWAP": "SwapGate", "iSWAP": "iSwapGate", "CRX": "CRXGate", "CRY": "CRYGate", "CRZ": "CRZGate", "CP": "CPhaseGate",
    "RXX": "RXXGate", "RYY": "RYYGate", "RZZ": "RZZGate", "Toffoli": "CCXGate",
}  # fmt: skip
_OURS = {
    "id": "I", "x": "X", "y": "Y", "z": "Z", "h": "H", "s": "S", "sdg": "Sdg", "t": "T", "tdg": "Tdg", "sx": "SX",
    "sxdg": "SXdg", "rx": "RX", "ry": "RY", "rz": "RZ", "p": "P", "u1": "P", "u": "U3", "u3": "U3", "cx": "CNOT",
    "cz": "CZ", "cy": "CY", "ch": "CH", "swap": "SWAP", "iswap": "iSWAP", "iswap_dg": "iSWAPdg", "crx": "CRX",
    "cry": "CRY", "crz": "CRZ", "cp": "CP", "cu1": "CP", "rxx": "RXX", "ryy": "RYY", "rzz": "RZZ", "ccx": "Toffoli",
}  # fmt: skip
_FUNCTIONS = {
    "sin": "sin", "cos": "cos", "exp": "exp", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tanh": "tanh",
}  # fmt: skip
"""Ours by SymPy's names."""
_LARGEST_MATRIX = 3  # qubits


def to_qiskit(circuit: Circuit) -> QuantumCircuit:
    """The circuit in Qiskit: qubit k is qubit k, which Qiskit takes for the k-th bit from the *right*.

    Parameters and features are the elements of ParameterVectors ``theta`` and ``x``. Each measurement has a classical
    register of one bit, named by its key. The global phase is kept.

    Raises:
        MissingExtra: Qiskit is not installed.
        ValueError: the circuit has a post-selection, or a state that depends on parameters or features.
    """
    try:
        from qiskit import ClassicalRegister, QuantumCircuit
        from qiskit.circuit import ParameterVector
    except ImportError as error:
        raise MissingExtra("to_qiskit", "qiskit") from error
    target = QuantumCircuit(circuit.n_qubits)
    vectors = {"theta": ParameterVector("theta", circuit.n_parameters), "x": ParameterVector("x", circuit.n_features)}
    for operation in circuit:
        match operation:
            case Measure(key=key, wires=(wire,)):
                register = ClassicalRegister(1, key)
                target.add_register(register)
                target.measure(wire, register[0])
            case Reset(wires=(wire,)):
                target.reset(wire)
            case PostSelect():
                raise ValueError(f"to_qiskit: Qiskit has no post-selection, got one on wires={operation.wires}.")
            case _ if operation.when is None:
                _write(operation, target, vectors)
            case _:
                register = next(each for each in target.cregs if each.name == operation.when)
                with target.if_test((register, 1)):
                    _write(operation, target, vectors)
    return target


def _write(operation: Operation, target: QuantumCircuit, vectors: Mapping[str, Any]) -> None:
    """Append an operation without its condition."""
    from qiskit.circuit import library
    from qiskit.quantum_info import Kraus, SparsePauliOp

    wires, flipped = list(operation.wires), list(reversed(operation.wires))
    angles = [_expression(angle, vectors) for angle in operation.angles]
    match operation:
        case Gate(name="Rot"):
            for name, angle in zip(("RZ", "RY", "RZ"), angles, strict=True):
                target.append(getattr(library, _CLASSES[name])(angle), wires)
        case Gate(name="iSWAPdg"):
            target.append(library.iSwapGate().inverse(), wires)
        case Gate(name=name):
            target.append(getattr(library, _CLASSES[name])(*angles), wires)
        case PauliRotation(letters=letters) if not letters.strip("I"):
            target.global_phase += -0.5 * angles[0]
        case PauliRotation(letters=letters):
            target.append(library.PauliEvolutionGate(SparsePauliOp(letters[::-1]), time=0.5 * angles[0]), wires)
        case Unitary(matrix=matrix):
            target.append(library.UnitaryGate(matrix), flipped)
        case Diagonal(phases=phases):
            target.append(library.DiagonalGate(list(np.exp(1j * phases))), flipped)
        case Channel(kraus=kraus):
            target.append(Kraus(list(kraus)).to_instruction(), flipped)
        case _:
            for gate in as_gates(operation, "to_qiskit"):
                _write(gate, target, vectors)


def _expression(angle: Angle, vectors: Mapping[str, Any]) -> Any:
    return angle_value(angle, lambda variable: vectors[variable.kind][variable.index], _function)


def _function(name: str, value: Any) -> Any:
    match name:
        case "reciprocal":
            return 1 / value
        case "sqrt":
            return value**0.5
        case "tanh":
            return 1 - 2 / ((2 * value).exp() + 1)
    return getattr(value, name)()


def from_qiskit(source: QuantumCircuit) -> Circuit:
    """A circuit from Qiskit's: qubit k is qubit k, here the k-th bit from the *left*.

    Parameters named ``theta[3]`` and ``x[3]`` become the parameter and the feature of that number, others the
    parameters that are left, in Qiskit's order. What has no counterpart is replaced by its definition. A measurement's
    key is its bit's name. Barriers and delays are left out.

    Raises:
        MissingExtra: Qiskit is not installed.
        ValueError: an instruction can't be said here; it is named with its position.
    """
    try:
        from qiskit import QuantumCircuit
    except ImportError as error:
        raise MissingExtra("from_qiskit", "qiskit") from error
    if not isinstance(source, QuantumCircuit):
        raise TypeError(f"from_qiskit: `source` must be a QuantumCircuit, got {type(source).__name__}.")
    names = [parameter.name for parameter in source.parameters]
    reader = _Reader(named_variables(names))
    return Circuit(source.num_qubits, reader.read(source, range(source.num_qubits), _bit_names(source)))


def _bit_names(source: QuantumCircuit) -> list[str]:
    """A name for each bit, all different: its register's, with its index if there are several."""
    names: list[str] = []
    for bit in source.clbits:
        place = source.find_bit(bit)
        register, index = place.registers[0] if place.registers else (None, place.index)
        if register is None:
            name = f"bit_{index}"
        else:
            name = register.name if register.size == 1 else f"{register.name}[{index}]"
        while name in names:
            name += "_"
        names.append(name)
    return names


class _Reader:
    """Reads instructions of Qiskit."""

    def __init__(self, variables: Mapping[str, Angle]):
        self._variables = variables
        self._keys = Keys()

    def read(self, source: QuantumCircuit, wires: Sequence[int], bits: Sequence[str]) -> Iterator[Operation]:
        """The operations of a circuit or a definition, with wires for its qubits and names for its bits."""
        phase = self._angle(source.global_phase)
        if phase != as_angle(0):
            yield global_phase(phase)
        wire_of = dict(zip(source.qubits, wires, strict=True))
        name_of = dict(zip(source.clbits, bits, strict=True))
        for position, instruction in enumerate(source.data):
            operation, places = instruction.operation, tuple(wire_of[qubit] for qubit in instruction.qubits)
            try:
                yield from self._instruction(operation, places, [name_of[bit] for bit in instruction.clbits], name_of)
            except ValueError as error:
                where = f"instruction {position}, {operation.name!r} on qubits {list(places)}"
                raise ValueError(f"from_qiskit: {where}, is not supported: {str(error).rstrip('.')}.") from None

    def _instruction(
        self, operation: Any, wires: tuple[int, ...], bits: list[str], name_of: Mapping[Any, str]
    ) -> Iterator[Operation]:
        match operation.name:
            case "barrier" | "delay":
                pass
            case "measure":
                yield Measure(key=self._keys.measured(bits[0]), wires=wires)
            case "reset":
                yield from (Reset(wires=(wire,)) for wire in wires)
            case "if_else":
                key = self._keys.latest(name_of[_condition_bit(operation.condition)])
                yield from self._conditional(operation, wires, bits, key)
            case "kraus":
                yield Channel(name="Kraus", kraus=tuple(operation.params), wires=wires[::-1])
            case name if name in _OURS:
                yield Gate(name=_OURS[name], angles=self._angles(operation), wires=wires)
            case _:
                yield from self._composed(operation, wires, bits)

    def _composed(self, operation: Any, wires: tuple[int, ...], bits: list[str]) -> Iterator[Operation]:
        """What is no named gate: as one operation if there is such, as what it consists of, or as a matrix."""
        match operation.name:
            case "global_phase":
                yield global_phase(self._angles(operation)[0])
            case "unitary" if len(wires) <= _LARGEST_MATRIX:
                yield Unitary(matrix=operation.params[0], wires=wires[::-1])
            case "diagonal":
                yield Diagonal(phases=np.angle(operation.params), wires=wires[::-1])
            case "PauliEvolution" if (term := _single_term(operation)) is not None:
                letters, coefficient = term
                angle = self._angle(operation.time) * (2 * coefficient)
                yield PauliRotation(letters=letters, angle=angle, wires=wires)
            case _ if getattr(operation, "definition", None) is not None:
                yield from self.read(operation.definition, wires, bits)
            case _ if len(wires) <= _LARGEST_MATRIX:
                yield Unitary(matrix=_matrix(operation), wires=wires[::-1])
            case _:
                raise ValueError("it has neither a counterpart nor a definition")

    def _conditional(self, operation: Any, wires: tuple[int, ...], bits: list[str], key: str) -> Iterator[Operation]:
        body, *others = operation.blocks
        if others:
            raise ValueError("an `else` has no counterpart")
        for inner in self.read(body, wires, bits):
            if inner.when is not None or not isinstance(inner, UNITARY):
                raise ValueError(f"only gates can depend on a measurement, and on one alone, got {inner.label}")
            yield replace(inner, when=key)

    def _angles(self, operation: Any) -> tuple[Angle, ...]:
        return tuple(self._angle(value) for value in operation.params)

    def _angle(self, value: Any) -> Angle:
        """An angle from a number, or from an expression by way of SymPy, which torch brings along."""
        return self._from_sympy(value.sympify()) if hasattr(value, "sympify") else as_angle(value)

    def _from_sympy(self, expression: Any) -> Angle:
        if expression.is_Symbol:
            return self._variables[expression.name]
        if expression.is_number:
            return as_angle(_real(expression))
        if expression.is_Pow:
            return angle_power(self._from_sympy(expression.base), _real(expression.exp))
        arguments = [self._from_sympy(argument) for argument in expression.args]
        if expression.is_Add or expression.is_Mul:
            return functools.reduce(operator.add if expression.is_Add else operator.mul, arguments)
        name = expression.func.__name__
        if name == "tan":
            return call("sin", arguments[0]) / call("cos", arguments[0])
        if name not in _FUNCTIONS:
            raise ValueError(f"the function {name!r} is not supported")
        return call(_FUNCTIONS[name], arguments[0])


def _real(expression: Any) -> float:
    if not expression.is_real:
        raise ValueError(f"{expression} must be a real number")
    return float(expression)


def _single_term(operation: Any) -> tuple[str, float] | None:
    """Letters, in the order of the wires, and coefficient of an evolution under one Pauli string."""
    if not hasattr(operation.operator, "paulis") or len(operation.operator) != 1:
        return None
    return operation.operator.paulis[0].to_label()[::-1], float(operation.operator.coeffs[0].real)


def _matrix(operation: Any) -> Any:
    from qiskit.exceptions import QiskitError
    from qiskit.quantum_info import Operator

    try:
        return Operator(operation).data
    except (QiskitError, AttributeError) as error:
        raise ValueError(f"it has neither a counterpart nor a definition ({error})") from None


def _condition_bit(condition: Any) -> Any:
    """The bit that must be 1."""
    if isinstance(condition, tuple) and condition[1] == 1:
        target = condition[0]
        bits = list(target) if hasattr(target, "size") else [target]
        if len(bits) == 1:
            return bits[0]
    raise ValueError(f"a condition must be that one measured bit is 1, got {condition}")
