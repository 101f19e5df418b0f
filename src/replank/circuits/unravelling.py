"""Channels as random pure operations that are the same for all lanes but for a few bits.

A lane is one run of a circuit with errors drawn for it. What was drawn reaches the circuit as bits: a Pauli letter acts
where its bit is 1, and what else there is are matrices that all lanes share. The operators A_k of an unravelling are
drawn with fixed probabilities q_k, whatever the state, and ``sum_k q_k A_k rho A_k^+`` is the channel. They need not be
unitary: the squared norm of a lane's state is its weight, and is 1 in the mean only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replank.circuits.angle import x
from replank.circuits.gates import pauli_matrix
from replank.circuits.primitives import ComplexMatrix, Matrix, Primitive, turn

_NOTHING = 1e-12  # what rounding leaves of a zero
_LETTERS_OF = {"I": "", "X": "X", "Y": "XZ", "Z": "Z"}  # up to a phase


@dataclass(frozen=True)
class PauliBit:
    """A Pauli letter on a wire, where a bit is 1."""

    wire: int
    letter: str
    column: int


@dataclass(frozen=True, eq=False)
class Unravelling:
    """A channel on wires 0 and, perhaps, 1, for lanes.

    Args:
        steps: in the order in which they act. The wire behind the channel's own is a *control*: it is in 0 before and
            after.
        probabilities: of each outcome, ``(m,)``.
        bits: what an outcome means, ``(m, n_bits)``.
    """

    steps: tuple[PauliBit | Matrix, ...]
    probabilities: NDArray[np.float64]
    bits: NDArray[np.bool_]

    def primitives(self, lines: Sequence[int], first: int) -> list[Primitive]:
        """The steps on some lines, the last of which is the control.

        The features from ``first`` on are the angles 0 or pi by which Pauli letters turn: bit times pi.
        """
        found: list[Primitive] = []
        for step in self.steps:
            if isinstance(step, PauliBit):
                found.append(turn(step.letter, (lines[step.wire],), x[first + step.column]))
            else:
                found.append(Matrix(tuple(lines[wire] for wire in step.wires), step.matrix, is_unitary=False))
        return found


def unravel(kraus: Sequence[ComplexMatrix]) -> Unravelling:
    """The cheapest unravelling that is known of a channel: Pauli errors, relaxation of a qubit, or any other."""
    n_wires = len(kraus[0]).bit_length() - 1
    words = ["".join(letters) for letters in itertools.product("IXYZ", repeat=n_wires)]
    paulis = np.stack([pauli_matrix(word).numpy() for word in words])
    coefficients = np.einsum("pij,kij->kp", paulis.conj(), np.stack(kraus)) / 2**n_wires
    chi = coefficients.T @ coefficients.conj()  # the channel is sum_pq chi_pq P rho Q
    if np.abs(chi - np.diag(chi.diagonal())).max() < _NOTHING:
        return _pauli_errors(words, chi.diagonal().real)
    relaxation = _relaxation(kraus) if n_wires == 1 else None
    return relaxation or _any_operators(chi, paulis)


def _pauli_errors(words: list[str], probabilities: NDArray[np.float64]) -> Unravelling:
    """Unitary: every lane has weight 1."""
    places = [(wire, letter) for wire in range(len(words[0])) for letter in "XZ"]
    steps = tuple(PauliBit(wire, letter, column) for column, (wire, letter) in enumerate(places))
    bits = np.array([[letter in _LETTERS_OF[word[wire]] for wire, letter in places] for word in words])
    return _trimmed(steps, probabilities, bits)


def _relaxation(kraus: Sequence[ComplexMatrix]) -> Unravelling | None:
    """Decay and excitation of a qubit with dephasing, if the channel is that; no control is needed.

    Amplitude damping by gamma has the Kraus operators ``diag(1, sqrt(1 - gamma))`` and ``sqrt(gamma) |0><1|``. Their
    sum D and their difference ``Z D Z``, each with probability 1/2, make the same channel. Excitation is decay between
    two X, and what coherences lose beyond decay is a phase flip.
    """
    choi = np.einsum("kai,kbj->aibj", np.stack(kraus), np.stack(kraus).conj())  # entry (a, b) of what |i><j| becomes
    up, down, coherence = (choi[place].real for place in ((1, 0, 1, 0), (0, 1, 0, 1), (0, 0, 1, 1)))
    gamma = up + down
    left = np.sqrt(max(1 - gamma, 0.0))
    like = np.zeros_like(choi)
    like[0, 0, 0, 0], like[1, 0, 1, 0], like[0, 1, 0, 1], like[1, 1, 1, 1] = 1 - up, up, down, 1 - down
    like[0, 0, 1, 1] = like[1, 1, 0, 0] = coherence
    if np.abs(choi - like).max() > _NOTHING or abs(coherence) > left + _NOTHING:
        return None
    excited = up / gamma
    flipped = np.clip((1 - coherence / left) / 2, 0, 1) if left > _NOTHING else 0.0
    damping = np.array([[1, np.sqrt(gamma)], [0, left]], dtype=np.complex128)
    steps = (
        PauliBit(0, "X", 0), PauliBit(0, "Z", 1), Matrix((0,), damping, is_unitary=False), PauliBit(0, "Z", 2),
        PauliBit(0, "X", 0),
    )  # fmt: skip
    draws = list(itertools.product((0, 1), repeat=3))  # excitation, sign, phase flip
    chances = [(1 - excited, excited), (0.5, 0.5), (1 - flipped, flipped)]
    probabilities = np.array([np.prod([c[bit] for c, bit in zip(chances, draw, strict=True)]) for draw in draws])
    bits = np.array([[excite, sign, sign ^ flip] for excite, sign, flip in draws], dtype=bool)
    return _trimmed(steps, probabilities, bits)


def _any_operators(chi: ComplexMatrix, paulis: ComplexMatrix) -> Unravelling:
    """Each operator acts where a control is 1, which is flipped in the lanes that drew it.

    The operators are orthogonal to each other, hence as few as can be, and as likely as they are on average over all
    states: ``q_k = tr(K_k^+ K_k) / d``.
    """
    weights, vectors = np.linalg.eigh(chi)
    likely = weights > _NOTHING
    operators = np.einsum("pk,pij->kij", vectors[:, likely], paulis)
    d = operators.shape[-1]
    control, wires = d.bit_length() - 1, tuple(range(d.bit_length() - 1))
    steps: list[PauliBit | Matrix] = []
    for column, operator in enumerate(operators):
        block = np.eye(2 * d, dtype=np.complex128)
        block[d:, d:] = operator
        flip = PauliBit(control, "X", column)
        steps += [flip, Matrix((control, *wires), block, is_unitary=False), flip]
    return _trimmed(tuple(steps), weights[likely], np.eye(len(operators), dtype=bool))


def _trimmed(
    steps: tuple[PauliBit | Matrix, ...], probabilities: NDArray[np.float64], bits: NDArray[np.bool_]
) -> Unravelling:
    """Without outcomes that never come, and letters that then never act; probabilities add up to 1."""
    possible = probabilities > _NOTHING
    probabilities, bits = probabilities[possible], bits[possible]
    used = np.flatnonzero(bits.any(0))
    number = {int(column): place for place, column in enumerate(used)}
    kept = [
        PauliBit(step.wire, step.letter, number[step.column]) if isinstance(step, PauliBit) else step
        for step in steps
        if isinstance(step, Matrix) or step.column in number
    ]
    return Unravelling(tuple(kept), probabilities / probabilities.sum(), bits[:, used])
