"""From a circuit and its cuts to fragments: smaller circuits with open ends.

A cut wire falls into segments, each a qubit of its own. A gate that is cut leaves a marked place on both of its wires.
What is still connected is a fragment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.bases import STATES
from replank.circuits.cutting.cuts import Cut, GateCut, WireCut, check_operations, problem_of
from replank.circuits.cutting.gate_terms import gate_terms
from replank.circuits.operations import Operation, PrepareProduct
from replank.circuits.primitives import Word
from replank.errors import CircuitCutError

Segment = tuple[int, int]
"""A wire, and how many cuts on it lie before."""

_CONTROLLED = {"X": "CNOT", "Y": "CY", "Z": "CZ"}


@dataclass(frozen=True)
class Insertion:
    """A place where one of several Pauli letters acts: one side of a cut gate.

    Args:
        cut: index of the cut.
        qubit: where the letter acts.
        letters: what acts, for each term of the gate.
    """

    cut: int
    qubit: int
    letters: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """One closed version of a fragment.

    Args:
        states: place in :data:`~replank.circuits.cutting.bases.STATES` for each cut wire that begins here.
        bra: term of each cut gate on the left of the density matrix's operator.
        ket: likewise on the right.
    """

    states: tuple[int, ...]
    bra: tuple[int, ...]
    ket: tuple[int, ...]

    @property
    def interferes(self) -> bool:
        """Whether bra and ket differ, so that an ancilla must bring them together."""
        return self.bra != self.ket


@dataclass(frozen=True, eq=False)
class Fragment:
    """A connected part of a cut circuit.

    Args:
        n_qubits: its qubits, without an ancilla.
        steps: operations on these qubits, and the places of cut gates.
        prepared: (cut, qubit) where a cut wire begins.
        measured: (cut, qubit) where a cut wire ends.
        outputs: (wire, qubit) where a wire of the circuit ends.
    """

    n_qubits: int
    steps: tuple[Operation | Insertion, ...]
    prepared: tuple[tuple[int, int], ...]
    measured: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]

    @property
    def insertions(self) -> tuple[Insertion, ...]:
        """The places of cut gates."""
        return tuple(step for step in self.steps if isinstance(step, Insertion))

    @property
    def width(self) -> int:
        """Qubits of its widest variant: one more, if a cut gate asks for an ancilla."""
        return self.n_qubits + bool(self.insertions)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Indices of the cuts at its borders, in the order of a tensor's axes: prepared, measured, gates."""
        wires = [cut for cut, _ in (*self.prepared, *self.measured)]
        return (*wires, *(insertion.cut for insertion in self.insertions))

    def part_of(self, string: Word) -> Word:
        """What lies on the fragment of a Pauli string on the circuit's wires, on the fragment's qubits."""
        qubits = dict(self.outputs)
        return tuple(sorted((qubits[wire], letter) for wire, letter in string if wire in qubits))

    def circuit(self, variant: Variant) -> Circuit:
        r"""The circuit that runs a variant.

        If bra and ket differ, the last qubit is an ancilla that starts in + and steers which letters act. The circuit
        ends in ``(|k>|0> + |l>|1>) / sqrt 2``, where |k> is what the fragment comes to with the letters of the bra and
        |l> with those of the ket. X and Y of the ancilla times an observable O then have the expectation values
        Re <k|O|l> and Im <k|O|l>.
        """
        ancilla = self.n_qubits
        circuit = Circuit(self.n_qubits + variant.interferes)
        if variant.interferes:
            circuit.h(ancilla)
        for (_, qubit), state in zip(self.prepared, variant.states, strict=True):
            for name in STATES[state]:
                circuit.gate(name, (), (qubit,))
        terms = iter(zip(variant.bra, variant.ket, strict=True))
        for step in self.steps:
            if isinstance(step, Operation):
                circuit.append(step)
                continue
            bra, ket = (step.letters[term] for term in next(terms))
            if bra == ket:
                circuit.gate(bra, (), (step.qubit,))
                continue
            if ket != "I":
                circuit.gate(_CONTROLLED[ket], (), (ancilla, step.qubit))
            if bra != "I":
                circuit.x(ancilla).gate(_CONTROLLED[bra], (), (ancilla, step.qubit)).x(ancilla)
        return circuit.freeze()


def fragments_of(circuit: Circuit, cuts: Sequence[Cut]) -> tuple[Fragment, ...]:
    """The fragments that a circuit falls into, by the first wire that each has.

    Raises:
        CircuitCutError: a cut is at a place that does not exist, comes twice, or does not separate.
        UsageError: the circuit has operations that are neither unitary nor preparations.
    """
    check_operations(circuit)
    _check_places(circuit, cuts)
    steps, pieces = _taken_apart(circuit, cuts)
    components = pieces.components()
    _check_separation(cuts, circuit, pieces, components)
    return tuple(_fragment(component, steps, pieces) for component in components)


