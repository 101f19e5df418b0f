"""Where a circuit is cut, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replank.circuits.circuit import Circuit
from replank.circuits.cutting.gate_terms import gate_terms
from replank.circuits.operations import UNITARY, PrepareAmplitudes, PrepareProduct
from replank.errors import UsageError


@dataclass(frozen=True, order=True)
class WireCut:
    """A cut of a qubit's wire between an operation on it and the next one.

    Args:
        wire: the qubit.
        after: index in the circuit of the operation on this wire that comes before the cut.
    """

    wire: int
    after: int


@dataclass(frozen=True, order=True)
class GateCut:
    """A cut through a two-qubit gate.

    Args:
        operation: the gate's index in the circuit.
    """

    operation: int


Cut = WireCut | GateCut


def check_operations(circuit: Circuit) -> None:
    """Refuse a circuit that is not made of unitary operations on prepared qubits.

    Raises:
        UsageError: as said.
    """
    for index, operation in enumerate(circuit):
        if operation.when is not None or not isinstance(operation, (*UNITARY, PrepareAmplitudes, PrepareProduct)):
            what = operation.label if operation.when is None else f"{operation.label} with when={operation.when!r}"
            raise UsageError(
                f"cut: only unitary operations and preparations can be cut apart, got {what} as operation {index}."
            )


def check_cuts(circuit: Circuit, cuts: Sequence[Cut]) -> None:
    """Refuse cuts at places that do not exist.

    Raises:
        ValueError: a wire has no such segment, an operation is not a gate that can be cut, or a cut comes twice.
    """
    if len(set(cuts)) != len(cuts):
        raise ValueError(f"cut: cuts must differ, got cuts={tuple(cuts)}.")
    for cut in cuts:
        match cut:
            case WireCut(wire, after):
                places = [index for index, operation in enumerate(circuit) if wire in operation.wires][:-1]
                if after not in places:
                    known = f"its operations {places}" if places else "no place: nothing follows an operation there"
                    raise ValueError(f"cut: wire {wire} can be cut after {known}, got {cut}.")
            case GateCut(index):
                if not 0 <= index < len(circuit):
                    raise ValueError(f"cut: a gate must be among operations 0..{len(circuit) - 1}, got {cut}.")
                operation = circuit.operations[index]
                if gate_terms(operation) is None:
                    raise ValueError(
                        f"cut: a gate that is cut must be a named two-qubit gate, a Pauli rotation or a diagonal "
                        f"on two wires, got {cut}: {operation.label} on wires={operation.wires}. Cut wires instead."
                    )
