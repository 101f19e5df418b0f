"""Where a circuit is cut, as data."""

from __future__ import annotations

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


def problem_of(circuit: Circuit, cut: Cut) -> str | None:
    """Why nothing can be cut at that place, in words."""
    match cut:
        case WireCut(wire, after):
            places = [index for index, operation in enumerate(circuit) if wire in operation.wires][:-1]
            if after not in places:
                known = f"its operations {places}" if places else "no place: nothing follows an operation there"
                return f"wire {wire} can be cut after {known}, got {cut}"
        case GateCut(index):
            if not 0 <= index < len(circuit):
                return f"a gate must be among operations 0..{len(circuit) - 1}, got {cut}"
            operation = circuit.operations[index]
            if gate_terms(operation) is None:
                return (
                    f"a gate that is cut must be a named two-qubit gate, a Pauli rotation or a diagonal on two wires, "
                    f"got {cut}: {operation.label} on wires={operation.wires}. Cut wires instead"
                )
    return None
