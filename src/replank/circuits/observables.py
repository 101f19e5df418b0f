"""What is measured at the end of a circuit.

``Z(0)``, ``X(1) @ Z(2)``, ``0.5 * Z(0) + X(1) @ X(2)`` are sums of Pauli strings, hence Hamiltonians; ``pauli("ZIX")``
reads one from a word whose first letter is qubit 0's. Others are probabilities, projectors, reduced density matrices,
the state itself, and samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replank.circuits.primitives import Word

_PRODUCTS = {
    ("X", "Y"): (1j, "Z"), ("Y", "Z"): (1j, "X"), ("Z", "X"): (1j, "Y"),
    ("Y", "X"): (-1j, "Z"), ("Z", "Y"): (-1j, "X"), ("X", "Z"): (-1j, "Y"),
}  # fmt: skip


@dataclass(frozen=True)
class PauliSum:
    """A real combination of Pauli strings; its expectation value is a real number for each sample.

    Args:
        terms: Pauli strings, each once, with their coefficients.

    Raises:
        ValueError: a coefficient is NaN or infinite.
    """

    terms: tuple[tuple[Word, float], ...]

    def __post_init__(self) -> None:
        for _, coefficient in self.terms:
            if not math.isfinite(coefficient):
                raise ValueError(f"PauliSum: a coefficient must be finite, got {coefficient}.")

    def __add__(self, other: PauliSum | float) -> PauliSum:
        return _collect([*self.terms, *_as_sum(other).terms])

    def __sub__(self, other: PauliSum | float) -> PauliSum:
        return self + -1.0 * _as_sum(other)

    def __mul__(self, scale: float) -> PauliSum:
        return _collect([(word, scale * coefficient) for word, coefficient in self.terms])

    def __neg__(self) -> PauliSum:
        return self * -1.0

    def __matmul__(self, other: PauliSum) -> PauliSum:
        products = [
            (word, factor * a * b)
            for left, a in self.terms
            for right, b in other.terms
            for word, factor in [_multiply(left, right)]
        ]
        total = _collect_complex(products)
        if any(abs(coefficient.imag) > 1e-12 for coefficient in total.values()):
            raise ValueError(f"PauliSum: a product must be Hermitian to be measured, got ({self}) @ ({other}).")
        return _collect([(word, coefficient.real) for word, coefficient in total.items()])

    __radd__ = __add__
    __rmul__ = __mul__

    @property
    def wires(self) -> tuple[int, ...]:
        """The qubits that are measured, sorted."""
        return tuple(sorted({wire for word, _ in self.terms for wire, _ in word}))

    @property
    def is_diagonal(self) -> bool:
        """Whether it is made of Z alone."""
        return all(letter == "Z" for word, _ in self.terms for _, letter in word)

    def __str__(self) -> str:
        words = [" @ ".join(f"{letter}({wire})" for wire, letter in word) or "1" for word, _ in self.terms]
        coefficients = [coefficient for _, coefficient in self.terms]
        parts = [w if c == 1 else f"{c:.6g} * {w}" for w, c in zip(words, coefficients, strict=True)]
        return " + ".join(parts) or "0"


def _as_sum(value: PauliSum | float) -> PauliSum:
    return value if isinstance(value, PauliSum) else PauliSum((((), float(value)),) if value else ())


def _collect_complex(terms: Sequence[tuple[Word, complex]]) -> dict[Word, complex]:
    total: dict[Word, complex] = {}
    for word, coefficient in terms:
        total[word] = total.get(word, 0) + coefficient
    return total


def _collect(terms: Sequence[tuple[Word, float]]) -> PauliSum:
    total = _collect_complex(terms)
    return PauliSum(tuple((word, complex(c).real) for word, c in total.items() if c))


def _multiply(left: Word, right: Word) -> tuple[Word, complex]:
    letters, factor = dict(left), complex(1)
    for wire, letter in right:
        mine = letters.pop(wire, None)
        if mine is None:
            letters[wire] = letter
        elif mine != letter:
            sign, product = _PRODUCTS[mine, letter]
            letters[wire], factor = product, factor * sign
    return tuple(sorted(letters.items())), factor


def _single(letter: str, wire: int) -> PauliSum:
    if isinstance(wire, bool) or not isinstance(wire, int) or wire < 0:
        raise ValueError(f"{letter}: a wire is an integer from 0, got wire={wire!r}.")
    return PauliSum(((((wire, letter),), 1.0),))


def X(wire: int) -> PauliSum:
    """Pauli X of a qubit."""
    return _single("X", wire)


def Y(wire: int) -> PauliSum:
    """Pauli Y of a qubit."""
    return _single("Y", wire)


def Z(wire: int) -> PauliSum:
    """Pauli Z of a qubit: +1 for 0, -1 for 1."""
    return _single("Z", wire)


def pauli(letters: str, n_qubits: int | None = None) -> PauliSum:
    """A Pauli string from a word; its first letter is qubit 0's (the most significant bit).

    Args:
        letters: one for each qubit.
        n_qubits: how many there must be; any number if not given.

    Raises:
        ValueError: a letter is none of I, X, Y, Z, or there are more or fewer than qubits.
    """
    if set(letters) - set("IXYZ"):
        raise ValueError(f"pauli: letters must be I, X, Y or Z, got {letters!r}.")
    if n_qubits is not None and len(letters) != n_qubits:
        raise ValueError(f"pauli: there must be a letter for each of n_qubits={n_qubits}, got {letters!r}.")
    return PauliSum(((tuple((i, letter) for i, letter in enumerate(letters) if letter != "I"), 1.0),))


def hamiltonian(coefficients: Mapping[str, float]) -> PauliSum:
    """A weighted sum of Pauli strings, given as words: ``hamiltonian({"ZZI": 1.0, "IXX": 0.5})``."""
    total = PauliSum(())
    for letters, coefficient in coefficients.items():
        total = total + pauli(letters) * coefficient
    return total


@dataclass(frozen=True)
class Probabilities:
    """Probabilities of all outcomes of some qubits, ``(*, 2^k)``; ``wires[0]`` is the most significant bit.

    Args:
        wires: the qubits, all if not given.
    """

    wires: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Projector:
    """The probability that ``wires`` are found in ``bits``, ``(*,)``."""

    bits: tuple[int, ...]
    wires: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.bits) != len(self.wires) or any(bit not in (0, 1) for bit in self.bits):
            raise ValueError(f"Projector: needs a bit for each wire, got bits={self.bits}, wires={self.wires}.")


@dataclass(frozen=True)
class DensityMatrix:
    """The reduced density matrix of some qubits, ``(*, 2^k, 2^k)``; ``wires[0]`` is the most significant bit."""

    wires: tuple[int, ...]


@dataclass(frozen=True)
class State:
    """All amplitudes, ``(*, 2^n)``, complex; qubit 0 is the most significant bit. Only of circuits that stay pure."""


@dataclass(frozen=True)
class Samples:
    """Outcomes of ``shots`` measurements of some qubits, ``(*, shots, k)``, integers 0 and 1; not differentiable."""

    shots: int
    wires: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.shots < 1:
            raise ValueError(f"Samples: there must be at least one shot, got shots={self.shots}.")


Observable = PauliSum | Probabilities | Projector | DensityMatrix | State | Samples


def check_wires(observable: Observable, n_qubits: int) -> None:
    """Refuse an observable on qubits that the circuit does not have, twice on one, or on none.

    Raises:
        ValueError: as said.
        TypeError: it is no observable.
    """
    if not isinstance(observable, Observable):
        raise TypeError(f"observable: must be a PauliSum, Probabilities, Projector, ..., got {observable!r}.")
    wires = getattr(observable, "wires", None)
    if wires is None:
        return
    if not wires and not isinstance(observable, PauliSum):
        raise ValueError(f"observable: there must be a wire, got wires={wires} in {observable}.")
    missing = [wire for wire in wires if not 0 <= wire < n_qubits]
    if missing or len(set(wires)) != len(wires):
        raise ValueError(
            f"observable: wires must be different and among 0..{n_qubits - 1}, got {wires} in {observable}."
        )
