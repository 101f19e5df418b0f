"""OpenQASM programs, versions 2 and 3, as circuits.

Both are parsed by the reference parser of version 3: what version 2 writes otherwise (``qreg``, ``->``) it knows, too.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replank.circuits.angle import Angle, as_angle
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.names import Keys, named_variables
from replank.circuits.exchange.qasm_expressions import CONSTANTS, Scope, Value, evaluate, integer
from replank.circuits.exchange.qasm_gates import NAMES, controlled, library_gate, power, same_matrix
from replank.circuits.exchange.synthesis import global_phase
from replank.circuits.gates import GATES
from replank.circuits.operations import UNITARY, Gate, Measure, Operation, Reset
from replank.errors import MissingExtra

if TYPE_CHECKING:
    from openqasm3 import ast

_VERSION_2 = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*OPENQASM\s+2", re.DOTALL)
_MOST_OPERATIONS = 10**6  # a few lines can ask for more than any machine holds


def from_qasm(text: str) -> Circuit:
    """The circuit of an OpenQASM program, of version 2 or 3; qubits are numbered in the order of their declaration.

    Gates that the program defines are replaced by what they consist of, unless they are ours under their own name.
    Inputs ``theta_3`` and ``x_3`` (or ``theta[3]``) become the parameter and the feature of that number, other inputs
    the parameters that are left, in their order. A measurement's key is its bit's name. Barriers are left out.

    Raises:
        MissingExtra: openqasm3 is not installed.
        ValueError: the program is no OpenQASM, or it says what a circuit can't; the message names the gate or the
            statement and its line.
    """
    is_version_2 = _VERSION_2.match(text) is not None
    # version 2 writes powers as ^, which is another operator in version 3
    program = _parse(text.replace("^", "**") if is_version_2 else text)
    reader = _Reader(2 if is_version_2 else 3, program)
    reader.read(program.statements)
    return reader.circuit()


def _parse(text: str) -> ast.Program:
    try:
        from openqasm3.parser import parse
    except ImportError as error:
        raise MissingExtra("from_qasm", "qasm") from error
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # the parser tells where it stopped there and nowhere else
            return parse(text)
    except Exception as error:
        message = said.getvalue().strip() or str(error) or type(error).__name__
        place = re.search(r"(?:line |L)(\d+):C?\d+:?\s*(.*)", message)
        where = f"in line {place[1]}: {place[2]}" if place else message
        raise ValueError(
            f"from_qasm: the text must be an OpenQASM 2 or 3 program, got a syntax error {where}."
        ) from None


class _LineError(ValueError):
    """An error that says its line already."""


class _Reader:
    """Reads statements one after another; methods ``read_X`` read the parser's nodes of class X."""

    def __init__(self, version: int, program: ast.Program):
        self.version = version
        self.n_qubits = 0
        self.operations: list[Operation] = []
        self.scope: dict[str, Value] = dict(CONSTANTS)
        self.scope |= _inputs(program)
        self.qubits: dict[str, range] = {}
        self.bits: dict[str, int] = {}
        self.keys = Keys()
        self.gates: dict[str, ast.QuantumGateDefinition] = {}
        self.when: str | None = None

    def circuit(self) -> Circuit:
        if not self.n_qubits:
            raise ValueError("from_qasm: the program must declare qubits, got none.")
        return Circuit(self.n_qubits, self.operations)

    def read(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            with _line(statement):
                name = type(statement).__name__
                method = getattr(self, f"read_{name}", None)
                if method is None:
                    raise ValueError(f"a statement of kind {name} is not supported")
                method(statement)

    # -- declarations ------------------------------------------------------------------------------------------------

    def read_Include(self, node: ast.Include) -> None:
        if node.filename not in ("stdgates.inc", "qelib1.inc"):
            raise ValueError(f"only stdgates.inc and qelib1.inc are known, got include {node.filename!r}")

    def read_QubitDeclaration(self, node: ast.QubitDeclaration) -> None:
        size = 1 if node.size is None else integer(node.size, self.scope)
        if size < 1:
            raise ValueError(f"a register must have at least one qubit, got {node.qubit.name}[{size}]")
        self._new(node.qubit.name)
        self.qubits[node.qubit.name] = range(self.n_qubits, self.n_qubits + size)
        self.n_qubits += size

    def read_ClassicalDeclaration(self, node: ast.ClassicalDeclaration) -> None:
        name = node.identifier.name
        if type(node.type).__name__ != "BitType":
            self.read_ConstantDeclaration(node)
            return
        self._new(name)
        self.bits[name] = 1 if node.type.size is None else integer(node.type.size, self.scope)
        if type(node.init_expression).__name__ == "QuantumMeasurement":
            self._measure(node.init_expression, node.identifier)
        elif node.init_expression is not None:
            raise ValueError(f"the bit {name!r} must get its value from a measurement")

    def read_ConstantDeclaration(self, node: ast.ConstantDeclaration | ast.ClassicalDeclaration) -> None:
        name, kind = node.identifier.name, type(node.type).__name__
        if node.init_expression is None or kind not in ("FloatType", "AngleType", "IntType", "UintType"):
            raise ValueError(f"a variable of kind {kind} without a value is not supported, got {name!r}")
        self._new(name)
        value = self._value(node.init_expression)
        self.scope[name] = value if kind in ("IntType", "UintType") else as_angle(value)

    def read_IODeclaration(self, node: ast.IODeclaration) -> None:
        if node.io_identifier.name == "output":
            if type(node.type).__name__ != "BitType":
                raise ValueError(f"an output must be of bits, got {node.identifier.name!r}")
            self._new(node.identifier.name)
            self.bits[node.identifier.name] = 1 if node.type.size is None else integer(node.type.size, self.scope)

    def read_QuantumGateDefinition(self, node: ast.QuantumGateDefinition) -> None:
        name = node.name.name
        if name in self.gates:
            raise ValueError(f"the gate {name!r} is defined twice")
        if not self._is_ours(node):
            self.gates[name] = node

    def _is_ours(self, node: ast.QuantumGateDefinition) -> bool:
        """Whether the definition of a gate with the name of one of ours says that very gate, at generic angles."""
        kind = GATES.get(NAMES.get(node.name.name, ""))
        if kind is None or (kind.n_angles, kind.n_wires) != (len(node.arguments), len(node.qubits)):
            return False
        angles = tuple(as_angle(0.3 + 0.7 * k) for k in range(kind.n_angles))
        wires = tuple(range(kind.n_wires))
        body = list(self._body(node, angles, wires))
        ours: list[Operation] = [Gate(name=kind.name, angles=angles, wires=wires)]
        return same_matrix(body, ours, kind.n_wires, up_to_phase=self.version == 2)

    def _new(self, name: str) -> None:
        if name in self.qubits or name in self.bits or name in self.scope:
            raise ValueError(f"{name!r} is declared twice")

    # -- what is done ------------------------------------------------------------------------------------------------

    def read_QuantumGate(self, node: ast.QuantumGate) -> None:
        operands = [self._wires(operand) for operand in node.qubits]
        size = max((len(wires) for wires in operands), default=1)
        if any(len(wires) not in (1, size) for wires in operands):
            raise ValueError(f"{node.name.name!r} on several registers needs registers of one size")
        for k in range(size):
            wires = [wires[k if len(wires) > 1 else 0] for wires in operands]
            self._add(self._modified(node, node.modifiers, wires, self.scope))

    def read_QuantumPhase(self, node: ast.QuantumPhase) -> None:
        wires = [wire for operand in node.qubits for wire in self._wires(operand)]
        self._add(self._modified(node, node.modifiers, wires, self.scope))

    def read_QuantumReset(self, node: ast.QuantumReset) -> None:
        self._add(Reset(wires=(wire,)) for wire in self._wires(node.qubits))

    def read_QuantumBarrier(self, node: ast.QuantumBarrier) -> None:
        """A barrier is an advice to compilers."""

    def read_QuantumMeasurementStatement(self, node: ast.QuantumMeasurementStatement) -> None:
        self._measure(node.measure, node.target)

    def read_BranchingStatement(self, node: ast.BranchingStatement) -> None:
        if self.when is not None or node.else_block:
            raise ValueError("`if` within `if` and `else` are not supported")
        self.when = self.keys.latest(self._condition(node.condition))
        self.read(node.if_block)
        self.when = None

    def _measure(self, measurement: ast.QuantumMeasurement, target: Any) -> None:
        wires = self._wires(measurement.qubit)
        bits = [None] * len(wires) if target is None else self._bits(target)
        if len(wires) != len(bits):
            raise ValueError(f"a bit for each measured qubit is needed, got {len(wires)} qubits and {len(bits)} bits")
        for wire, bit in zip(wires, bits, strict=True):
            self._add([Measure(key=self.keys.measured(bit), wires=(wire,))])

    def _add(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            if len(self.operations) >= _MOST_OPERATIONS:
                raise ValueError(f"a program must have at most {_MOST_OPERATIONS} operations")
            if self.when is not None and not isinstance(operation, UNITARY):
                raise ValueError(f"only gates can depend on a measurement, got {operation.label}")
            self.operations.append(operation if self.when is None else replace(operation, when=self.when))

    # -- gates -------------------------------------------------------------------------------------------------------

    def _modified(self, node: Any, modifiers: Sequence[Any], wires: Sequence[int], scope: Scope) -> Iterator[Operation]:
        """One application of a gate or phase with modifiers, the outermost first, whose controls come first."""
        if len(set(wires)) != len(wires):
            raise ValueError(f"the qubits of a gate must differ, got qubits {list(wires)}")
        if not modifiers:
            yield from self._plain(node, wires, scope)
            return
        name, inner = modifiers[0].modifier.name, modifiers[1:]
        argument = 1 if modifiers[0].argument is None else integer(modifiers[0].argument, scope)
        if name in ("inv", "pow"):
            once = list(itertools.islice(self._modified(node, inner, wires, scope), _MOST_OPERATIONS))
            yield from power(once, -1 if name == "inv" else argument)
            return
        controls = wires[:argument]
        flips = [Gate(name="X", wires=(wire,)) for wire in controls if name == "negctrl"]
        yield from flips
        for operation in self._modified(node, inner, wires[argument:], scope):
            yield from functools.reduce(_with_control, controls, [operation])
        yield from flips

    def _plain(self, node: Any, wires: Sequence[int], scope: Scope) -> Iterator[Operation]:
        if type(node).__name__ == "QuantumPhase":
            if wires:
                raise ValueError(f"gphase takes no qubits but controls, got qubits {list(wires)}")
            yield global_phase(self._value(node.argument, scope))
            return
        name = node.name.name
        angles = [as_angle(self._value(argument, scope)) for argument in node.arguments]
        if name in self.gates:
            yield from self._body(self.gates[name], angles, wires)
        else:
            yield from library_gate(name, angles, wires, self.version)

    def _body(
        self, definition: ast.QuantumGateDefinition, angles: Sequence[Angle], wires: Sequence[int]
    ) -> Iterator[Operation]:
        """What a gate that the program defines consists of."""
        expected, got = (len(definition.arguments), len(definition.qubits)), (len(angles), len(wires))
        if expected != got:
            raise ValueError(f"{definition.name.name!r} takes {expected} angles and qubits, got {got}")
        scope = self.scope | {name.name: angle for name, angle in zip(definition.arguments, angles, strict=True)}
        places = {name.name: wire for name, wire in zip(definition.qubits, wires, strict=True)}
        for statement in definition.body:
            with _line(statement):
                kind = type(statement).__name__
                if kind not in ("QuantumGate", "QuantumPhase", "QuantumBarrier"):
                    raise ValueError(f"a statement of kind {kind} is not supported in a gate")
                if kind != "QuantumBarrier":
                    inner = [_place(operand, places) for operand in statement.qubits]
                    yield from self._modified(statement, statement.modifiers, inner, scope)

    # -- names and numbers -------------------------------------------------------------------------------------------

    def _value(self, expression: Any, scope: Scope | None = None) -> Value:
        return evaluate(expression, self.scope if scope is None else scope, whole_numbers=self.version == 3)

    def _wires(self, operand: Any) -> list[int]:
        sizes = {name: len(wires) for name, wires in self.qubits.items()}
        return [self.qubits[name][k] for name, k in self._elements(operand, sizes, "qubit")]

    def _bits(self, operand: Any) -> list[str]:
        return [
            f"{name}[{k}]" if self.bits[name] > 1 else name for name, k in self._elements(operand, self.bits, "bit")
        ]

    def _elements(self, operand: Any, sizes: Mapping[str, int], kind: str) -> Iterator[tuple[str, int]]:
        """The elements of a register that a register or an element of it stands for."""
        name, index = _name_and_index(operand)
        if name not in sizes:
            raise ValueError(f"{name!r} is no {kind} that has been declared")
        if index is None:
            yield from ((name, k) for k in range(sizes[name]))
            return
        k = integer(index, self.scope)
        if not -sizes[name] <= k < sizes[name]:
            raise ValueError(f"{name}[{k}] does not exist, {name!r} has {sizes[name]} elements")
        yield name, k % sizes[name]

    def _condition(self, condition: Any) -> str:
        """The bit that must be 1."""
        match type(condition).__name__:
            case "BinaryExpression" if condition.op.name == "==" and getattr(condition.rhs, "value", None) == 1:
                bits = self._bits(condition.lhs)
            case "Identifier" | "IndexExpression":
                bits = self._bits(condition)
            case _:
                bits = []
        if len(bits) != 1:
            raise ValueError("a condition must be that one measured bit is 1")
        return bits[0]


def _with_control(operations: list[Operation], control: int) -> list[Operation]:
    return [each for operation in operations for each in controlled(operation, control)]


def _place(operand: Any, places: Mapping[str, int]) -> int:
    name, index = _name_and_index(operand)
    if name not in places or index is not None:
        raise ValueError(f"{name!r} is no qubit of the gate")
    return places[name]


def _name_and_index(operand: Any) -> tuple[str, Any]:
    """The name of a register, and the expression between its brackets, if any."""
    match type(operand).__name__:
        case "Identifier":
            return operand.name, None
        case "IndexedIdentifier":
            name, index = operand.name.name, operand.indices[0] if len(operand.indices) == 1 else None
        case "IndexExpression" if type(operand.collection).__name__ == "Identifier":
            name, index = operand.collection.name, operand.index
        case kind:
            raise ValueError(f"a register or an element of one is needed, got {kind}")
    if not isinstance(index, list) or len(index) != 1 or type(index[0]).__name__ == "RangeDefinition":
        raise ValueError(f"one index is needed, got several elements of {name!r}")
    return name, index[0]


def _inputs(program: ast.Program) -> dict[str, Angle]:
    """Angles for all inputs."""
    names: list[str] = []
    for node in program.statements:
        if type(node).__name__ == "IODeclaration" and node.io_identifier.name == "input":
            with _line(node):
                names += _input_names(node)
    return named_variables(names)


def _input_names(node: Any) -> Iterable[str]:
    name = node.identifier.name
    match type(node.type).__name__:
        case "FloatType" | "AngleType":
            return [name]
        case "ArrayType" if len(node.type.dimensions) == 1:
            return (f"{name}[{k}]" for k in range(integer(node.type.dimensions[0], {})))
        case kind:
            raise ValueError(f"an input must be of float or angle, got {name!r} of kind {kind}")


@contextlib.contextmanager
def _line(node: Any) -> Iterator[None]:
    """Errors in here say the node's line, unless they say one already."""
    try:
        yield
    except _LineError:
        raise
    except RecursionError:
        raise _LineError(f"from_qasm: line {node.span.start_line}: it is nested too deeply.") from None
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise _LineError(f"from_qasm: line {node.span.start_line}: {str(error).rstrip('.')}.") from None
