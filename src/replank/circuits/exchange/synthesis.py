"""Any unitary operation or preparation of a state as named gates and global phases, exactly.

Formats that know neither matrices nor Pauli strings are served by these. The numbers of CNOTs are small, not minimal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from math import pi

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from replank.circuits.angle import Angle, AngleLike, as_angle
from replank.circuits.operations import (
    Diagonal,
    Gate,
    Operation,
    PauliRotation,
    PrepareAmplitudes,
    PrepareProduct,
    Unitary,
)
from replank.circuits.primitives import ComplexMatrix, Turn, diagonal_turns, euler_turns

Steps = Iterator[Gate | PauliRotation]
"""Named gates, and rotations about the identity, which are global phases."""


def as_gates(operation: Operation, caller: str) -> list[Gate | PauliRotation]:
    """The gates that an operation comes down to, in the order in which they act.

    Raises:
        ValueError: it is neither unitary nor the preparation of a state, or a state depends on parameters or features;
            the message begins with the caller.
    """
    return [replace(step, when=operation.when) for step in _steps(operation, caller)]


def global_phase(angle: AngleLike) -> PauliRotation:
    """The factor ``exp(+i angle)`` as an operation."""
    return PauliRotation(letters="I", angle=as_angle(angle) * -2.0, wires=(0,))


def _steps(operation: Operation, caller: str) -> Steps:
    match operation:
        case Gate():
            yield operation
        case PauliRotation(letters=letters, wires=wires, angle=angle):
            pairs = zip(wires, letters, strict=True)
            yield from _rotation([(wire, letter) for wire, letter in pairs if letter != "I"], angle)
        case Unitary(matrix=matrix, wires=wires):
            yield from _shannon(matrix, wires)
        case Diagonal(phases=phases, wires=wires):
            yield from _diagonal(phases, wires)
        case PrepareProduct(states=states, wires=wires):
            for row, wire in zip(states, wires, strict=True):
                yield from _prepare(row, (wire,))
        case PrepareAmplitudes(wires=wires) if all(angle.is_number for angle in operation.angles):
            yield from _prepare(_numbers(operation, caller), wires)
        case PrepareAmplitudes():
            raise ValueError(
                f"{caller}: gates can prepare given amplitudes only, got {', '.join(map(str, operation.angles))}. "
                "Give numbers first: circuit.bind(parameters, features)."
            )
        case _:
            raise ValueError(f"{caller}: not made of gates, got {operation.label} on wires={operation.wires}.")


def _rotation(word: list[tuple[int, str]], angle: Angle) -> Steps:
    """``exp(-i angle/2 P)``: turn each letter to Z, collect the parity on the last wire, rotate there, and go back."""
    wires = [wire for wire, _ in word]
    if not word:
        yield global_phase(angle / -2)
    elif len(word) == 1:
        yield Gate(name=f"R{word[0][1]}", wires=(wires[0],), angles=(angle,))
    else:
        for wire, letter in word:
            yield from _letter_to_z(letter, wire, pi / 2)
        ladder = [Gate(name="CNOT", wires=pair) for pair in itertools.pairwise(wires)]
        yield from ladder
        yield Gate(name="RZ", wires=(wires[-1],), angles=(angle,))
        yield from reversed(ladder)
        for wire, letter in word:
            yield from _letter_to_z(letter, wire, -pi / 2)


def _letter_to_z(letter: str, wire: int, quarter: float) -> Steps:
    if letter == "X":
        yield Gate(name="H", wires=(wire,))
    elif letter == "Y":
        # RX(-pi/2) Z RX(pi/2) = Y
        yield Gate(name="RX", wires=(wire,), angles=(as_angle(quarter),))


def _turns(turns: Iterator[object]) -> Steps:
    for turn in turns:
        assert isinstance(turn, Turn)
        yield from _rotation(list(turn.word), turn.angle)


def _diagonal(phases: NDArray[np.float64], wires: tuple[int, ...]) -> Steps:
    return _turns(diagonal_turns(phases, wires))


def _shannon(matrix: ComplexMatrix, wires: tuple[int, ...]) -> Steps:
    """Quantum Shannon decomposition [shende2006synthesis]: halves of a matrix by its cosine-sine decomposition."""
    if len(wires) == 1:
        yield from _turns(euler_turns(matrix, wires[0]))
        return
    half = len(matrix) // 2
    (left, left_too), angles, (right, right_too) = scipy.linalg.cossin(matrix, p=half, q=half, separate=True)
    yield from _either(right, right_too, wires)
    yield from _multiplexed_ry(np.stack((-angles, angles)), wires, wires[0])
    yield from _either(left, left_too, wires)


def _either(zero: ComplexMatrix, one: ComplexMatrix, wires: tuple[int, ...]) -> Steps:
    """One matrix where the first wire is 0, another where it is 1: ``zero = V D W`` and ``one = V D^+ W``."""
    # a unitary is normal, so that its Schur form is diagonal, and the vectors are orthogonal whatever the spectrum
    triangle, v = scipy.linalg.schur(zero @ one.conj().T, output="complex")
    phases = np.angle(triangle.diagonal()) / 2
    w = np.exp(1j * phases)[:, None] * v.conj().T @ one
    yield from _shannon(w, wires[1:])
    yield from _diagonal(np.concatenate((phases, -phases)), wires)
    yield from _shannon(v, wires[1:])


def _multiplexed_ry(halves: NDArray[np.float64], wires: tuple[int, ...], target: int) -> Steps:
    """RY on ``target`` by an angle that the other wires choose: ``halves`` is minus and plus half of it."""
    if len(wires) == 1:
        yield Gate(name="RY", wires=wires, angles=(as_angle(2 * halves.reshape(-1)[1]),))
        return
    yield from _letter_to_z("Y", target, pi / 2)
    yield from _diagonal(halves.reshape(-1), wires)
    yield from _letter_to_z("Y", target, -pi / 2)


def _prepare(amplitudes: ComplexMatrix, wires: tuple[int, ...]) -> Steps:
    """From 0...0 to a state: wire by wire the weights of its two halves, then the phases."""
    for level, wire in enumerate(wires):
        weights = np.linalg.norm(amplitudes.reshape(2**level, 2, -1), axis=2)
        halves = np.arctan2(weights[:, 1], weights[:, 0])
        yield from _multiplexed_ry(np.stack((-halves, halves), axis=1), wires[: level + 1], wire)
    yield from _diagonal(np.angle(amplitudes), wires)


def _numbers(operation: PrepareAmplitudes, caller: str) -> ComplexMatrix:
    """The amplitudes of a preparation that depends on nothing, padded and normalised."""
    if not isinstance(operation.amplitudes, tuple):
        return operation.amplitudes
    values = np.array([angle.constant for angle in operation.amplitudes])
    norm = np.linalg.norm(values)
    if not 0 < norm < np.inf:
        raise ValueError(f"{caller}: amplitudes must be finite and not all 0, got {values.tolist()}.")
    return np.pad(values / norm, (0, 2 ** len(operation.wires) - len(values))).astype(np.complex128)
