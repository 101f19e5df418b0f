"""Where to cut, so that every fragment fits a number of qubits and the sampling overhead is small.

The circuit is built up operation by operation. A state says what its wires are connected to so far. At each operation
on several qubits, any of its wires may be cut just before, and the gate itself may be cut. Of states that nothing
later can tell apart, the cheapest is kept; a state that is too wide is dropped, and so is one that costs no less than
the best solution known. The search is exact as long as it keeps all that remain, and a beam search beyond.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.cuts import Cut, GateCut, WireCut, check_operations
from replank.circuits.cutting.gate_terms import gate_terms
from replank.circuits.cutting.overhead import WIRE_NORM, gates_norm
from replank.circuits.operations import Operation, PrepareProduct
from replank.errors import UsageError

_FIRST_BEAM, _BEAM = 50, 2000  # states that are kept after each operation: for a first solution, and in the main search
_ROUNDING = 1e-9  # what is cheaper by less counts as equal


def find_cuts(circuit: Circuit, *, max_qubits: int, max_overhead: float = 1e6) -> tuple[Cut, ...]:
    """Cuts of small sampling overhead after which no fragment is wider than ``max_qubits``, ancillas included.

    The overhead is the least possible for small circuits (some tens of two-qubit gates, a few cuts); for larger ones,
    the least that a beam search finds. Angles that are not numbers count as the worst. The same arguments give the same
    cuts.

    Args:
        circuit: unitary operations on qubits in 0 or in prepared states.
        max_qubits: the budget.
        max_overhead: what is looked for; one million is about five cut wires.

    Returns:
        Cuts in the order of the circuit; none if it fits, or falls into parts that do.

    Raises:
        ValueError: ``max_qubits`` is less than 1, or ``max_overhead`` less than 1.
        UsageError: there are no such cuts, or the circuit measures, resets, or has channels.
    """
    if max_qubits < 1 or not max_overhead >= 1:
        raise ValueError(
            f"find_cuts: a fragment needs a qubit and the overhead is at least 1, got max_qubits={max_qubits}, "
            f"max_overhead={max_overhead}."
        )
    check_operations(circuit)
    steps = list(_steps(circuit))
    limit = math.sqrt(max_overhead) * (1 + _ROUNDING)
    best, complete = _search(circuit.n_qubits, steps, max_qubits, _FIRST_BEAM, limit)
    if not complete:
        limit = best.norm * (1 - _ROUNDING) if best else limit
        better, complete = _search(circuit.n_qubits, steps, max_qubits, _BEAM, limit)
        best = better or best
    if best is None:
        found = "there are none" if complete else "none were found"
        raise UsageError(
            f"find_cuts: cuts with an overhead up to {max_overhead:.6g} must bring {circuit.n_qubits} qubits down to "
            f"{max_qubits}, got a circuit in which {found}. Allow more qubits or a larger max_overhead."
        )
    return tuple(sorted(best.cuts, key=_place))


def _place(cut: Cut) -> tuple[int, int]:
    return (cut.after, cut.wire) if isinstance(cut, WireCut) else (cut.operation, -1)


@dataclass(frozen=True)
class _Step:
    """An operation on several qubits.

    Args:
        wires: its qubits.
        before: for those of them that may be cut before it, the last operation there.
        gate: its index, if it can be cut.
        interference: of its terms, if it can be cut.
        live: wires that later steps act on.
    """

    wires: tuple[int, ...]
    before: tuple[tuple[int, int], ...]
    gate: int | None
    interference: float
    live: tuple[int, ...]


def _steps(circuit: Circuit) -> Iterator[_Step]:
    joining = {
        index: op for index, op in enumerate(circuit) if len(op.wires) > 1 and not isinstance(op, PrepareProduct)
    }
    last: dict[int, int] = {}
    joined: set[int] = set()
    for index, operation in enumerate(circuit):
        if index in joining:
            before = tuple((wire, last[wire]) for wire in operation.wires if wire in joined)
            later = {wire for other, op in joining.items() if other > index for wire in op.wires}
            yield _step(index, operation, before, tuple(sorted(later)))
            joined |= set(operation.wires)
        last |= dict.fromkeys(operation.wires, index)


def _step(index: int, operation: Operation, before: tuple[tuple[int, int], ...], live: tuple[int, ...]) -> _Step:
    terms = gate_terms(operation)
    if terms is None:
        return _Step(operation.wires, before, None, 0.0, live)
    return _Step(operation.wires, before, index, terms.largest_interference, live)


@dataclass(frozen=True)
class _State:
    """The circuit up to an operation, in pieces.

    Args:
        piece: the piece that each wire is in.
        qubits: of each piece, without an ancilla; 0 for one that has been joined to another.
        edges: the two pieces on the sides of each cut and, of a gate, its interference.
        cuts: where it is cut.
    """

    piece: tuple[int, ...]
    qubits: tuple[int, ...]
    edges: tuple[tuple[int, int, float | None], ...] = ()
    cuts: tuple[Cut, ...] = ()

    @property
    def gates(self) -> list[tuple[int, int, float]]:
        """The edges that are gates."""
        return [(one, other, weight) for one, other, weight in self.edges if weight is not None]

    @property
    def norm(self) -> float:
        """The gamma, if nothing else is cut or joined."""
        return self._wires_norm * gates_norm(self.gates)

    @property
    def least_norm(self) -> float:
        """What gamma is at least, whatever is joined later: gates are cheapest between the same two fragments."""
        return self._wires_norm * (2 * math.prod(1 + weight for *_, weight in self.gates) - 1)

    @property
    def _wires_norm(self) -> float:
        return WIRE_NORM ** sum(weight is None for *_, weight in self.edges)

    @property
    def rank(self) -> tuple[float, int, int, list[tuple[int, int]]]:
        """What sorts states: cheap before dear, then those with room left."""
        return (
            round(self.least_norm, 9),
            sum(n**2 for n in self.qubits),
            len(self.cuts),
            [_place(cut) for cut in self.cuts],
        )

    def fits(self, max_qubits: int) -> bool:
        """Whether no piece is too wide, with an ancilla where a gate is cut."""
        with_ancilla = {end for one, other, _ in self.gates for end in (one, other)}
        return all(n + (piece in with_ancilla) <= max_qubits for piece, n in enumerate(self.qubits))

    def identity(self, live: Sequence[int]) -> tuple[object, ...]:
        """What later operations can tell about it, whatever its pieces are called."""
        names: dict[int, int] = {}
        wires = tuple(names.setdefault(self.piece[wire], len(names)) for wire in live)
        widths = tuple(self.qubits[piece] for piece in names)
        gates = [
            (*sorted(names.setdefault(end, len(names)) for end in ends), round(weight, 9))
            for *ends, weight in self.gates
        ]
        return wires, widths, tuple(sorted(gates))

    def with_wire_cut(self, wire: int, after: int) -> _State:
        """The wire goes on in a piece of its own."""
        new = len(self.qubits)
        piece = tuple(new if each == wire else p for each, p in enumerate(self.piece))
        edge = (self.piece[wire], new, None)
        return _State(piece, (*self.qubits, 1), (*self.edges, edge), (*self.cuts, WireCut(wire, after)))

    def with_gate_cut(self, step: _Step, gate: int) -> _State:
        """The step's gate is cut."""
        one, other = (self.piece[wire] for wire in step.wires)
        edge = (one, other, step.interference)
        return _State(self.piece, self.qubits, (*self.edges, edge), (*self.cuts, GateCut(gate)))

    def joined(self, wires: Sequence[int]) -> _State:
        """The pieces of some wires become one."""
        pieces = {self.piece[wire] for wire in wires}
        whole = min(pieces)
        name = [whole if each in pieces else each for each in range(len(self.qubits))]
        total = sum(self.qubits[each] for each in pieces)
        qubits = (total if each == whole else n * (each not in pieces) for each, n in enumerate(self.qubits))
        edges = tuple((name[one], name[other], weight) for one, other, weight in self.edges)
        return _State(tuple(name[each] for each in self.piece), tuple(qubits), edges, self.cuts)

    @property
    def separates(self) -> bool:
        """Whether every cut lies between different pieces: one that does not is cheaper left out."""
        return all(one != other for one, other, _ in self.edges)


