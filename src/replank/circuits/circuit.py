"""A parametrised quantum circuit as data: built step by step, immutable once it is planned.

Example:
    >>> from math import pi
    >>> from replank.circuits import Circuit, theta, x
    >>> circuit = Circuit(2).ry(pi * x[0], 0).ry(pi * x[1], 1).cnot(0, 1).rot(theta[0], theta[1], theta[2], 0)
    >>> circuit.counts().n_parameters, circuit.counts().n_features
    (3, 2)
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from replank.circuits.angle import Angle, Variable, as_angle, substitute
from replank.circuits.building import Building
from replank.circuits.operations import (
    UNITARY,
    Gate,
    Measure,
    Operation,
    PauliRotation,
    PrepareAmplitudes,
    PrepareProduct,
)
from replank.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from qiskit import QuantumCircuit

    from replank.circuits.observables import Observable
    from replank.circuits.plan import Plan


@dataclass(frozen=True)
class Counts:
    """How large a circuit is.

    Args:
        n_qubits: its qubits.
        n_gates: unitary operations.
        by_name: operations of each name.
        n_two_qubit: unitary operations on two qubits or more.
        depth: operations on the longest path.
        n_parameters: trainable parameters: one more than the largest index.
        n_features: input features, likewise.
    """

    n_qubits: int
    n_gates: int
    by_name: Mapping[str, int]
    n_two_qubit: int
    depth: int
    n_parameters: int
    n_features: int


class Circuit(Building):
    """A list of operations on qubits that start in 0.

    Every method that adds an operation returns the circuit itself. Angles come first, then wires; qubit 0 is the most
    significant bit of a basis index.

    Args:
        n_qubits: number of qubits.
        operations: what to begin with.

    Raises:
        ValueError: there is no qubit, or an operation does not fit.
    """

    def __init__(self, n_qubits: int, operations: Iterable[Operation] = ()):
        if isinstance(n_qubits, bool) or not isinstance(n_qubits, int) or n_qubits < 1:
            raise ValueError(f"Circuit: there must be at least one qubit, got n_qubits={n_qubits!r}.")
        self.n_qubits = n_qubits
        self._operations: list[Operation] = []
        self._frozen = False
        self._keys: set[str] = set()
        self._touched: set[int] = set()
        self.extend(operations)

    # -- building ----------------------------------------------------------------------------------------------------

    def append(self, operation: Operation) -> Self:
        """Add an operation at the end.

        Raises:
            ValueError: a wire does not exist or comes twice, a measurement's name is unknown or taken, or a state is
                prepared on qubits that something has acted on.
            UsageError: the circuit has been planned.
        """
        if self._frozen:
            raise UsageError("Circuit: a planned circuit must not change. Take a .copy() and add to that.")
        name, wires = operation.label, operation.wires
        wrong = [w for w in wires if isinstance(w, bool) or not isinstance(w, int) or not 0 <= w < self.n_qubits]
        if wrong or not wires:
            raise ValueError(
                f"{name}: wires must be among 0..{self.n_qubits - 1} of a circuit with {self.n_qubits} qubits, got "
                f"wires={wires}."
            )
        if len(set(wires)) != len(wires):
            raise ValueError(f"{name}: wires must differ, got wires={wires}.")
        if operation.when is not None and not isinstance(operation, UNITARY):
            raise ValueError(f"{name}: only unitary operations can depend on a measurement, got {operation.when!r}.")
        if operation.when is not None and operation.when not in self._keys:
            raise ValueError(
                f"{name}: when={operation.when!r} must name an earlier measurement, known: {sorted(self._keys)}."
            )
        if isinstance(operation, Measure) and operation.key in self._keys:
            raise ValueError(f"Measure: a key must be new, got key={operation.key!r} twice.")
        if isinstance(operation, PrepareAmplitudes | PrepareProduct):
            used = self._touched.intersection(wires)
            if used:
                raise ValueError(f"{name}: a state is prepared on fresh qubits, got wires={wires}, used: {used}.")
        if isinstance(operation, Measure):
            self._keys.add(operation.key)
        self._touched.update(wires)
        self._operations.append(operation)
        return self

    def extend(self, operations: Iterable[Operation]) -> Self:
        """Add operations, or those of another circuit, at the end."""
        for operation in operations:
            self.append(operation)
        return self

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, in the order in which they act."""
        return tuple(self._operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self._operations)

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters: one more than the largest index in use."""
        return self._count("theta")

    @property
    def n_features(self) -> int:
        """Number of input features: one more than the largest index in use."""
        return self._count("x")

    def _count(self, kind: str) -> int:
        variables = (v for op in self._operations for angle in op.angles for v in angle.variables())
        return max((v.index + 1 for v in variables if v.kind == kind), default=0)

    def counts(self) -> Counts:
        """Gates, depth, parameters, two-qubit gates."""
        depth = [0] * self.n_qubits
        for operation in self._operations:
            level = 1 + max(depth[wire] for wire in operation.wires)
            for wire in operation.wires:
                depth[wire] = level
        unitary = [op for op in self._operations if isinstance(op, UNITARY)]
        return Counts(
            n_qubits=self.n_qubits,
            n_gates=len(unitary),
            by_name=dict(Counter(op.label for op in self._operations)),
            n_two_qubit=sum(len(op.wires) > 1 for op in unitary),
            depth=max(depth),
            n_parameters=self.n_parameters,
            n_features=self.n_features,
        )

    # -- running -----------------------------------------------------------------------------------------------------

    def plan(self, observables: Observable | Sequence[Observable] | None = None) -> Plan:
        """Make the circuit ready to run, and immutable; observables are Z on every qubit if not given."""
        from replank.circuits.plan import Plan

        return Plan(self, observables)

    # -- showing and exchanging --------------------------------------------------------------------------------------

    def draw(self, ax: Axes | None = None) -> Figure:
        """A matplotlib figure, qubit 0 on top, in given axes or sized to fit; see :mod:`replank.circuits.draw`."""
        from replank.circuits.draw import draw

        return draw(self, ax)

    def draw_text(self, *, decimals: int = 3, max_width: int = 120) -> str:
        """Lines of Unicode text, qubit 0 on top; see :mod:`replank.circuits.draw`."""
        from replank.circuits.draw import draw_text

        return draw_text(self, decimals=decimals, max_width=max_width)

    def to_qasm(self, version: Literal[2, 3] = 3) -> str:
        """An OpenQASM program whose ``q[k]`` is qubit k; see :mod:`replank.circuits.exchange`."""
        from replank.circuits.exchange import to_qasm

        return to_qasm(self, version)

    @staticmethod
    def from_qasm(text: str) -> Circuit:
        """The circuit of an OpenQASM 2 or 3 program, qubits in the order of their declaration."""
        from replank.circuits.exchange import from_qasm

        return from_qasm(text)

    def to_pennylane(self, *, wire_order: Sequence[Hashable] | None = None) -> Callable[[Any, Any], None]:
        """A quantum function of features ``(*, n_features)`` and parameters ``(*, n_parameters)``, qubit 0 first."""
        from replank.circuits.exchange import to_pennylane

        return to_pennylane(self, wire_order=wire_order)

    @staticmethod
    def from_pennylane(source: Any, *arguments: Any, wire_order: Sequence[Hashable] | None = None) -> Circuit:
        """The circuit of PennyLane's tape, quantum function or QNode; wire k, or ``wire_order[k]``, is qubit k."""
        from replank.circuits.exchange import from_pennylane

        return from_pennylane(source, *arguments, wire_order=wire_order)

    def to_qiskit(self) -> QuantumCircuit:
        """Qiskit's circuit: qubit k is qubit k, but the k-th bit from the right in Qiskit's states and matrices."""
        from replank.circuits.exchange import to_qiskit

        return to_qiskit(self)

    @staticmethod
    def from_qiskit(source: QuantumCircuit) -> Circuit:
        """The circuit of Qiskit's: qubit k is qubit k, here the most significant bit if k is 0."""
        from replank.circuits.exchange import from_qiskit

        return from_qiskit(source)

    # -- deriving ----------------------------------------------------------------------------------------------------

    def freeze(self) -> Self:
        """Make the circuit immutable, as planning does."""
        self._frozen = True
        return self

    def copy(self) -> Circuit:
        """A circuit with the same operations that may be added to."""
        return Circuit(self.n_qubits, self._operations)

    def inverse(self) -> Circuit:
        """The circuit that undoes this one.

        Raises:
            ValueError: an operation is not unitary.
        """
        return Circuit(self.n_qubits, [operation.inverse() for operation in reversed(self._operations)])

    def on(self, wires: Sequence[int], n_qubits: int) -> Circuit:
        """The same circuit on other wires, ``wires[q]`` in the place of qubit q, among ``n_qubits``."""
        if len(wires) != self.n_qubits:
            raise ValueError(f"Circuit.on: needs a wire for each of {self.n_qubits} qubits, got wires={tuple(wires)}.")
        moved = (replace(op, wires=tuple(wires[wire] for wire in op.wires)) for op in self._operations)
        return Circuit(n_qubits, moved)

    def substitute(self, values: Mapping[Variable, Angle]) -> Circuit:
        """The circuit with parameters or features replaced by numbers or other angles; the rest stays."""
        return Circuit(self.n_qubits, (_substituted(op, values) for op in self._operations))

    def bind(self, parameters: Sequence[float] = (), features: Sequence[float] = ()) -> Circuit:
        """The circuit with numbers for its first parameters and features.

        Raises:
            ValueError: a number is NaN or infinite.
        """
        thetas = ((Variable("theta", index), as_angle(value)) for index, value in enumerate(parameters))
        inputs = ((Variable("x", index), as_angle(value)) for index, value in enumerate(features))
        return self.substitute(dict(itertools.chain(thetas, inputs)))

    def __repr__(self) -> str:
        return f"Circuit({self.n_qubits} qubits, {len(self)} operations)"


def _substituted(operation: Operation, values: Mapping[Variable, Angle]) -> Operation:
    match operation:
        case Gate():
            return replace(operation, angles=tuple(substitute(angle, values) for angle in operation.angles))
        case PauliRotation():
            return replace(operation, angle=substitute(operation.angle, values))
        case PrepareAmplitudes() if operation.angles:
            return replace(operation, amplitudes=tuple(substitute(angle, values) for angle in operation.angles))
    return operation
