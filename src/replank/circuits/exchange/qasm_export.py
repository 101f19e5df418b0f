"""Circuits as OpenQASM programs.

Qubit k is ``q[k]``. Version 3 keeps everything: trainable parameters and features are ``input`` variables ``theta_0``,
``x_0``, and the global phase is a ``gphase``. Version 2 knows neither.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from replank.circuits.angle import Angle, Atom, Call, Product, Variable
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.synthesis import as_gates
from replank.circuits.operations import Channel, Gate, Measure, Operation, PauliRotation, PostSelect, Reset

Version = Literal[2, 3]

# in the library of both versions: stdgates.inc, and qelib1.inc as first published, with which every reader agrees
_COMMON = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "Sdg": "sdg", "T": "t", "Tdg": "tdg", "RX": "rx",
    "RY": "ry", "RZ": "rz", "CNOT": "cx", "CZ": "cz", "CY": "cy", "CH": "ch", "CRZ": "crz", "Toffoli": "ccx",
}  # fmt: skip
_LIBRARY: dict[Version, dict[str, str]] = {
    2: _COMMON | {"P": "u1", "CP": "cu1", "U3": "u3"},
    3: _COMMON | {"SX": "sx", "SWAP": "swap", "CRX": "crx", "CRY": "cry", "P": "p", "CP": "cp"},
}
# gates that the library lacks are defined in the program: name, and what follows `gate`. Names of angles are in
# alphabetical order, in which Qiskit's reader takes them
_DEFINED = {
    "SX": ("sx", "sx a { sdg a; h a; sdg a; }"),  # up to a phase, in version 2 alone
    "SXdg": ("sxdg", "sxdg a { s a; h a; s a; gphase(-pi/4); }"),
    "U3": ("u", "u(t1, t2, t3) a { p(t3) a; ry(t1) a; p(t2) a; }"),  # in version 3, whose u3 has another phase
    "Rot": ("rot", "rot(t1, t2, t3) a { rz(t1) a; ry(t2) a; rz(t3) a; }"),
    "SWAP": ("swap", "swap a, b { cx a, b; cx b, a; cx a, b; }"),
    "iSWAP": ("iswap", "iswap a, b { s a; s b; h a; cx a, b; cx b, a; h b; }"),
    "iSWAPdg": ("iswapdg", "iswapdg a, b { h b; cx b, a; cx a, b; h a; sdg b; sdg a; }"),
    "CRX": ("crx", "crx(t) a, b { h b; crz(t) a, b; h b; }"),
    "CRY": ("cry", "cry(t) a, b { rx(pi/2) b; crz(t) a, b; rx(-pi/2) b; }"),
    "RXX": ("rxx", "rxx(t) a, b { h a; h b; cx a, b; rz(t) b; cx a, b; h a; h b; }"),
    "RYY": ("ryy", "ryy(t) a, b { rx(pi/2) a; rx(pi/2) b; cx a, b; rz(t) b; cx a, b; rx(-pi/2) a; rx(-pi/2) b; }"),
    "RZZ": ("rzz", "rzz(t) a, b { cx a, b; rz(t) b; cx a, b; }"),
}


def to_qasm(circuit: Circuit, version: Version = 3) -> str:
    """The circuit as an OpenQASM program, which :func:`from_qasm` reads back; qubit k is ``q[k]``.

    Matrices, diagonals, Pauli rotations and prepared states are written as gates, exactly. A measurement writes a bit
    of its own: ``m0`` for the key ``m0``, ``m_parity`` for the key ``parity``. In version 2 the global phase is lost.

    Args:
        circuit: in version 2, without parameters and features.
        version: of OpenQASM.

    Raises:
        ValueError: the version is another one; the circuit has a post-selection, a channel, or a state that depends on
            parameters or features; or version 2 is asked for parameters or features.
    """
    if version not in _LIBRARY:
        raise ValueError(f"to_qasm: `version` must be 2 or 3, got version={version!r}.")
    _check(circuit, version)
    writer = _Writer(version)
    body = [line for operation in circuit for line in writer.lines(operation)]
    return "\n".join([*_header(circuit, version, writer.used), *body]) + "\n"


def _check(circuit: Circuit, version: Version) -> None:
    for operation in circuit:
        if isinstance(operation, PostSelect | Channel):
            raise ValueError(
                f"to_qasm: OpenQASM has no post-selection and no noise, got {operation.label} on "
                f"wires={operation.wires}."
            )
        for angle in operation.angles:
            if version == 2 and not angle.is_number:
                raise ValueError(
                    f"to_qasm: OpenQASM 2 has no parameters, got {angle} in {operation.label}. Give numbers first, "
                    "circuit.bind(parameters, features), or use version=3."
                )


def _header(circuit: Circuit, version: Version, used: Iterable[str]) -> Iterator[str]:
    definitions = [_DEFINED[name][1] for name in _DEFINED if name in used and name not in _LIBRARY[version]]
    if version == 2:
        yield from ("OPENQASM 2.0;", 'include "qelib1.inc";')
        yield from (f"gate {text.replace(' gphase(-pi/4);', '')}" for text in definitions)
        yield f"qreg q[{circuit.n_qubits}];"
    else:
        yield from ("OPENQASM 3.0;", 'include "stdgates.inc";')
        yield from (f"gate {text}" for text in definitions)
        variables = {v for operation in circuit for angle in operation.angles for v in angle.variables()}
        yield from (f"input float[64] {_name(variable)};" for variable in sorted(variables))
        yield f"qubit[{circuit.n_qubits}] q;"


class _Writer:
    """Writes statements, and remembers the gates and the names of bits."""

    def __init__(self, version: Version):
        self.version = version
        self.used: set[str] = set()
        self._bits: dict[str, str] = {}

    def lines(self, operation: Operation) -> Iterator[str]:
        match operation:
            case Measure(key=key, wires=(wire,)):
                self._bits[key] = bit = self._bit(key)
                if self.version == 2:
                    yield from (f"creg {bit}[1];", f"measure q[{wire}] -> {bit}[0];")
                else:
                    yield from (f"bit {bit};", f"{bit} = measure q[{wire}];")
            case Reset(wires=(wire,)):
                yield f"reset q[{wire}];"
            case _:
                statements = [text for gate in as_gates(operation, "to_qasm") if (text := self._statement(gate))]
                if operation.when is not None and statements:
                    statements = self._conditional(operation.when, statements)
                yield from statements

    def _bit(self, key: str) -> str:
        """A name that OpenQASM allows: nothing that it knows begins with ``m_`` or is an ``m`` with digits."""
        name = re.sub(r"\W", "_", key, flags=re.ASCII)
        if not re.fullmatch(r"m\d+|m_\w*", name, flags=re.ASCII):
            name = f"m_{name}"
        while name in self._bits.values():
            name += "_"
        return name

    def _conditional(self, key: str, statements: list[str]) -> list[str]:
        if self.version == 2:
            return [f"if({self._bits[key]}==1) {statement}" for statement in statements]
        return [f"if ({self._bits[key]}) {{", *(f"  {statement}" for statement in statements), "}"]

    def _statement(self, gate: Gate | PauliRotation) -> str:
        """One statement; nothing for a phase in version 2."""
        if isinstance(gate, PauliRotation):
            return "" if self.version == 2 else f"gphase({_text(gate.angle / -2)});"
        self.used.add(gate.name)
        library = _LIBRARY[self.version]
        name = library[gate.name] if gate.name in library else _DEFINED[gate.name][0]
        angles = f"({', '.join(_text(angle) for angle in gate.angles)})" if gate.angles else ""
        return f"{name}{angles} {', '.join(f'q[{wire}]' for wire in gate.wires)};"


def _text(angle: Angle) -> str:
    words = [_atom(atom) if coefficient == 1 else f"{_number(coefficient)}*{_atom(atom)}"
             for atom, coefficient in angle.terms]  # fmt: skip
    if angle.constant or not words:
        words.append(_number(angle.constant))
    return " + ".join(words).replace("+ -", "- ")


def _atom(atom: Atom) -> str:
    match atom:
        case Variable():
            return _name(atom)
        case Product(left, right):
            return f"({_text(left)})*({_text(right)})"
        case Call("reciprocal", argument):
            return f"(1/({_text(argument)}))"
        case Call("tanh", argument):
            return f"(1 - 2/(exp({_text(argument * 2)}) + 1))"
        case Call(function, argument):
            return f"{function}({_text(argument)})"


def _name(variable: Variable) -> str:
    return f"{variable.kind}_{variable.index}"


def _number(value: float) -> str:
    """All digits, and the point that version 2 demands."""
    if not math.isfinite(value):
        raise ValueError(f"to_qasm: an angle must be finite, got {value}.")
    text = repr(float(value))
    return text if "." in text else text.replace("e", ".0e")
