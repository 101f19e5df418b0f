"""The named gates: matrix, inverse, and the primitives that each comes down to.

Conventions, equal to PennyLane's: ``RX(t) = exp(-i t X / 2)``, likewise RY, RZ, RXX, RYY, RZZ;
``P(a) = diag(1, exp(i a))``; ``Rot(a, b, c) = RZ(c) RY(b) RZ(a)``; ``U3(t, f, l) = exp(i (f + l) / 2) RZ(f) RY(t)
RZ(l)``. The first wire of a gate is the most significant bit of its matrix's index; controls come first.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import pi, sqrt

import torch
from torch import Tensor

from replank.circuits.angle import Angle
from replank.circuits.primitives import (
    Cnot,
    Exchange,
    Flip,
    Primitive,
    controlled_phase,
    phase,
    phase_shift,
    toffoli,
    turn,
)

Lower = Callable[[tuple[int, ...], tuple[Angle, ...]], Iterable[Primitive]]
"""From wires and angles to primitives, in the order in which they act."""


@dataclass(frozen=True)
class GateKind:
    """What a named gate is.

    Args:
        name: as in circuits, ``"CRX"``.
        n_wires: number of wires.
        n_angles: number of angles.
        matrix: from complex angles' batch ``(*, n_angles)`` to matrices ``(*, d, d)``.
        lower: the primitives that it comes down to.
        inverse: name and angles of the inverse gate.
        n_controls: how many of the first wires are controls, for drawings.
    """

    name: str
    n_wires: int
    n_angles: int
    matrix: Callable[[Tensor], Tensor]
    lower: Lower
    inverse: Callable[[tuple[Angle, ...]], tuple[str, tuple[Angle, ...]]]
    n_controls: int = 0


def _matrix(rows: list[list[Tensor | complex]], like: Tensor) -> Tensor:
    """Stack entries, each a number or a batch, to matrices of the batch's shape."""
    entries = [torch.as_tensor(entry, dtype=like.dtype, device=like.device) for row in rows for entry in row]
    stacked = torch.stack([entry.expand(like.shape[:-1]) for entry in entries], dim=-1)
    return stacked.reshape(*like.shape[:-1], len(rows), len(rows))


def _constant(*rows: list[complex]) -> Callable[[Tensor], Tensor]:
    return lambda angles: _matrix([list(row) for row in rows], angles)


def _rotation(letters: str) -> Callable[[Tensor], Tensor]:
    """``exp(-i a/2 P) = cos(a/2) - i sin(a/2) P``."""

    def matrix(angles: Tensor) -> Tensor:
        pauli = pauli_matrix(letters).to(angles)
        half = angles[..., 0, None, None] / 2
        return half.cos() * torch.eye(len(pauli)).to(angles) - 1j * half.sin() * pauli

    return matrix


_LETTERS = {
    "I": ((1, 0), (0, 1)),
    "X": ((0, 1), (1, 0)),
    "Y": ((0, -1j), (1j, 0)),
    "Z": ((1, 0), (0, -1)),
}


def pauli_matrix(letters: str) -> Tensor:
    """The dense matrix of a Pauli string, complex128; its first letter acts on the most significant bit."""
    matrix = torch.ones(1, 1, dtype=torch.complex128)
    for letter in letters:
        matrix = torch.kron(matrix, torch.tensor(_LETTERS[letter], dtype=torch.complex128))
    return matrix