def _search(
    n_wires: int, steps: Sequence[_Step], max_qubits: int, beam: int, limit: float
) -> tuple[_State | None, bool]:
    """The cheapest way to cut with gamma below ``limit``, if one was found, and whether nothing was left out."""
    states, complete = [_State(tuple(range(n_wires)), (1,) * n_wires)], True
    for step in steps:
        kept: dict[tuple[object, ...], _State] = {}
        for new in (option for state in states for option in _options(state, step)):
            if new.least_norm < limit and new.separates and new.fits(max_qubits):
                identity = new.identity(step.live)
                if identity not in kept or new.rank < kept[identity].rank:
                    kept[identity] = new
        states = sorted(kept.values(), key=lambda state: state.rank)
        complete = complete and len(states) <= beam
        states = states[:beam]
    found = [state for state in states if state.norm < limit]
    return min(found, key=lambda state: (round(state.norm, 9), state.rank), default=None), complete


def _options(state: _State, step: _Step) -> Iterator[_State]:
    """All that can be done at a step."""
    for n_cut in range(len(step.before) + 1):
        for places in itertools.combinations(step.before, n_cut):
            cut = state
            for wire, after in places:
                cut = cut.with_wire_cut(wire, after)
            yield cut.joined(step.wires)
            if step.gate is not None:
                yield cut.with_gate_cut(step, step.gate)
