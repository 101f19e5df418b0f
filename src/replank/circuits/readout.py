"""Observables from amplitudes, probabilities or density matrices, in torch.

Tensors have the shapes ``(G, B, ...)`` of :meth:`replank.circuits.plan.Plan.run`. ``output`` says which line holds each
wire; lines that hold none are traced out. The first line is the most significant bit of an index.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from replank.circuits.finite import inverse_weight
from replank.circuits.gates import pauli_matrix
from replank.circuits.observables import (
    DensityMatrix,
    Observable,
    PauliSum,
    Probabilities,
    Projector,
    Samples,
    State,
)
from replank.circuits.primitives import Word


def from_probabilities(
    observable: Observable, probabilities: Tensor, output: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """A diagonal observable from the probabilities ``(G, B, 2^n)`` of all lines; they are normalised first.

    Raises:
        TypeError: the observable is not diagonal.
    """
    probabilities = probabilities * inverse_weight(probabilities.sum(-1, keepdim=True), power=2)
    match observable:
        case PauliSum(terms):
            values = [c * _parity_mean(word, probabilities, output) for word, c in terms]
            return torch.stack(values).sum(0) if values else torch.zeros_like(probabilities[..., 0])
        case Probabilities(wires):
            return _marginal(probabilities, output, range(len(output)) if wires is None else wires)
        case Projector(bits, wires):
            return _marginal(probabilities, output, wires)[..., int("".join(map(str, bits)), 2)]
        case Samples(shots, wires):
            chosen = range(len(output)) if wires is None else wires
            return draw(_marginal(probabilities, output, chosen), shots, generator)
    raise TypeError(f"from_probabilities: the observable must be diagonal, got {observable}.")


def draw(probabilities: Tensor, shots: int, generator: torch.Generator | None) -> Tensor:
    """Outcomes ``(*, shots, k)`` of k qubits as bits, from the probabilities ``(*, 2^k)`` of all outcomes."""
    k = probabilities.shape[-1].bit_length() - 1
    rows = probabilities.detach().reshape(-1, probabilities.shape[-1])
    index = torch.multinomial(rows, shots, replacement=True, generator=generator)
    bits = index[..., None] >> torch.arange(k - 1, -1, -1, device=index.device) & 1
    return bits.reshape(*probabilities.shape[:-1], shots, k)


def _axes(tensor: Tensor) -> Tensor:
    """An axis for each line."""
    n = tensor.shape[-1].bit_length() - 1
    return tensor.reshape(*tensor.shape[:2], *[2] * n)


def _marginal(probabilities: Tensor, output: Sequence[int], wires: Sequence[int]) -> Tensor:
    """Probabilities of some wires, in their order."""
    bits = _axes(probabilities)
    lines = [output[wire] for wire in wires]
    others = [2 + line for line in range(bits.ndim - 2) if line not in lines]
    kept = bits.sum(others) if others else bits
    ranks = [sorted(lines).index(line) for line in lines]
    return kept.permute(0, 1, *[2 + rank for rank in ranks]).flatten(2)


def _parity_mean(word: Word, probabilities: Tensor, output: Sequence[int]) -> Tensor:
    """The mean of a product of Z."""
    if not word:
        return torch.ones_like(probabilities[..., 0])
    marginal = _marginal(probabilities, output, [wire for wire, _ in word])
    signs = pauli_matrix("Z" * len(word)).diagonal().real.to(marginal)
    return marginal @ signs


def from_state(
    observable: Observable, states: Tensor, output: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """Any observable from the amplitudes ``(G, B, 2^n)`` of all lines; they are normalised first."""
    states = states * inverse_weight(torch.linalg.vector_norm(states, dim=-1, keepdim=True), power=1)
    match observable:
        case State():
            return _axes(states).permute(0, 1, *[2 + line for line in output]).flatten(2)
        case DensityMatrix(wires):
            return _reduced(states, output, wires)
        case PauliSum(terms) if not observable.is_diagonal:
            values = [c * _trace(word, _reduced(states, output, [w for w, _ in word])) for word, c in terms]
            return torch.stack(values).sum(0)
    return from_probabilities(observable, torch.view_as_real(states).square().sum(-1), output, generator)


def _reduced(states: Tensor, output: Sequence[int], wires: Sequence[int]) -> Tensor:
    """The density matrix of some wires of pure states."""
    bits = _axes(states)
    lines = [2 + output[wire] for wire in wires]
    others = [axis for axis in range(2, bits.ndim) if axis not in lines]
    rows = bits.permute(0, 1, *lines, *others).reshape(*bits.shape[:2], 2 ** len(lines), 2 ** len(others))
    return rows @ rows.mH


def _trace(word: Word, rho: Tensor) -> Tensor:
    """``Tr(P rho)`` of a string that acts on all qubits of ``rho``."""
    matrix = pauli_matrix("".join(letter for _, letter in word)).to(rho)
    return (matrix.mT * rho).sum((-2, -1)).real


def from_density(
    observable: Observable, vectors: Tensor, output: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """Any observable but the state from density matrices as vectors ``(G, B, 4^n)``; they are normalised first.

    Rows lie on the first half of the lines, columns on the second; ``output`` names the lines of rows, then of columns.
    """
    n = vectors.shape[-1].bit_length() // 2
    rho = vectors.reshape(*vectors.shape[:2], 2**n, 2**n)
    rows = output[: len(output) // 2]
    rho = rho * inverse_weight(rho.diagonal(dim1=-2, dim2=-1).real.sum(-1), power=1)[..., None, None]
    diagonal = rho.diagonal(dim1=-2, dim2=-1).real
    match observable:
        case DensityMatrix(wires):
            return _traced(rho, rows, wires)
        case PauliSum(terms) if not observable.is_diagonal:
            values = [c * _trace(word, _traced(rho, rows, [w for w, _ in word])) for word, c in terms]
            return torch.stack(values).sum(0)
    return from_probabilities(observable, diagonal, rows, generator)


def _traced(rho: Tensor, rows: Sequence[int], wires: Sequence[int]) -> Tensor:
    """Trace out all lines but those of some wires."""
    n = rho.shape[-1].bit_length() - 1
    lines = [rows[wire] for wire in wires]
    axes = [2 + n + line if line in lines else 2 + line for line in range(n)]
    bits = rho.reshape(*rho.shape[:2], *[2] * (2 * n))
    kept = [0, 1, *[2 + line for line in lines], *[2 + n + line for line in lines]]
    reduced = torch.einsum(bits, [0, 1, *range(2, 2 + n), *axes], kept)
    return reduced.reshape(*rho.shape[:2], 2 ** len(lines), 2 ** len(lines))