class _Pieces:
    """The segments of all wires, and which of them are connected."""

    def __init__(self, n_wires: int, cuts: Sequence[Cut]):
        self.cuts = cuts
        self.places: list[list[tuple[int, int]]] = [[] for _ in range(n_wires)]  # (after, index of the cut)
        for index, cut in enumerate(cuts):
            if isinstance(cut, WireCut):
                self.places[cut.wire].append((cut.after, index))
        for places in self.places:
            places.sort()
        segments = [(wire, place) for wire in range(n_wires) for place in range(len(self.places[wire]) + 1)]
        self._component = {segment: {segment} for segment in segments}

    def join(self, segments: Sequence[Segment]) -> None:
        """Connect segments."""
        joined = set().union(*(self._component[segment] for segment in segments))
        self._component.update(dict.fromkeys(joined, joined))

    def components(self) -> list[tuple[Segment, ...]]:
        """What is connected, sorted."""
        return sorted({tuple(sorted(component)) for component in self._component.values()})


def _segment(wire: int, index: int, cuts: Sequence[Cut]) -> Segment:
    """The segment of a wire that an operation acts on."""
    return wire, sum(isinstance(cut, WireCut) and cut.wire == wire and cut.after < index for cut in cuts)


def _steps(circuit: Circuit, cuts: Sequence[Cut]) -> Iterator[tuple[Operation | Insertion, tuple[Segment, ...]]]:
    """Operations and places of cut gates with the segments that they connect; these stand for an insertion's qubit."""
    for index, operation in enumerate(circuit):
        segments = tuple(_segment(wire, index, cuts) for wire in operation.wires)
        if GateCut(index) in cuts:
            terms = gate_terms(operation)
            assert terms is not None  # check_cuts
            where = dict(zip(operation.wires, segments, strict=True))
            for gate in terms.before:
                yield gate, (where[gate.wires[0]],)
            for side, segment in enumerate(segments):
                letters = tuple(pair[side] for pair in terms.letters)
                yield Insertion(list(cuts).index(GateCut(index)), -1, letters), (segment,)
            for gate in terms.after:
                yield gate, (where[gate.wires[0]],)
        elif isinstance(operation, PrepareProduct):
            for wire, row, segment in zip(operation.wires, operation.states, segments, strict=True):
                yield PrepareProduct(wires=(wire,), states=row[None]), (segment,)
        else:
            yield operation, segments


def _fragment(
    component: tuple[Segment, ...],
    steps: Sequence[tuple[Operation | Insertion, tuple[Segment, ...]]],
    pieces: _Pieces,
) -> Fragment:
    qubit = {segment: number for number, segment in enumerate(component)}
    mine = []
    for step, segments in steps:
        if segments[0] not in qubit:
            continue
        qubits = tuple(qubit[segment] for segment in segments)
        mine.append(
            replace(step, qubit=qubits[0]) if isinstance(step, Insertion) else replace(step, wires=qubits),
        )
    places = pieces.places
    return Fragment(
        n_qubits=len(component),
        steps=tuple(mine),
        prepared=tuple((places[wire][n - 1][1], qubit[wire, n]) for wire, n in component if n > 0),
        measured=tuple((places[wire][n][1], qubit[wire, n]) for wire, n in component if n < len(places[wire])),
        outputs=tuple((wire, qubit[wire, n]) for wire, n in component if n == len(places[wire])),
    )


def _taken_apart(
    circuit: Circuit, cuts: Sequence[Cut]
) -> tuple[list[tuple[Operation | Insertion, tuple[Segment, ...]]], _Pieces]:
    """What happens, and which segments it connects."""
    steps, pieces = list(_steps(circuit, cuts)), _Pieces(circuit.n_qubits, cuts)
    for _, segments in steps:
        pieces.join(segments)
    return steps, pieces


def _check_places(circuit: Circuit, cuts: Sequence[Cut]) -> None:
    problems = {cut: problem_of(circuit, cut) for cut in cuts}
    problem = next(filter(None, problems.values()), None)
    if problem is None and len(problems) != len(cuts):
        problem = f"cuts must differ, got cuts={tuple(cuts)}"
    if problem is not None:
        _, pieces = _taken_apart(circuit, [cut for cut in problems if problems[cut] is None])
        widths = [len(component) for component in pieces.components()]
        raise CircuitCutError(f"cut: {problem}. What can be cut leaves fragments of {widths} qubits.")


def _check_separation(
    cuts: Sequence[Cut], circuit: Circuit, pieces: _Pieces, components: list[tuple[Segment, ...]]
) -> None:
    number = {segment: index for index, component in enumerate(components) for segment in component}
    for cut in cuts:
        if isinstance(cut, WireCut):
            place = [after for after, _ in pieces.places[cut.wire]].index(cut.after)
            sides = [(cut.wire, place), (cut.wire, place + 1)]
        else:
            sides = [_segment(wire, cut.operation, cuts) for wire in circuit.operations[cut.operation].wires]
        one, other = (number[segment] for segment in sides)
        if one == other:
            widths = [len(component) for component in components]
            raise CircuitCutError(
                f"cut: a cut must separate, got {cut}, both sides of which stay connected in a fragment of "
                f"{widths[one]} qubits (fragments: {widths}). Cut more, or leave it out."
            )
