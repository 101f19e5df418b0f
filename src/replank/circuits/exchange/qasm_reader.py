"""Reads what the parser of OpenQASM has made of a program. Needs openqasm3: import it where that is known to be there.

A few lines can ask for more than any machine holds, so that registers and numbers of operations have a limit.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from openqasm3 import ast

from replank.circuits.angle import Angle, as_angle
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.names import Keys, named_variables
from replank.circuits.exchange.qasm_expressions import CONSTANTS, Scope, Value, evaluate, integer
from replank.circuits.exchange.qasm_gates import NAMES, controlled, library_gate, power, same_matrix
from replank.circuits.exchange.synthesis import global_phase
from replank.circuits.gates import GATES
from replank.circuits.operations import UNITARY, Gate, Measure, Operation, Reset

_MOST = 10**6  # operations, steps towards them, and elements of a register
_LONGEST = 1000  # operations in a definition that is compared with a gate of ours

Version = Literal[2, 3]
Operand: TypeAlias = ast.Identifier | ast.IndexedIdentifier | ast.Expression
"""A register or an element of one. (Said to be aliases, so that types can be checked without openqasm3.)"""
Applied: TypeAlias = ast.QuantumGate | ast.QuantumPhase


def read_program(program: ast.Program, version: Version) -> Circuit:
    """The circuit of a parsed program.

    Raises:
        ValueError: it says what a circuit can't, named in the message with its line.
    """
    reader = _Reader(version, _inputs(program))
    reader.read(program.statements)
    if not reader.n_qubits:
        raise ValueError("from_qasm: the program must declare qubits, got none.")
    return Circuit(reader.n_qubits, reader.operations)


class _Reader:
    """Reads statements one after another."""

    def __init__(self, version: Version, inputs: Mapping[str, Angle]):
        self.n_qubits = 0
        self.operations: list[Operation] = []
        self._version = version
        self._scope: dict[str, Value] = {**CONSTANTS, **inputs}
        self._qubits: dict[str, range] = {}
        self._bits: dict[str, int] = {}
        self._keys = Keys()
        self._gates: dict[str, ast.QuantumGateDefinition] = {}
        self._when: str | None = None
        self._n_expanded = 0

    def read(self, statements: Sequence[ast.Statement | ast.Pragma]) -> None:
        for statement in statements:
            with _line(statement):
                self._read(statement)

    def _read(self, node: ast.QASMNode) -> None:
        match node:
            case ast.Include(filename=name):
                if name not in ("stdgates.inc", "qelib1.inc"):
                    raise ValueError(f"only stdgates.inc and qelib1.inc are known, got include {name!r}")
            case ast.QubitDeclaration():
                self._declare_qubits(node)
            case ast.ClassicalDeclaration(type=ast.BitType(size=size), identifier=name):
                self._declare_bits(name, size)
                self._initialise(name, node.init_expression)
            case ast.ClassicalDeclaration() | ast.ConstantDeclaration():
                self._declare_number(node)
            case ast.IODeclaration():
                self._declare_output(node)
            case ast.QuantumGateDefinition():
                self._define(node)
            case ast.QuantumGate():
                self._apply(node)
            case ast.QuantumPhase(qubits=qubits):
                wires = [wire for operand in qubits for wire in self._wires(operand)]
                self._add(self._modified(node, node.modifiers, wires, self._scope))
            case ast.QuantumReset(qubits=operand):
                self._add(Reset(wires=(wire,)) for wire in self._wires(operand))
            case ast.QuantumMeasurementStatement(measure=measurement, target=target):
                self._measure(measurement, target)
            case ast.BranchingStatement():
                self._branch(node)
            case ast.QuantumBarrier():
                pass  # an advice to compilers
            case _:
                raise ValueError(f"a statement of kind {type(node).__name__} is not supported")

    # -- declarations ------------------------------------------------------------------------------------------------

    def _declare_qubits(self, node: ast.QubitDeclaration) -> None:
        self._check_new(node.qubit.name)
        end = self.n_qubits + _register_size(node.size, self._scope)
        self._qubits[node.qubit.name] = range(self.n_qubits, end)
        self.n_qubits = end

    def _declare_bits(self, name: ast.Identifier, size: ast.Expression | None) -> None:
        self._check_new(name.name)
        self._bits[name.name] = _register_size(size, self._scope)

    def _initialise(self, name: ast.Identifier, value: ast.Expression | ast.QuantumMeasurement | None) -> None:
        if isinstance(value, ast.QuantumMeasurement):
            self._measure(value, name)
        elif value is not None:
            raise ValueError(f"the bit {name.name!r} must get its value from a measurement")

    def _declare_number(self, node: ast.ClassicalDeclaration | ast.ConstantDeclaration) -> None:
        name, expression = node.identifier.name, node.init_expression
        self._check_new(name)
        match node.type, expression:
            case ((ast.IntType() | ast.UintType()), ast.Expression()):
                self._scope[name] = integer(expression, self._scope)
            case ((ast.FloatType() | ast.AngleType()), ast.Expression()):
                self._scope[name] = as_angle(self._value(expression))
            case kind, _:
                raise ValueError(
                    f"a variable must be a number with a value, got {name!r} of kind {type(kind).__name__}"
                )

    def _declare_output(self, node: ast.IODeclaration) -> None:
        if node.io_identifier.name == "input":
            return  # all inputs are known from the beginning
        if not isinstance(node.type, ast.BitType):
            raise ValueError(f"an output must be of bits, got {node.identifier.name!r}")
        self._declare_bits(node.identifier, node.type.size)

    def _define(self, node: ast.QuantumGateDefinition) -> None:
        name = node.name.name
        if name in self._gates:
            raise ValueError(f"the gate {name!r} is defined twice")
        if not self._is_ours(node):
            self._gates[name] = node

    def _is_ours(self, node: ast.QuantumGateDefinition) -> bool:
        """Whether the definition of a gate with the name of one of ours says that very gate, at generic angles."""
        kind = GATES.get(NAMES.get(node.name.name, ""))
        if kind is None or (kind.n_angles, kind.n_wires) != (len(node.arguments), len(node.qubits)):
            return False
        angles = tuple(as_angle(0.3 + 0.7 * k) for k in range(kind.n_angles))
        wires = tuple(range(kind.n_wires))
        body = list(itertools.islice(self._body(node, angles, wires), _LONGEST + 1))
        if len(body) > _LONGEST or not all(angle.is_number for operation in body for angle in operation.angles):
            return False
        ours = [Gate(name=kind.name, angles=angles, wires=wires)]
        return same_matrix(body, ours, kind.n_wires, up_to_phase=self._version == 2)

    def _check_new(self, name: str) -> None:
        if name in self._qubits or name in self._bits or name in self._scope:
            raise ValueError(f"{name!r} is declared twice")

    # -- what is done ------------------------------------------------------------------------------------------------

    def _apply(self, node: ast.QuantumGate) -> None:
        """A gate on qubits, or on registers element by element."""
        operands = [self._wires(operand) for operand in node.qubits]
        size = max((len(wires) for wires in operands), default=1)
        if any(len(wires) not in (1, size) for wires in operands):
            raise ValueError(f"{node.name.name!r} on several registers needs registers of one size")
        for k in range(size):
            wires = [wires[k if len(wires) > 1 else 0] for wires in operands]
            self._add(self._modified(node, node.modifiers, wires, self._scope))

    def _branch(self, node: ast.BranchingStatement) -> None:
        if self._when is not None or node.else_block:
            raise ValueError("`if` within `if` and `else` are not supported")
        self._when = self._keys.latest(self._condition(node.condition))
        self.read(node.if_block)
        self._when = None

    def _condition(self, condition: ast.Expression) -> str:
        """The bit that must be 1."""
        match condition:
            case ast.BinaryExpression(lhs=operand) if condition.op.name == "==" and _is_one(condition.rhs):
                bits = self._bit_names(operand)
            case ast.Identifier() | ast.IndexExpression():
                bits = self._bit_names(condition)
            case _:
                bits = []
        if len(bits) != 1:
            raise ValueError("a condition must be that one measured bit is 1")
        return bits[0]

    def _measure(self, measurement: ast.QuantumMeasurement, target: Operand | None) -> None:
        wires = self._wires(measurement.qubit)
        bits = [None] * len(wires) if target is None else self._bit_names(target)
        if len(wires) != len(bits):
            raise ValueError(f"a bit for each measured qubit is needed, got {len(wires)} qubits and {len(bits)} bits")
        self._add(Measure(key=self._keys.measured(bit), wires=(wire,)) for wire, bit in zip(wires, bits, strict=True))

    def _add(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            if len(self.operations) >= _MOST:
                raise ValueError(f"a program must have at most {_MOST} operations")
            if self._when is not None and not isinstance(operation, UNITARY):
                raise ValueError(f"only gates can depend on a measurement, got {operation.label}")
            self.operations.append(operation if self._when is None else replace(operation, when=self._when))

    # -- gates -------------------------------------------------------------------------------------------------------

    def _modified(
        self, node: Applied, modifiers: Sequence[ast.QuantumGateModifier], wires: Sequence[int], scope: Scope
    ) -> Iterator[Operation]:
        """One application of a gate or phase with modifiers, the outermost first, whose controls come first."""
        if len(set(wires)) != len(wires):
            raise ValueError(f"the qubits of a gate must differ, got qubits {list(wires)}")
        if not modifiers:
            yield from self._plain(node, wires, scope)
            return
        name, inner = modifiers[0].modifier.name, modifiers[1:]
        argument = 1 if modifiers[0].argument is None else integer(modifiers[0].argument, scope)
        if name in ("inv", "pow"):
            exponent = -1 if name == "inv" else argument
            once = list(itertools.islice(self._modified(node, inner, wires, scope), _MOST + 1))
            if len(once) * abs(exponent) > _MOST:
                raise ValueError(f"a program must have at most {_MOST} operations")
            yield from power(once, exponent)
            return
        if not 1 <= argument <= len(wires):
            raise ValueError(f"{name} needs at least one control and a qubit for each, got {argument}")
        controls = wires[:argument]
        flips = [Gate(name="X", wires=(wire,)) for wire in controls if name == "negctrl"]
        yield from flips
        for operation in self._modified(node, inner, wires[argument:], scope):
            yield from functools.reduce(_with_control, controls, [operation])
        yield from flips

    def _plain(self, node: Applied, wires: Sequence[int], scope: Scope) -> Iterator[Operation]:
        if isinstance(node, ast.QuantumPhase):
            if wires:
                raise ValueError(f"gphase takes no qubits but controls, got qubits {list(wires)}")
            yield global_phase(self._value(node.argument, scope))
            return
        name = node.name.name
        angles = [as_angle(self._value(argument, scope)) for argument in node.arguments]
        if name in self._gates:
            yield from self._body(self._gates[name], angles, wires)
        else:
            yield from library_gate(name, angles, wires, self._version)

    def _body(
        self, definition: ast.QuantumGateDefinition, angles: Sequence[Angle], wires: Sequence[int]
    ) -> Iterator[Operation]:
        """What a gate that the program defines consists of."""
        expected, got = (len(definition.arguments), len(definition.qubits)), (len(angles), len(wires))
        if expected != got:
            raise ValueError(f"{definition.name.name!r} takes {expected} angles and qubits, got {got}")
        scope = self._scope | {name.name: angle for name, angle in zip(definition.arguments, angles, strict=True)}
        places = {name.name: wire for name, wire in zip(definition.qubits, wires, strict=True)}
        for statement in definition.body:
            with _line(statement):
                self._n_expanded += 1
                if self._n_expanded > _MOST:
                    raise ValueError(f"a program must come to at most {_MOST} statements of definitions")
                match statement:
                    case ast.QuantumGate() | ast.QuantumPhase():
                        inner = [_place(operand, places) for operand in statement.qubits]
                        yield from self._modified(statement, statement.modifiers, inner, scope)
                    case ast.QuantumBarrier():
                        pass
                    case _:
                        raise ValueError(f"a statement of kind {type(statement).__name__} is not supported in a gate")

    # -- names and numbers -------------------------------------------------------------------------------------------

    def _value(self, expression: ast.Expression, scope: Scope | None = None) -> Value:
        return evaluate(expression, self._scope if scope is None else scope, whole_numbers=self._version == 3)

    def _wires(self, operand: Operand) -> list[int]:
        sizes = {name: len(wires) for name, wires in self._qubits.items()}
        return [self._qubits[name][k] for name, k in self._elements(operand, sizes, "qubit")]

    def _bit_names(self, operand: Operand) -> list[str]:
        elements = self._elements(operand, self._bits, "bit")
        return [f"{name}[{k}]" if self._bits[name] > 1 else name for name, k in elements]

    def _elements(self, operand: Operand, sizes: Mapping[str, int], kind: str) -> Iterator[tuple[str, int]]:
        """The elements of a register that a register or an element of it stands for."""
        name, index = _name_and_index(operand)
        if name not in sizes:
            raise ValueError(f"{name!r} is no {kind} that has been declared")
        if index is None:
            yield from ((name, k) for k in range(sizes[name]))
            return
        k = integer(index, self._scope)
        if not -sizes[name] <= k < sizes[name]:
            raise ValueError(f"{name}[{k}] does not exist, {name!r} has {sizes[name]} elements")
        yield name, k % sizes[name]


def _with_control(operations: list[Operation], control: int) -> list[Operation]:
    return [each for operation in operations for each in controlled(operation, control)]


def _is_one(expression: ast.Expression) -> bool:
    return isinstance(expression, ast.IntegerLiteral | ast.BooleanLiteral) and expression.value == 1


def _place(operand: Operand, places: Mapping[str, int]) -> int:
    name, index = _name_and_index(operand)
    if name not in places or index is not None:
        raise ValueError(f"{name!r} is no qubit of the gate")
    return places[name]


def _name_and_index(operand: Operand) -> tuple[str, ast.Expression | None]:
    """The name of a register, and the expression between its brackets, if any."""
    match operand:
        case ast.Identifier(name=name):
            return name, None
        case (
            ast.IndexedIdentifier(name=ast.Identifier(name=name), indices=[[ast.Expression() as index]])
            | ast.IndexExpression(collection=ast.Identifier(name=name), index=[ast.Expression() as index])
        ):
            return name, index
    raise ValueError(f"a register or one element of one is needed, got {type(operand).__name__}")


def _register_size(size: ast.Expression | None, scope: Scope) -> int:
    n = 1 if size is None else integer(size, scope)
    if not 1 <= n <= _MOST:
        raise ValueError(f"a register must have 1 to {_MOST} elements, got {n}")
    return n


def _inputs(program: ast.Program) -> dict[str, Angle]:
    """Angles for all inputs."""
    names: dict[str, None] = {}
    for node in program.statements:
        if isinstance(node, ast.IODeclaration) and node.io_identifier.name == "input":
            with _line(node):
                for name in _input_names(node):
                    if name in names:
                        raise ValueError(f"{name!r} is declared twice")
                    names[name] = None
    return named_variables(names)


def _input_names(node: ast.IODeclaration) -> Iterable[str]:
    name = node.identifier.name
    match node.type:
        case ast.FloatType() | ast.AngleType():
            return [name]
        case ast.ArrayType(base_type=ast.FloatType() | ast.AngleType(), dimensions=[size]):
            return (f"{name}[{k}]" for k in range(_register_size(size, CONSTANTS)))
    raise ValueError(f"an input must be of float or angle, got {name!r} of kind {type(node.type).__name__}")


class _LineError(ValueError):
    """An error that says its line already."""


@contextlib.contextmanager
def _line(node: ast.QASMNode) -> Iterator[None]:
    """Errors in here say the node's line, unless they say one already."""
    try:
        yield
    except _LineError:
        raise
    except RecursionError:
        problem = "it is nested too deeply"
    except OverflowError:
        problem = "a number is too large"
    except (ValueError, ZeroDivisionError) as error:
        problem = str(error).rstrip(".")
    else:
        return
    assert node.span is not None  # the parser sees to it
    raise _LineError(f"from_qasm: line {node.span.start_line}: {problem}.") from None
