"""Unitary folding: the same unitary with more gates, so that a device whose noise can't be changed has more of it.

``G`` becomes ``G (G^+ G)^k``, which has ``2k + 1`` times as many gates. For depolarising noise after each gate that is,
to first order, noise of ``2k + 1`` times the strength: an error before ``G^+`` and one after ``G`` are alike.

Source: Giurgica-Tiron et al. (2020), arXiv 2005.10921 [recalled].
"""

from __future__ import annotations

import math

from replank.circuits.circuit import Circuit
from replank.circuits.operations import UNITARY, Operation


def fold_global(circuit: Circuit, scale: float, *, partial: bool = False) -> Circuit:
    """The circuit with ``U (U^+ U)^k`` in the place of ``U``, and ``scale = 2k + 1``.

    Args:
        circuit: of unitary operations.
        scale: an odd integer; any number from 1 on if ``partial``.
        partial: whether what is left to the scale is made up by the circuit's last gates, once there and back, as many
            as come nearest; :func:`gate_ratio` says what came out.

    Raises:
        ValueError: another scale, or an operation that is not unitary.
    """
    whole, rest = _folds("fold_global", circuit, scale, partial=partial)
    folded, inverse = circuit.copy(), circuit.inverse()
    for _ in range(whole):
        folded.extend(inverse).extend(circuit)
    last = Circuit(circuit.n_qubits, circuit.operations[len(circuit) - rest :])
    return folded.extend(last.inverse()).extend(last)


def fold_local(circuit: Circuit, scale: float, *, partial: bool = False) -> Circuit:
    """The circuit with ``G (G^+ G)^k`` in the place of each gate ``G``, and ``scale = 2k + 1``.

    Args:
        circuit: of unitary operations.
        scale: an odd integer; any number from 1 on if ``partial``.
        partial: whether what is left to the scale is made up by folding the circuit's first gates once more.

    Raises:
        ValueError: another scale, or an operation that is not unitary.
    """
    whole, rest = _folds("fold_local", circuit, scale, partial=partial)
    folded = Circuit(circuit.n_qubits)
    for index, gate in enumerate(circuit):
        folded.extend(_folded(gate, whole + (index < rest)))
    return folded


def gate_ratio(folded: Circuit, circuit: Circuit) -> float:
    """How many times as many gates a folded circuit has: the scale that was reached."""
    return len(folded) / len(circuit)


def _folded(gate: Operation, times: int) -> list[Operation]:
    return [gate, *[gate.inverse(), gate] * times]


def _folds(owner: str, circuit: Circuit, scale: float, *, partial: bool) -> tuple[int, int]:
    """How often everything is folded, and how many gates are folded once more."""
    for operation in circuit:
        if not isinstance(operation, UNITARY) or operation.when is not None:
            raise ValueError(f"{owner}: operations must be unitary, got {operation.label}. Fold first, add noise then.")
    if not 1 <= scale < math.inf:
        raise ValueError(f"{owner}: a scale must be at least 1, got scale={scale}.")
    if not partial and scale % 2 != 1:
        raise ValueError(
            f"{owner}: a scale must be an odd integer, got scale={scale}. partial=True comes as near to any other as "
            f"{len(circuit)} gates allow."
        )
    whole = int((scale - 1) // 2)
    return whole, round((scale - 1 - 2 * whole) / 2 * len(circuit))