def _controlled_matrix(inner: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def matrix(angles: Tensor) -> Tensor:
        block = inner(angles)
        d = block.shape[-1]
        off = torch.eye(d).to(block).expand(block.shape)
        zero = torch.zeros_like(block)
        return torch.cat((torch.cat((off, zero), -1), torch.cat((zero, block), -1)), -2)

    return matrix


def _u3(angles: Tensor) -> Tensor:
    theta, phi, delta = angles.unbind(-1)
    c, s = (theta / 2).cos(), (theta / 2).sin()
    return _matrix(
        [
            [c, -torch.exp(1j * delta) * s],
            [torch.exp(1j * phi) * s, torch.exp(1j * (phi + delta)) * c],
        ],
        angles,
    )


def _rot(angles: Tensor) -> Tensor:
    first, second, third = (angles[..., k : k + 1] for k in range(3))
    return _rotation("Z")(third) @ _rotation("Y")(second) @ _rotation("Z")(first)


def _phase_matrix(angles: Tensor) -> Tensor:
    return _matrix([[1, 0], [0, torch.exp(1j * angles[..., 0])]], angles)


def _itself(name: str) -> Callable[[tuple[Angle, ...]], tuple[str, tuple[Angle, ...]]]:
    return lambda angles: (name, angles)


def _negated(name: str) -> Callable[[tuple[Angle, ...]], tuple[str, tuple[Angle, ...]]]:
    return lambda angles: (name, tuple(-angle for angle in angles))


def _fixed(
    name: str, matrix: Callable[[Tensor], Tensor], lower: Lower, *, inverse: str = "", controls: int = 0
) -> GateKind:
    n_wires = len(matrix(torch.zeros(0, dtype=torch.complex128))).bit_length() - 1
    return GateKind(name, n_wires, 0, matrix, lower, _itself(inverse or name), controls)


def _turned(name: str, letters: str, *, n_controls: int = 0) -> GateKind:
    """A rotation about a Pauli string, possibly controlled."""
    matrix = _rotation(letters)
    for _ in range(n_controls):
        matrix = _controlled_matrix(matrix)
    n_wires = n_controls + len(letters)

    def lower(wires: tuple[int, ...], angles: tuple[Angle, ...]) -> Iterable[Primitive]:
        yield turn(letters, wires[n_controls:], angles[0], wires[:n_controls])

    return GateKind(name, n_wires, 1, matrix, lower, _negated(name), n_controls)


def _lower_y(wires: tuple[int, ...], _: tuple[Angle, ...]) -> Iterable[Primitive]:
    # Y = i X Z and Z = i RZ(pi)
    return turn("Z", wires, pi), Flip(wires[0]), phase(pi)


def _lower_z(wires: tuple[int, ...], _: tuple[Angle, ...]) -> Iterable[Primitive]:
    return phase_shift(wires[0], pi)


def _lower_h(wires: tuple[int, ...], _: tuple[Angle, ...]) -> Iterable[Primitive]:
    # H = RY(pi/2) Z
    return (*phase_shift(wires[0], pi), turn("Y", wires, pi / 2))


def _lower_phase(angle: float) -> Lower:
    return lambda wires, _: phase_shift(wires[0], angle)


def _lower_sx(sign: int) -> Lower:
    return lambda wires, _: (turn("X", wires, sign * pi / 2), phase(sign * pi / 4))


def _lower_u3(wires: tuple[int, ...], angles: tuple[Angle, ...]) -> Iterable[Primitive]:
    polar, phi, delta = angles
    return turn("Z", wires, delta), turn("Y", wires, polar), turn("Z", wires, phi), phase((phi + delta) / 2)


def _lower_rot(wires: tuple[int, ...], angles: tuple[Angle, ...]) -> Iterable[Primitive]:
    return tuple(turn(letter, wires, angle) for letter, angle in zip("ZYZ", angles, strict=True))


def _lower_cy(wires: tuple[int, ...], _: tuple[Angle, ...]) -> Iterable[Primitive]:
    # Y = S X S^+
    return turn("Z", wires[1:], -pi / 2), Cnot(*wires), turn("Z", wires[1:], pi / 2)


def _lower_ch(wires: tuple[int, ...], _: tuple[Angle, ...]) -> Iterable[Primitive]:
    # H = RY(pi/2) Z, both controlled
    return (*controlled_phase(wires[0], wires[1], pi), turn("Y", wires[1:], pi / 2, wires[:1]))


def _lower_iswap(sign: int) -> Lower:
    # iSWAP = SWAP CZ (S x S); all three commute
    return lambda wires, _: (
        *phase_shift(wires[0], sign * pi / 2),
        *phase_shift(wires[1], sign * pi / 2),
        *controlled_phase(wires[0], wires[1], pi),
        Exchange(*wires),
    )


def _lower_crz(wires: tuple[int, ...], angles: tuple[Angle, ...]) -> Iterable[Primitive]:
    return turn("Z", wires[1:], angles[0] / 2), turn("ZZ", wires, angles[0] / -2)


def _inverse_rot(angles: tuple[Angle, ...]) -> tuple[str, tuple[Angle, ...]]:
    return "Rot", tuple(-angle for angle in reversed(angles))


def _inverse_u3(angles: tuple[Angle, ...]) -> tuple[str, tuple[Angle, ...]]:
    polar, phi, delta = angles
    return "U3", (-polar, -delta, -phi)


_R = 1 / sqrt(2)
_T = cmath.exp(1j * pi / 4)
_PAULI_X: tuple[list[complex], ...] = ([0, 1], [1, 0])
_HADAMARD: tuple[list[complex], ...] = ([_R, _R], [_R, -_R])

_ALL = (
    _fixed("I", _constant([1, 0], [0, 1]), lambda wires, angles: ()),
    _fixed("X", _constant(*_PAULI_X), lambda wires, angles: (Flip(wires[0]),)),
    _fixed("Y", _constant([0, -1j], [1j, 0]), _lower_y),
    _fixed("Z", _constant([1, 0], [0, -1]), _lower_z),
    _fixed("H", _constant(*_HADAMARD), _lower_h),
    _fixed("S", _constant([1, 0], [0, 1j]), _lower_phase(pi / 2), inverse="Sdg"),
    _fixed("Sdg", _constant([1, 0], [0, -1j]), _lower_phase(-pi / 2), inverse="S"),
    _fixed("T", _constant([1, 0], [0, _T]), _lower_phase(pi / 4), inverse="Tdg"),
    _fixed("Tdg", _constant([1, 0], [0, _T.conjugate()]), _lower_phase(-pi / 4), inverse="T"),
    _fixed("SX", _constant([(1 + 1j) / 2, (1 - 1j) / 2], [(1 - 1j) / 2, (1 + 1j) / 2]), _lower_sx(1), inverse="SXdg"),
    _fixed("SXdg", _constant([(1 - 1j) / 2, (1 + 1j) / 2], [(1 + 1j) / 2, (1 - 1j) / 2]), _lower_sx(-1), inverse="SX"),
    _turned("RX", "X"),
    _turned("RY", "Y"),
    _turned("RZ", "Z"),
    GateKind("P", 1, 1, _phase_matrix, lambda wires, angles: phase_shift(wires[0], angles[0]), _negated("P")),
    GateKind("U3", 1, 3, _u3, _lower_u3, _inverse_u3),
    GateKind("Rot", 1, 3, _rot, _lower_rot, _inverse_rot),
    _fixed("CNOT", _controlled_matrix(_constant(*_PAULI_X)), lambda wires, angles: (Cnot(*wires),), controls=1),
    _fixed(
        "CZ", _controlled_matrix(_constant([1, 0], [0, -1])), lambda w, _: controlled_phase(w[0], w[1], pi), controls=1
    ),
    _fixed("CY", _controlled_matrix(_constant([0, -1j], [1j, 0])), _lower_cy, controls=1),
    _fixed("CH", _controlled_matrix(_constant(*_HADAMARD)), _lower_ch, controls=1),
    _fixed(
        "SWAP",
        _constant([1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]),
        lambda wires, angles: (Exchange(*wires),),
    ),
    _fixed(
        "iSWAP",
        _constant([1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]),
        _lower_iswap(1),
        inverse="iSWAPdg",
    ),
    _fixed(
        "iSWAPdg",
        _constant([1, 0, 0, 0], [0, 0, -1j, 0], [0, -1j, 0, 0], [0, 0, 0, 1]),
        _lower_iswap(-1),
        inverse="iSWAP",
    ),
    _turned("CRX", "X", n_controls=1),
    _turned("CRY", "Y", n_controls=1),
    GateKind("CRZ", 2, 1, _controlled_matrix(_rotation("Z")), _lower_crz, _negated("CRZ"), 1),
    GateKind(
        "CP",
        2,
        1,
        _controlled_matrix(_phase_matrix),
        lambda w, angles: controlled_phase(w[0], w[1], angles[0]),
        _negated("CP"),
        1,
    ),
    _turned("RXX", "XX"),
    _turned("RYY", "YY"),
    _turned("RZZ", "ZZ"),
    _fixed(
        "Toffoli",
        _controlled_matrix(_controlled_matrix(_constant(*_PAULI_X))),
        lambda wires, angles: toffoli(*wires),
        controls=2,
    ),
)

GATES: dict[str, GateKind] = {kind.name: kind for kind in _ALL}
"""All named gates."""
