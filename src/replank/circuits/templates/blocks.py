"""A block: a small circuit that is put in several places, with weights of its own in each."""

from __future__ import annotations

from collections.abc import Sequence

from replank.circuits.angle import Angle, Variable
from replank.circuits.circuit import Circuit


def place(block: Circuit, wires: Sequence[int], n_qubits: int, weights: Sequence[Angle]) -> Circuit:
    """The block on other wires, with ``weights[k]`` in the place of ``theta[k]``."""
    values = {Variable("theta", index): weight for index, weight in enumerate(weights)}
    return block.substitute(values).on(wires, n_qubits)
