"""The few operations that every gate comes down to: exponentials of Pauli strings, permutations, small matrices.

A *turn* is ``exp(-i angle/2 P)`` for a Pauli string P. Turns about strings of Z only are diagonal; turns about the
empty string are global phases. Gates that permute basis states linearly over GF(2) (X, CNOT, SWAP) are kept apart: a
plan absorbs them, so that they cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from replank.circuits.angle import Angle, AngleLike, as_angle

ComplexMatrix = NDArray[np.complex128]
Word = tuple[tuple[int, str], ...]
"""A Pauli string as (wire, letter) pairs with letters X, Y, Z, sorted by wire; empty for the identity."""


@dataclass(frozen=True)
class Turn:
    """``exp(-i angle/2 P)``, on the basis states only in which all ``controls`` are 1."""

    word: Word
    angle: Angle
    controls: tuple[int, ...] = ()

    @property
    def is_diagonal(self) -> bool:
        """Whether it only multiplies basis states by phases."""
        return all(letter == "Z" for _, letter in self.word)

    @property
    def wires(self) -> tuple[int, ...]:
        """All wires that it acts on."""
        return tuple(wire for wire, _ in self.word) + self.controls


@dataclass(frozen=True)
class Flip:
    """X on a wire."""

    wire: int

    @property
    def wires(self) -> tuple[int, ...]:
        """The wire, as a tuple."""
        return (self.wire,)


@dataclass(frozen=True)
class Cnot:
    """X on ``target`` where ``control`` is 1."""

    control: int
    target: int

    @property
    def wires(self) -> tuple[int, ...]:
        """Control and target."""
        return (self.control, self.target)


@dataclass(frozen=True)
class Exchange:
    """The two wires change places."""

    one: int
    other: int

    @property
    def wires(self) -> tuple[int, ...]:
        """Both wires."""
        return (self.one, self.other)


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix on up to four wires, the first of which is the most significant bit of its index."""

    wires: tuple[int, ...]
    matrix: ComplexMatrix
    is_unitary: bool = True


@dataclass(frozen=True)
class Project:
    """Keep the amplitudes in which ``wire`` has the value 0 or 1, and no others; the norm shrinks."""

    wire: int
    value: int

    @property
    def wires(self) -> tuple[int, ...]:
        """The wire, as a tuple."""
        return (self.wire,)


@dataclass(frozen=True, eq=False)
class Noise:
    """A channel by its Kraus matrices; only density matrices and trajectories can follow it."""

    wires: tuple[int, ...]
    kraus: tuple[ComplexMatrix, ...]


Primitive = Turn | Flip | Cnot | Exchange | Matrix | Project | Noise


def turn(letters: str, wires: tuple[int, ...], angle: AngleLike, controls: tuple[int, ...] = ()) -> Turn:
    """A turn about a Pauli string given by letters, one a wire; the identity letter I is dropped."""
    pairs = zip(wires, letters, strict=True)
    return Turn(tuple(sorted((w, letter) for w, letter in pairs if letter != "I")), as_angle(angle), controls)


def phase(angle: AngleLike) -> Turn:
    """The global phase ``exp(+i angle)``."""
    return Turn((), as_angle(angle) * -2.0)


def phase_shift(wire: int, angle: AngleLike) -> Iterator[Primitive]:
    """``diag(1, exp(i angle))`` on a wire."""
    yield turn("Z", (wire,), angle)
    yield phase(as_angle(angle) / 2)


def controlled_phase(one: int, other: int, angle: AngleLike) -> Iterator[Primitive]:
    """``exp(i angle)`` where both wires are 1, from ``|11><11| = (1 - Z1 - Z2 + Z1 Z2) / 4``."""
    half = as_angle(angle) / 2
    yield phase(half / 2)
    yield turn("Z", (one,), half)
    yield turn("Z", (other,), half)
    yield turn("ZZ", (one, other), -half)


def toffoli(first: int, second: int, target: int) -> Iterator[Primitive]:
    """X on ``target`` where two wires are 1: a controlled turn by pi is ``-i X``, and the phase is put right."""
    yield turn("X", (target,), pi, (first, second))
    yield from controlled_phase(first, second, pi / 2)


def controlled(primitive: Primitive, control: int) -> Iterator[Primitive]:
    """The primitive where ``control`` is 1, and nothing where it is 0.

    Raises:
        ValueError: a projection can't be controlled, or a matrix would act on more than four wires.
    """
    match primitive:
        case Turn(word, angle, controls) if controls or not primitive.is_diagonal:
            yield Turn(word, angle, (*controls, control))
        case Turn(word, angle):
            # exp(-i a/2 P |1><1|) with |1><1| = (1 - Z) / 2
            yield Turn(word, angle / 2)
            yield Turn(tuple(sorted((*word, (control, "Z")))), angle / -2)
        case Flip(wire):
            yield Cnot(control, wire)
        case Cnot(first, target):
            yield from toffoli(control, first, target)
        case Exchange(one, other):
            yield Cnot(other, one)
            yield from toffoli(control, one, other)
            yield Cnot(other, one)
        case Matrix(wires, matrix, is_unitary) if len(wires) < 4:
            larger = np.eye(2 * len(matrix), dtype=np.complex128)
            larger[len(matrix) :, len(matrix) :] = matrix
            yield Matrix((control, *wires), larger, is_unitary)
        case _:
            raise ValueError(f"controlled: only gates on up to three wires can be controlled, got {primitive}.")


def diagonal_turns(phases: NDArray[np.float64], wires: tuple[int, ...]) -> Iterator[Primitive]:
    """``diag(exp(i phases))`` on wires, the first of which is the most significant bit, as turns about strings of Z.

    The angles are the Walsh-Hadamard transform of the phases.
    """
    coefficients = np.array(phases, dtype=np.float64)
    n = len(wires)
    for bit in range(n):
        pairs = coefficients.reshape(2**bit, 2, -1)
        coefficients = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1).reshape(-1)
    for index, coefficient in enumerate(coefficients / 2**n):
        if abs(coefficient) > 1e-15:
            letters = "".join("Z" if index >> (n - 1 - bit) & 1 else "I" for bit in range(n))
            yield turn(letters, wires, -2 * float(coefficient))


def euler_turns(matrix: ComplexMatrix, wire: int) -> Iterator[Primitive]:
    """A 2x2 unitary as ``exp(i alpha) RZ(gamma) RY(beta) RZ(delta)``."""
    alpha = np.angle(np.linalg.det(matrix)) / 2
    special = matrix * np.exp(-1j * alpha)
    beta = 2 * np.arctan2(abs(special[1, 0]), abs(special[1, 1]))
    plus = 2 * np.angle(special[1, 1]) if abs(special[1, 1]) > 1e-12 else 0.0
    minus = 2 * np.angle(special[1, 0]) if abs(special[1, 0]) > 1e-12 else 0.0
    gamma, delta = (plus + minus) / 2, (plus - minus) / 2
    for letter, angle in (("Z", delta), ("Y", beta), ("Z", gamma)):
        if angle:
            yield turn(letter, (wire,), float(angle))
    yield phase(float(alpha))
