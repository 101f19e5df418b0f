"""Which qubits of a layer are coupled."""

from __future__ import annotations

from itertools import combinations
from typing import Literal, get_args

from replank.errors import UnknownName

Topology = Literal["linear", "ring", "all-to-all"]
"""Each qubit with the next; the last with the first, too; or all pairs."""


def coupled_pairs(n_qubits: int, topology: Topology) -> list[tuple[int, int]]:
    """The pairs in their order; a ring closes last, and only from three qubits on.

    Raises:
        UnknownName: no such topology.
    """
    chain = [(wire, wire + 1) for wire in range(n_qubits - 1)]
    match topology:
        case "linear":
            return chain
        case "ring":
            return [*chain, (n_qubits - 1, 0)] if n_qubits > 2 else chain
        case "all-to-all":
            return list(combinations(range(n_qubits), 2))
    raise UnknownName("topology", str(topology), get_args(Topology))
