"""The unitary of a small circuit for many sets of parameters at once."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.reference import operation_matrix


def circuit_unitary(circuit: Circuit, parameters: Tensor) -> Tensor:
    """A circuit's matrix, differentiable to any order; for circuits of few qubits, with dense matrices.

    Shape: ``(*, n_parameters) -> (*, 2^n, 2^n)``, complex.

    Args:
        circuit: of unitary operations without features; qubit 0 is the most significant bit.
        parameters: of the circuit.

    Raises:
        ValueError: an operation is not unitary, the circuit takes features, or there are too few or too many
            parameters.
    """
    if circuit.n_features or parameters.shape[-1:] != (circuit.n_parameters,):
        raise ValueError(
            f"circuit_unitary: parameters must have shape (*, {circuit.n_parameters}) and the circuit no features, got "
            f"shape {tuple(parameters.shape)} and {circuit.n_features} features."
        )
    lead, d = parameters.shape[:-1], 2**circuit.n_qubits
    sets = parameters.reshape(lead.numel(), circuit.n_parameters)
    no_features = sets.new_zeros(len(sets), 0)
    total = torch.eye(d, dtype=sets.dtype.to_complex(), device=sets.device).expand(len(sets), d, d)
    for operation in circuit:
        total = _on_wires(operation_matrix(operation, no_features, sets), total, operation.wires)
    return total.reshape(*lead, d, d)


def _on_wires(matrix: Tensor, total: Tensor, wires: tuple[int, ...]) -> Tensor:
    """A gate ``(B, g, g)`` or ``(1, g, g)`` on some qubits, behind ``total`` ``(B, d, d)``."""
    n_sets, d, g = len(total), total.shape[-1], matrix.shape[-1]
    n = d.bit_length() - 1
    order = [*wires, *(wire for wire in range(n) if wire not in wires)]
    bits = [2] * n
    rows = (
        total.reshape(n_sets, *bits, d).permute(0, *(1 + wire for wire in order), n + 1).reshape(n_sets, g, d // g * d)
    )
    turned = (matrix @ rows).reshape(n_sets, *bits, d)
    return turned.permute(0, *(1 + order.index(wire) for wire in range(n)), n + 1).reshape(n_sets, d, d)
