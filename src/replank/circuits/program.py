"""What is run: turns in a frame in which permutations cost nothing, gathered into few steps.

A basis state b of the circuit is kept at the position p with ``b = M p + o`` over GF(2). X, CNOT and SWAP change M and
o only. A Pauli string of the circuit becomes ``i^k X^x Z^z`` on positions, up to a sign, with bit masks x and z: the
turn ``exp(-i a/2 P)`` mixes the amplitudes at p and ``p ^ x`` with signs given by the parity of ``p & z``.

Turns are moved to the earliest step that they reach by commuting with what lies between: all diagonal turns of a layer
become one step, all other turns one step after it. What acts on single qubits before they meet makes a product state,
in which the program starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from replank.circuits.angle import Angle
from replank.circuits.lowering import Lowered
from replank.circuits.primitives import (
    Cnot,
    ComplexMatrix,
    Exchange,
    Flip,
    Matrix,
    Noise,
    Primitive,
    Project,
    Turn,
    Word,
)


@dataclass(frozen=True)
class Masked:
    """A Pauli string on positions: ``sign * i^n_y X^x Z^z``.

    Args:
        x: bits that it flips.
        z: bits whose parity gives its sign.
        n_y: how many letters Y it has, which is all that is left to know of its phase.
        sign: +1 or -1.
    """

    x: int
    z: int
    n_y: int
    sign: int

    def commutes(self, other: Masked) -> bool:
        """Whether the two strings commute."""
        return ((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) % 2 == 0


@dataclass(frozen=True)
class Condition:
    """True at positions where the parity of ``p & mask`` is ``value``."""

    mask: int
    value: int


@dataclass(frozen=True)
class Rotation:
    """``exp(-i angle/2 P)`` with a string that is not diagonal, where all conditions hold."""

    string: Masked
    angle: Angle
    conditions: tuple[Condition, ...] = ()

    def commutes(self, other: Rotation) -> bool:
        """Whether the two surely commute."""
        free = all(
            (condition.mask & string.x).bit_count() % 2 == 0
            for condition, string in [
                *((each, other.string) for each in self.conditions),
                *((each, self.string) for each in other.conditions),
            ]
        )
        return free and self.string.commutes(other.string)


@dataclass
class Phases:
    """A diagonal step: ``exp(-i/2 sum_z angle_z (-1)^parity(p & z))``."""

    terms: dict[int, Angle] = field(default_factory=dict)


@dataclass
class Rotations:
    """Rotations in the order in which they act."""

    terms: list[Rotation] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Dense:
    """A matrix on up to four qubits, given by what flips each of them and what reads it, most significant first."""

    flips: tuple[int, ...]
    reads: tuple[Condition, ...]
    matrix: ComplexMatrix
    is_unitary: bool


@dataclass(frozen=True)
class Projection:
    """Amplitudes stay where the condition holds and vanish elsewhere."""

    condition: Condition


Step = Phases | Rotations | Dense | Projection


@dataclass
class Frame:
    """Where basis states are kept: position bits that flip, and read, each line's bit.

    Position bit ``n - 1 - line`` belongs to a line to begin with, so that line 0 is the most significant.
    """

    flips: list[int]
    reads: list[int]
    offsets: list[int]

    @classmethod
    def of(cls, n: int) -> Frame:
        """The frame in which positions are basis states."""
        bits = [1 << (n - 1 - line) for line in range(n)]
        return cls(list(bits), list(bits), [0] * n)

    def absorb(self, primitive: Flip | Cnot | Exchange) -> None:
        """Take up a permutation of basis states."""
        match primitive:
            case Flip(line):
                self.offsets[line] ^= 1
            case Cnot(control, target):
                self.reads[target] ^= self.reads[control]
                self.offsets[target] ^= self.offsets[control]
                self.flips[control] ^= self.flips[target]
            case Exchange(one, other):
                for masks in (self.flips, self.reads, self.offsets):
                    masks[one], masks[other] = masks[other], masks[one]

    def masked(self, word: Word) -> Masked:
        """A Pauli string on lines as one on positions."""
        flipped, read, n_y, sign = 0, 0, 0, 1
        for line, letter in word:
            if letter in "XY":
                flipped ^= self.flips[line]
            if letter in "YZ":
                read ^= self.reads[line]
                sign *= -1 if self.offsets[line] else 1
            n_y += letter == "Y"
        return Masked(flipped, read, n_y, sign)

    def condition(self, line: int, value: int = 1) -> Condition:
        """Where a line's bit has a value."""
        return Condition(self.reads[line], value ^ self.offsets[line])


@dataclass(frozen=True)
class Program:
    """A circuit on n lines, ready to be run.

    Args:
        n: number of lines; there are ``2^n`` positions.
        start: for each line the (letter, angle) turns of it alone that come first; empty if the lines begin in a
            prepared state.
        steps: what follows.
        frame: where basis states are at the end.
        phase: the global phase is ``exp(-i phase/2)``.
        n_absorbed: permutations that cost nothing.
        n_turns: turns before they were gathered.
    """

    n: int
    start: tuple[tuple[tuple[str, Angle], ...], ...]
    steps: tuple[Step, ...]
    frame: Frame
    phase: Angle
    n_absorbed: int
    n_turns: int

    @property
    def n_irreversible(self) -> int:
        """Steps that can't be undone, so that the state before them is kept for the backward pass."""
        return sum(
            isinstance(step, Projection) or (isinstance(step, Dense) and not step.is_unitary) for step in self.steps
        )

    @property
    def angles(self) -> list[Angle]:
        """All angles in the order of the slots that backends give them."""
        found = [angle for turns in self.start for _, angle in turns]
        for step in self.steps:
            match step:
                case Phases(terms):
                    found += terms.values()
                case Rotations(rotations):
                    found += [rotation.angle for rotation in rotations]
        return found


