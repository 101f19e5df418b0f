"""Two-qubit gates as short sums of local gates.

Every gate here is ``after (sum_k u_k P_k (x) Q_k) before`` with Pauli letters P_k, Q_k and single-qubit gates before
and after. A rotation about a pair has two terms, ``exp(-i t/2 P (x) Q) = cos(t/2) - i sin(t/2) P (x) Q``, and what is
controlled is such a rotation: ``exp(-i a/2 |1><1| (x) Q) = RQ(a/2) exp(+i a/4 Z (x) Q)``. SWAP and iSWAP have four.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.circuits.angle import Angle, AngleLike, as_angle
from replank.circuits.operations import Diagonal, Gate, Operation, PauliRotation

Amplitudes = Angle | tuple[complex, ...]
_ALL_PAIRS = (("I", "I"), ("X", "X"), ("Y", "Y"), ("Z", "Z"))


@dataclass(frozen=True)
class GateTerms:
    """A two-qubit gate as ``after (sum_k u_k P_k (x) Q_k) before``, up to a global phase.

    Args:
        letters: a pair of Pauli letters for each term.
        source: the numbers u, or the angle t of ``u = (cos(t/2), -i sin(t/2))``.
        before: gates on one of the two wires each.
        after: likewise.
    """

    letters: tuple[tuple[str, str], ...]
    source: Amplitudes
    before: tuple[Gate, ...] = ()
    after: tuple[Gate, ...] = ()

    def amplitudes(self, features: Tensor, parameters: Tensor) -> Tensor:
        """The numbers u, ``(B or 1, n_terms)``, complex; differentiable. The squares of their moduli sum up to 1."""
        dtype = features.dtype.to_complex()
        if isinstance(self.source, tuple):
            return torch.tensor([self.source], dtype=dtype, device=features.device)
        half = self.source.evaluate(features, parameters).reshape(-1) / 2
        return torch.stack((half.cos().to(dtype), -1j * half.sin()), dim=1)

    @property
    def largest_interference(self) -> float:
        """The largest ``sum_{k != l} |u_k| |u_l|`` over all parameters and features: 0 for no gate, 1 for a CNOT."""
        if isinstance(self.source, tuple):
            return sum(abs(amplitude) for amplitude in self.source) ** 2 - 1
        return abs(math.sin(self.source.constant)) if self.source.is_number else 1.0


def interference(amplitudes: Tensor) -> Tensor:
    """``sum_{k != l} |u_k| |u_l|`` of each row; |sin t| for a rotation by t."""
    return amplitudes.abs().sum(-1) ** 2 - 1


def gate_terms(operation: Operation) -> GateTerms | None:
    """The terms of an operation; ``None`` if it is not a two-qubit gate that has them here."""
    match operation:
        case Gate(name=name) if name in _TERMS:
            return _TERMS[name](operation)
        case PauliRotation(letters=letters, angle=angle) if len(letters) == 2 and "I" not in letters:
            return _rotation(letters, angle)
        case Diagonal(wires=(one, other), phases=phases):
            p00, p01, p10, p11 = (float(phase) for phase in phases)
            turns = [(p01 + p11 - p00 - p10) / 2, (p10 + p11 - p00 - p01) / 2, (p01 + p10 - p00 - p11) / 2]
            local = (_turn("Z", turns[1], one), _turn("Z", turns[0], other))
            return _rotation("ZZ", as_angle(turns[2]), after=local)
    return None


def _rotation(letters: str, angle: Angle, before: tuple[Gate, ...] = (), after: tuple[Gate, ...] = ()) -> GateTerms:
    return GateTerms((("I", "I"), (letters[0], letters[1])), angle, before, after)


def _turn(letter: str, angle: AngleLike, wire: int) -> Gate:
    return Gate(name=f"R{letter}", angles=(as_angle(angle),), wires=(wire,))


def _pair(letters: str) -> Callable[[Gate], GateTerms]:
    return lambda gate: _rotation(letters, gate.angles[0])


def _controlled_turn(letter: str) -> Callable[[Gate], GateTerms]:
    def terms(gate: Gate) -> GateTerms:
        (angle,), (_, target) = gate.angles, gate.wires
        return _rotation(f"Z{letter}", angle / -2, after=(_turn(letter, angle / 2, target),))

    return terms


def _controlled_pauli(letter: str) -> Callable[[Gate], GateTerms]:
    """A controlled turn by pi, and the phase i, where the control is 1, that takes ``-i P`` to P."""

    def terms(gate: Gate) -> GateTerms:
        control, target = gate.wires
        local = (_turn("Z", math.pi / 2, control), _turn(letter, math.pi / 2, target))
        return _rotation(f"Z{letter}", as_angle(-math.pi / 2), after=local)

    return terms


def _controlled_phase(gate: Gate) -> GateTerms:
    (angle,) = gate.angles
    return _rotation("ZZ", angle / -2, after=tuple(_turn("Z", angle / 2, wire) for wire in gate.wires))


def _controlled_hadamard(gate: Gate) -> GateTerms:
    # H = RY(pi/4) Z RY(-pi/4)
    target = gate.wires[1]
    inner = _controlled_pauli("Z")(gate)
    before = (_turn("Y", -math.pi / 4, target),)
    return GateTerms(inner.letters, inner.source, before, (*inner.after, _turn("Y", math.pi / 4, target)))


def _exchange(phase: complex) -> Callable[[Gate], GateTerms]:
    return lambda _: GateTerms(_ALL_PAIRS, (0.5, 0.5 * phase, 0.5 * phase, 0.5))


_TERMS: dict[str, Callable[[Gate], GateTerms]] = {
    "CNOT": _controlled_pauli("X"),
    "CY": _controlled_pauli("Y"),
    "CZ": _controlled_pauli("Z"),
    "CH": _controlled_hadamard,
    "CRX": _controlled_turn("X"),
    "CRY": _controlled_turn("Y"),
    "CRZ": _controlled_turn("Z"),
    "CP": _controlled_phase,
    "RXX": _pair("XX"),
    "RYY": _pair("YY"),
    "RZZ": _pair("ZZ"),
    "SWAP": _exchange(1),
    "iSWAP": _exchange(1j),
    "iSWAPdg": _exchange(-1j),
}
