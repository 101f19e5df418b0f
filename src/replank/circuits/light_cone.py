"""Dropping what the measured observables cannot see, and finding parts of a circuit that never meet.

An observable is followed backwards through the circuit. On each line it is the identity (``DEAD``), diagonal
(``DIAGONAL``), or anything (``FULL``). A unitary that commutes with what is known of the observable leaves every
expectation value as it is, and goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from replank.circuits.lowering import Lowered, renumbered
from replank.circuits.primitives import Cnot, Exchange, Flip, Matrix, Noise, Primitive, Project, Turn

DEAD, DIAGONAL, FULL = 0, 1, 2


def prune(lowered: Lowered, status: list[int]) -> Lowered:
    """The primitives that can matter.

    Args:
        lowered: all primitives.
        status: what the observables are on each line at the end; overwritten by what they are at the beginning.
    """
    kept = [primitive for primitive in reversed(lowered.primitives) if _matters(primitive, status)]
    return replace(lowered, primitives=tuple(reversed(kept)))


def _matters(primitive: Primitive, status: list[int]) -> bool:
    """Whether a primitive changes the observable; if so, ``status`` becomes that of the observable before it."""
    match primitive:
        case Project():
            # it acts whether it is looked at or not, through the norm
            status[primitive.wire] = max(status[primitive.wire], DIAGONAL)
            return True
        case Flip(wire):
            return status[wire] != DEAD
        case Exchange(one, other):
            status[one], status[other] = status[other], status[one]
            return status[one] != DEAD or status[other] != DEAD
        case Cnot(control, target):
            if status[target] == DIAGONAL and status[control] != FULL:
                status[control] = DIAGONAL  # Z on the target becomes Z on both
                return True
            return _spread(status, diagonal=(control,), full=(target,))
        case Turn(word=(), controls=()):
            return all(level == FULL for level in status)  # of a global phase, amplitudes alone know
        case Turn(word, _, controls):
            lines = tuple(line for line, _ in word)
            if primitive.is_diagonal and not controls:
                return _spread(status, diagonal=lines, full=())
            return _spread(status, diagonal=controls, full=lines)
        case Matrix() | Noise():
            return _spread(status, diagonal=(), full=primitive.wires)


def _spread(status: list[int], diagonal: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Widen the observable by an operation that is diagonal on some lines and anything on others, if it is seen."""
    if all(status[line] != FULL for line in diagonal) and all(status[line] == DEAD for line in full):
        return False
    for line in diagonal:
        status[line] = max(status[line], DIAGONAL)
    for line in full:
        status[line] = FULL
    return True


def merge_copies(lowered: Lowered, status: list[int]) -> Lowered:
    """Let a measured line stand for its own record wherever nothing but phases and controls follow on both.

    Args:
        lowered: primitives, already pruned.
        status: what the observables are on each line at the end.
    """
    stands_for = list(range(lowered.n_lines))
    primitives: list[Primitive] = []
    for position, primitive in enumerate(lowered.primitives):
        if isinstance(primitive, Cnot) and _is_copy(lowered.primitives, position, status):
            stands_for[primitive.target] = stands_for[primitive.control]
        else:
            primitives.append(primitive)
    merged = replace(lowered, primitives=tuple(primitives))
    return renumbered(merged, stands_for)


def _is_copy(primitives: tuple[Primitive, ...], position: int, status: list[int]) -> bool:
    cnot = primitives[position]
    fresh = not any(cnot.wires[1] in earlier.wires for earlier in primitives[:position])
    both = set(cnot.wires)
    later = all(_is_diagonal_on(each, both & set(each.wires)) for each in primitives[position + 1 :])
    return fresh and later and status[cnot.wires[1]] == DEAD and status[cnot.wires[0]] != FULL


def _is_diagonal_on(primitive: Primitive, lines: set[int]) -> bool:
    """Whether the basis states of some lines stay what they are."""
    match primitive:
        case Turn(word):
            return primitive.is_diagonal or not lines & {line for line, _ in word}
        case Cnot(_, target):
            return target not in lines
        case Project():
            return True
    return not lines


def components(lowered: Lowered, together: Iterable[tuple[int, ...]] = ()) -> list[list[int]]:
    """Sets of lines that never meet: each is a circuit of its own. Lines that nothing acts on are alone.

    Args:
        lowered: primitives, already pruned.
        together: lines that belong together for another reason.
    """
    leader = list(range(lowered.n_lines))

    def find(line: int) -> int:
        while leader[line] != line:
            line = leader[line]
        return line

    groups = [primitive.wires for primitive in lowered.primitives]
    groups += [lines for lines, _ in lowered.prepared]
    for first, *rest in (group for group in (*groups, *together) if group):
        for line in rest:
            leader[find(line)] = find(first)
    found: dict[int, list[int]] = {}
    for line in range(lowered.n_lines):
        found.setdefault(find(line), []).append(line)
    return list(found.values())
