r"""What a cut wire is measured in where it ends, and prepared in where it begins.

The identity ``rho = 1/2 sum_P Tr(P rho) P`` needs each Pauli matrix P as a combination of states that can be prepared.
The six eigenstates do it with coefficients +-1. Four are enough, since ``|-><-| = 1 - |+><+|``, and so for Y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from replank.errors import UnknownName

Basis = Literal["states", "eigen"]
"""``"states"``: 0, 1, + and +i are prepared; ``"eigen"``: all six eigenstates, the overcomplete sum of 8 terms."""

STATES = ((), ("X",), ("H",), ("H", "S"), ("X", "H"), ("X", "H", "S"))
"""The gates that prepare the states with which a cut wire can begin: 0, 1, +, +i, - and -i."""

_OPPOSITE = {4: 2, 5: 3}  # of - and -i, with which they make up the identity
_EIGENSTATES = {"I": ((0, 1), (1, 1)), "X": ((2, 1), (4, -1)), "Y": ((3, 1), (5, -1)), "Z": ((0, 1), (1, -1))}


@dataclass(frozen=True)
class Term:
    """One term of the sum that stands for a cut wire.

    Args:
        letter: what is measured where the wire ends.
        state: what is prepared where it begins, as a combination of the basis's states.
        weight: 1/2 or -1/2.
    """

    letter: str
    state: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class WireBasis:
    """How the two ends of a cut wire are run.

    Args:
        letters: what is measured where it ends.
        states: what is prepared where it begins, as places in :data:`STATES`.
    """

    letters: str
    states: tuple[int, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """Two eigenstates for each letter."""
        return tuple(
            Term(letter, self._combination(state), sign / 2)
            for letter in self.letters
            for state, sign in _EIGENSTATES[letter]
        )

    @property
    def norm(self) -> float:
        """The gamma of a cut wire: 4, or 3 without Y."""
        return sum(abs(term.weight) for term in self.terms)

    @property
    def matrix(self) -> list[list[float]]:
        """Half of each letter, a row, as a combination of the states."""
        return [
            [sum(term.weight * term.state[place] for term in self.terms if term.letter == letter) for place in places]
            for letter, places in ((letter, range(len(self.states))) for letter in self.letters)
        ]

    def _combination(self, state: int) -> tuple[int, ...]:
        if state in self.states:
            return tuple(int(each == state) for each in self.states)
        return tuple({0: 1, 1: 1, _OPPOSITE[state]: -1}.get(each, 0) for each in self.states)


def wire_basis(name: Basis, *, without_y: bool = False) -> WireBasis:
    """The basis of that name.

    Args:
        name: which.
        without_y: leave out the term of Y, which is zero where all amplitudes are real.

    Raises:
        UnknownName: there is none.
    """
    if name not in get_args(Basis):
        raise UnknownName("basis of a cut wire", str(name), get_args(Basis))
    letters = "IXZ" if without_y else "IXYZ"
    states = range(4) if name == "states" else range(6)
    return WireBasis(letters, tuple(state for state in states if not (without_y and state in (3, 5))))