class _Assembler:
    """Takes primitives one after the other and puts each into the earliest step that it reaches."""

    def __init__(self, n: int, *, product_start: bool):
        self.frame = Frame.of(n)
        self.start: list[list[tuple[str, Angle]]] = [[] for _ in range(n)]
        self.alone = [product_start] * n
        self.steps: list[Step] = []
        self.phase = Angle()
        self.n_absorbed = self.n_turns = 0

    def take(self, primitive: Primitive) -> None:
        """Add one."""
        if not isinstance(primitive, Turn | Flip) or len(primitive.wires) > 1:
            for line in primitive.wires:
                self.alone[line] = False
        match primitive:
            case Flip() | Cnot() | Exchange():
                self.n_absorbed += 1
                self.frame.absorb(primitive)
            case Turn():
                self._take_turn(primitive)
            case Matrix(wires, matrix, is_unitary):
                flips = tuple(self.frame.flips[line] for line in wires)
                reads = tuple(self.frame.condition(line) for line in wires)
                self.steps.append(Dense(flips, reads, matrix, is_unitary))
            case Project(wire, value):
                self.steps.append(Projection(self.frame.condition(wire, value)))
            case Noise():
                raise TypeError("Program: a channel must be made a matrix or a draw before it gets here.")

    def _take_turn(self, primitive: Turn) -> None:
        self.n_turns += 1
        string = self.frame.masked(primitive.word)
        if not primitive.word and not primitive.controls:
            self.phase = self.phase + primitive.angle
            return
        if len(primitive.wires) == 1 and self.alone[primitive.wires[0]]:
            ((line, letter),) = primitive.word
            self.start[line].append((letter, primitive.angle * string.sign))
            return
        if primitive.is_diagonal and not primitive.controls:
            self._add_phase(string.z, primitive.angle * string.sign)
        else:
            conditions = tuple(self.frame.condition(line) for line in primitive.controls)
            self._add_rotation(Rotation(string, primitive.angle, conditions))

    def _add_phase(self, z: int, angle: Angle) -> None:
        home = None
        for step in reversed(self.steps):
            if isinstance(step, Phases):
                home = step
            elif not _lets_phase_pass(step, z):
                break
        if home is None:
            home = Phases()
            self.steps.append(home)
        home.terms[z] = home.terms[z] + angle if z in home.terms else angle

    def _add_rotation(self, rotation: Rotation) -> None:
        home = None
        for step in reversed(self.steps):
            if isinstance(step, Rotations):
                home = step
                if not all(rotation.commutes(other) for other in step.terms):
                    break
            elif not _lets_rotation_pass(step, rotation):
                break
        if home is None:
            home = Rotations()
            self.steps.append(home)
        _join(home.terms, rotation)


def _lets_phase_pass(step: Step, z: int) -> bool:
    """Whether ``exp(-i a/2 Z^z)`` commutes with a step that is not diagonal."""
    match step:
        case Rotations(rotations):
            return all((rotation.string.x & z).bit_count() % 2 == 0 for rotation in rotations)
        case Dense(flips=flips):
            return all((flip & z).bit_count() % 2 == 0 for flip in flips)
    return True


def _lets_rotation_pass(step: Step, rotation: Rotation) -> bool:
    """Whether a rotation surely commutes with a step that holds no rotations."""
    flipped = rotation.string.x
    match step:
        case Phases(terms):
            return all((flipped & z).bit_count() % 2 == 0 for z in terms)
        case Projection(condition):
            return (flipped & condition.mask).bit_count() % 2 == 0
    return False


def _join(rotations: list[Rotation], new: Rotation) -> None:
    """Add a rotation to a step: to one about the same string if all between commute, or at the end."""
    for index in range(len(rotations) - 1, -1, -1):
        old = rotations[index]
        same = (old.string.x, old.string.z, old.string.n_y % 4) == (new.string.x, new.string.z, new.string.n_y % 4)
        if same and old.conditions == new.conditions:
            angle = old.angle + new.angle * (old.string.sign * new.string.sign)
            rotations[index] = Rotation(old.string, angle, old.conditions)
            return
        if not old.commutes(new):
            break
    rotations.append(new)


def _is_nothing(angle: Angle) -> bool:
    return angle.is_number and angle.constant == 0


def assemble(lowered: Lowered) -> Program:
    """The program of a circuit that has been lowered and pruned."""
    assembler = _Assembler(lowered.n_lines, product_start=not lowered.prepared)
    for primitive in lowered.primitives:
        assembler.take(primitive)
    steps: list[Step] = []
    for step in assembler.steps:
        match step:
            case Phases(terms):
                step = Phases({z: angle for z, angle in terms.items() if not _is_nothing(angle)})
                steps += [step] if step.terms else []
            case Rotations(rotations):
                step = Rotations([rotation for rotation in rotations if not _is_nothing(rotation.angle)])
                steps += [step] if step.terms else []
            case _:
                steps.append(step)
    return Program(
        n=lowered.n_lines,
        start=tuple(tuple(turns) for turns in assembler.start),
        steps=tuple(steps),
        frame=assembler.frame,
        phase=assembler.phase,
        n_absorbed=assembler.n_absorbed,
        n_turns=assembler.n_turns,
    )
