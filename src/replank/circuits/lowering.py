"""From operations to primitives on *lines*.

A line is a qubit that begins in 0 and is never measured before the end. A circuit with measurements and resets in its
middle is brought to that form exactly, by the principle of deferred measurement: a measurement copies its qubit to a
fresh line, a gate that depends on the outcome is controlled by that line, and a reset gives the wire a fresh line and
leaves the old one alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replank.circuits.circuit import Circuit
from replank.circuits.gates import GATES
from replank.circuits.operations import (
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
)
from replank.circuits.primitives import (
    Cnot,
    Exchange,
    Flip,
    Matrix,
    Noise,
    Primitive,
    Project,
    Turn,
    controlled,
    diagonal_turns,
    euler_turns,
    turn,
)


@dataclass(frozen=True)
class Lowered:
    """A circuit as primitives.

    Args:
        n_lines: number of lines.
        primitives: in the order in which they act.
        prepared: states that lines begin in instead of 0, with the lines.
        output: the line that holds each wire at the end.
    """

    n_lines: int
    primitives: tuple[Primitive, ...]
    prepared: tuple[tuple[tuple[int, ...], PrepareAmplitudes], ...]
    output: tuple[int, ...]


def lower(circuit: Circuit) -> Lowered:
    """A circuit's primitives, with measurements deferred."""
    lines = list(range(circuit.n_qubits))
    n_lines = circuit.n_qubits
    records: dict[str, int] = {}
    primitives: list[Primitive] = []
    prepared = []
    touched: set[int] = set()
    for operation in circuit:
        match operation:
            case Measure(key=key):
                primitives.append(Cnot(lines[operation.wires[0]], n_lines))
                records[key] = n_lines
                n_lines += 1
            case Reset(wires=(wire,)):
                if lines[wire] in touched:
                    lines[wire] = n_lines
                    n_lines += 1
                continue  # nothing has touched the line that the wire is on now
            case PrepareAmplitudes():
                prepared.append((tuple(lines[wire] for wire in operation.wires), operation))
            case _:
                for primitive in _lowered(operation):
                    moved = _moved(primitive, lines)
                    primitives += [moved] if operation.when is None else controlled(moved, records[operation.when])
        touched |= {lines[wire] for wire in operation.wires}
    return Lowered(n_lines, tuple(primitives), tuple(prepared), tuple(lines))


def _lowered(operation: Operation) -> list[Primitive]:
    """A unitary operation, projection, product state or channel as primitives on its wires."""
    match operation:
        case Gate(name=name, wires=wires, angles=angles):
            return list(GATES[name].lower(wires, angles))
        case PauliRotation(letters=letters, wires=wires, angle=angle):
            return [turn(letters, wires, angle)]
        case Unitary(wires=(wire,), matrix=matrix):
            return list(euler_turns(matrix, wire))
        case Unitary(wires=wires, matrix=matrix):
            return [Matrix(wires, matrix)]
        case Diagonal(wires=wires, phases=phases):
            return list(diagonal_turns(phases, wires))
        case PostSelect(wires=(wire,), value=value):
            return [Project(wire, value)]
        case PrepareProduct(wires=wires, states=states):
            columns = (np.array([[a, -b.conjugate()], [b, a.conjugate()]]) for a, b in states)
            return [each for w, column in zip(wires, columns, strict=True) for each in euler_turns(column, w)]
        case Channel(wires=wires, kraus=kraus):
            return [Noise(wires, kraus)]
    raise TypeError(f"lower: no primitives are known for {operation}.")


def _moved(primitive: Primitive, lines: list[int]) -> Primitive:
    """The primitive on the lines that its wires are on."""
    match primitive:
        case Turn(word, angle, controls):
            moved = tuple(sorted((lines[wire], letter) for wire, letter in word))
            return Turn(moved, angle, tuple(lines[wire] for wire in controls))
        case Flip(wire):
            return Flip(lines[wire])
        case Cnot(control, target):
            return Cnot(lines[control], lines[target])
        case Exchange(one, other):
            return Exchange(lines[one], lines[other])
        case Project(wire, value):
            return Project(lines[wire], value)
        case Matrix() | Noise():
            return replace(primitive, wires=tuple(lines[wire] for wire in primitive.wires))


def renumbered(lowered: Lowered, number: list[int]) -> Lowered:
    """The same with line ``k`` called ``number[k]``; there are as many lines as before."""
    return Lowered(
        n_lines=lowered.n_lines,
        primitives=tuple(_moved(primitive, number) for primitive in lowered.primitives),
        prepared=tuple((tuple(number[line] for line in lines), op) for lines, op in lowered.prepared),
        output=tuple(number[line] for line in lowered.output),
    )


def only_lines(lowered: Lowered, lines: list[int]) -> Lowered:
    """What happens on some lines, which never meet the others, numbered anew in their order; others become -1."""
    number = [lines.index(line) if line in lines else -1 for line in range(lowered.n_lines)]
    mine = replace(
        lowered,
        primitives=tuple(each for each in lowered.primitives if not each.wires or set(each.wires) <= set(lines)),
        prepared=tuple(each for each in lowered.prepared if set(each[0]) <= set(lines)),
    )
    return replace(renumbered(mine, number), n_lines=len(lines))


def doubled(lowered: Lowered) -> Lowered:
    """The same for a density matrix, which is a pure state on twice the lines.

    ``rho[i, j]`` is the amplitude of row i on the first lines and column j on the second ones. A unitary acts on rows,
    its complex conjugate on columns; a channel is the matrix ``sum_k K (x) conj(K)`` on both.
    """
    n = lowered.n_lines
    primitives: list[Primitive] = []
    shift = list(range(n, 2 * n))
    for primitive in lowered.primitives:
        if isinstance(primitive, Noise):
            matrix = sum(np.kron(kraus, kraus.conj()) for kraus in primitive.kraus)
            columns = tuple(wire + n for wire in primitive.wires)
            primitives.append(Matrix(primitive.wires + columns, np.asarray(matrix), is_unitary=False))
        else:
            primitives += [primitive, _conjugate(_moved(primitive, shift))]
    output = lowered.output + tuple(line + n for line in lowered.output)
    return Lowered(2 * n, tuple(primitives), lowered.prepared, output)


def _conjugate(primitive: Primitive) -> Primitive:
    """The primitive whose matrix is the complex conjugate: ``conj(exp(-i a/2 P)) = exp(+i a/2 conj(P))``."""
    match primitive:
        case Turn(word, angle, controls):
            n_y = sum(letter == "Y" for _, letter in word)
            return Turn(word, angle if n_y % 2 else -angle, controls)
        case Matrix():
            return replace(primitive, matrix=primitive.matrix.conj())
    return primitive
