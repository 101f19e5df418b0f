"""The gates that OpenQASM programs take for granted, and what ``ctrl``, ``inv`` and ``pow`` make of gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import pi

import numpy as np
import torch

from replank.circuits import reference
from replank.circuits.angle import Angle, AngleLike, as_angle
from replank.circuits.circuit import Circuit
from replank.circuits.exchange.synthesis import global_phase
from replank.circuits.operations import Gate, Operation, PauliRotation, Unitary

NAMES = {
    "id": "I", "x": "X", "y": "Y", "z": "Z", "h": "H", "s": "S", "sdg": "Sdg", "t": "T", "tdg": "Tdg", "sx": "SX",
    "sxdg": "SXdg", "rx": "RX", "ry": "RY", "rz": "RZ", "p": "P", "phase": "P", "u1": "P", "u": "U3", "rot": "Rot",
    "cx": "CNOT", "CX": "CNOT", "cz": "CZ", "cy": "CY", "ch": "CH", "swap": "SWAP", "iswap": "iSWAP",
    "iswapdg": "iSWAPdg", "crx": "CRX", "cry": "CRY", "crz": "CRZ", "cp": "CP", "cphase": "CP", "cu1": "CP",
    "rxx": "RXX", "ryy": "RYY", "rzz": "RZZ", "ccx": "Toffoli",
}  # fmt: skip
"""Gates that are ours under another name, in both versions of OpenQASM."""

_SAME = 1e-8

Angles = Sequence[AngleLike]
Wires = Sequence[int]


def _gate(name: str, angles: Angles, wires: Wires) -> Gate:
    return Gate(name=name, angles=tuple(as_angle(angle) for angle in angles), wires=tuple(wires))


def _u(angles: Angles, wires: Wires) -> list[Operation]:
    # the built-in U of version 3 has another phase than qelib1's u3
    return [_gate("U3", angles, wires), global_phase(as_angle(angles[0]) / 2)]


def _u3(angles: Angles, wires: Wires) -> list[Operation]:
    polar, phi, delta = angles
    return [_gate("Rot", (delta, polar, phi), wires)]


def _cu(angles: Angles, wires: Wires) -> list[Operation]:
    polar, phi, delta, phase = angles
    return [
        _gate("P", (phase,), wires[:1]),
        _gate("CP", (delta,), wires),
        _gate("CRY", (polar,), wires),
        _gate("CP", (phi,), wires),
    ]


def _csx(_: Angles, wires: Wires) -> list[Operation]:
    return [_gate("P", (pi / 4,), wires[:1]), _gate("CRX", (pi / 2,), wires)]


def _cswap(_: Angles, wires: Wires) -> list[Operation]:
    control, one, other = wires
    cnot = _gate("CNOT", (), (other, one))
    return [cnot, _gate("Toffoli", (), (control, one, other)), cnot]


Composite = tuple[int, int, Callable[[Angles, Wires], list[Operation]]]
"""Number of angles, number of wires, and what the gate consists of."""

_BOTH: dict[str, Composite] = {
    "cu": (4, 2, _cu),
    "cu3": (3, 2, lambda angles, wires: _cu([*angles, 0.0], wires)[1:]),
    "csx": (0, 2, _csx),
    "cswap": (0, 3, _cswap),
}
_COMPOSITE: dict[int, dict[str, Composite]] = {
    2: _BOTH
    | {
        "U": (3, 1, lambda angles, wires: [_gate("U3", angles, wires)]),
        "u3": (3, 1, lambda angles, wires: [_gate("U3", angles, wires)]),
        "u2": (2, 1, lambda angles, wires: [_gate("U3", (pi / 2, *angles), wires)]),
    },
    3: _BOTH
    | {
        "U": (3, 1, _u),
        "u3": (3, 1, _u3),
        "u2": (2, 1, lambda angles, wires: _u3((pi / 2, *angles), wires)),
    },
}


def library_gate(name: str, angles: Sequence[Angle], wires: Wires, version: int) -> list[Operation]:
    """A gate of the standard library, in the meaning that it has in a version of OpenQASM.

    Raises:
        ValueError: it is unknown, or the number of angles or wires is not the gate's.
    """
    if name in NAMES:
        return [_gate(NAMES[name], angles, wires)]
    if name not in _COMPOSITE[version]:
        raise ValueError(f"the gate {name!r} is neither defined in the program nor supported")
    n_angles, n_wires, build = _COMPOSITE[version][name]
    if (len(angles), len(wires)) != (n_angles, n_wires):
        raise ValueError(
            f"{name}: takes {n_angles} angles and {n_wires} qubits, got {len(angles)} angles and {len(wires)} qubits"
        )
    return build(angles, wires)


def power(operations: list[Operation], exponent: int) -> Iterator[Operation]:
    """The operations over and over; undone as often if the exponent is negative."""
    once = operations if exponent >= 0 else [operation.inverse() for operation in reversed(operations)]
    for _ in range(abs(exponent)):
        yield from once


_PHASES = {"Z": pi, "S": pi / 2, "Sdg": -pi / 2, "T": pi / 4, "Tdg": -pi / 4}
_WITH_CONTROL = {
    "X": "CNOT", "Y": "CY", "H": "CH", "RX": "CRX", "RY": "CRY", "RZ": "CRZ", "P": "CP", "CNOT": "Toffoli",
}  # fmt: skip


def controlled(operation: Operation, control: int) -> list[Operation]:
    """The operation where ``control`` is 1, as gates where there are such.

    Raises:
        ValueError: it has no controlled form among the gates, and is too large or has no numbers to be a matrix.
    """
    wires = (control, *operation.wires)
    match operation:
        case PauliRotation(letters=letters, angle=angle) if not letters.strip("I"):
            return [_gate("P", (angle / -2,), (control,))]
        case Gate(name="I"):
            return []
        case Gate(name="Z"):
            return [_gate("CZ", (), wires)]
        case Gate(name=name) if name in _PHASES:
            return [_gate("CP", (_PHASES[name],), wires)]
        case Gate(name=name, angles=angles) if name in _WITH_CONTROL:
            return [_gate(_WITH_CONTROL[name], angles, wires)]
        case Gate(name="U3", angles=(polar, phi, delta)):
            return [_gate("CP", (delta,), wires), _gate("CRY", (polar,), wires), _gate("CP", (phi,), wires)]
        case Gate(name="Rot", angles=(first, second, third)):
            return [_gate("CRZ", (first,), wires), _gate("CRY", (second,), wires), _gate("CRZ", (third,), wires)]
        case Gate(name="SWAP", wires=(one, other)):
            return _cswap((), (control, one, other))
        case _ if all(angle.is_number for angle in operation.angles) and len(wires) <= 3:
            return [_controlled_matrix(operation, wires)]
    raise ValueError(f"a control of {operation.label} with {len(wires)} qubits in all is not supported")


def _controlled_matrix(operation: Operation, wires: tuple[int, ...]) -> Unitary:
    nothing = torch.zeros(1, 0, dtype=torch.float64)
    block = reference.operation_matrix(operation, nothing, nothing[0])[0].numpy()
    matrix = np.eye(2 * len(block), dtype=np.complex128)
    matrix[len(block) :, len(block) :] = block
    return Unitary(matrix=matrix, wires=wires)


def same_matrix(one: Sequence[Operation], other: Sequence[Operation], n_wires: int, *, up_to_phase: bool) -> bool:
    """Whether operations without parameters come to the same matrix."""
    left, right = (reference.unitary(Circuit(n_wires, operations)) for operations in (one, other))
    if up_to_phase:
        return bool((left.conj() * right).sum().abs() > 2**n_wires - _SAME)
    return bool((left - right).abs().max() < _SAME)
