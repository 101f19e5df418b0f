"""Circuits on states that are given as vectors, and what is simply read off such states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from replank.circuits.circuit import Circuit
from replank.circuits.observables import PauliSum, Y
from replank.circuits.templates.embeddings import amplitude_embedding

_TOLERANCE = 1e-6


def check_states(owner: str, states: Tensor, n_qubits: int) -> None:
    """Refuse what is not ``(B, 2^n_qubits)`` of norm 1.

    Raises:
        ValueError: as said.
    """
    size = 2**n_qubits
    if states.ndim != 2 or states.shape[1] != size:
        raise ValueError(f"{owner}: states must have shape (B, {size}), got {tuple(states.shape)}.")
    norms = torch.linalg.vector_norm(states.detach(), dim=1)
    if not torch.allclose(norms, torch.ones_like(norms), rtol=0, atol=_TOLERANCE):
        raise ValueError(
            f"{owner}: states must have norm 1, got norms from {float(norms.min()):.6g} to {float(norms.max()):.6g}. "
            "Divide by them."
        )


class StateEncoder:
    """Complex or real state vectors ``(B, 2^n_data)`` of norm 1.

    The engine takes real amplitudes per sample. So real and imaginary parts go in side by side, told apart by an
    auxiliary qubit: ``|0> Re + |1> Im``. With ``<a| = <0| + i <1|`` on it the state is ``<a|...>``, and
    ``|a><a| = 1 - Y``: measuring ``O - O Y`` there gives the expectation value of O in the complex state.

    Args:
        n_data: number of data qubits.
    """

    n_auxiliary = 1

    def __init__(self, n_data: int):
        self.n_data = n_data

    def circuit(self, n_qubits: int) -> Circuit:
        """The preparation, on the first qubits of ``n_qubits`` and on the last."""
        return amplitude_embedding(self.n_data + 1).on((n_qubits - 1, *range(self.n_data)), n_qubits)

    def features(self, states: Tensor) -> Tensor:
        """What the preparation takes.

        Raises:
            ValueError: states of another size, or not of norm 1.
        """
        check_states("StateEncoder", states, self.n_data)
        parts = (states.real, states.imag) if states.is_complex() else (states, torch.zeros_like(states))
        return torch.cat(parts, 1)

    def observable(self, wanted: PauliSum, auxiliary: int | None = None) -> PauliSum:
        """What has to be measured in the place of ``wanted``; the auxiliary qubit is the one behind it if not given."""
        return wanted - wanted @ Y(max(wanted.wires) + 1 if auxiliary is None else auxiliary)


class DiagonalMeans(nn.Module):
    """Expectation values of products of Z in states: what a classical model may know of them.

    Shape: states ``(B, 2^n) -> (B, number of words)``.

    Args:
        n_data: number of qubits.
        words: for each expectation value the qubits whose Z is multiplied.
    """

    eigenvalues: Tensor

    def __init__(self, n_data: int, words: Sequence[Sequence[int]]):
        super().__init__()
        self.register_buffer("eigenvalues", diagonal(n_data, words))

    def forward(self, states: Tensor) -> Tensor:
        """Expectation values in [-1, 1]."""
        return states.abs().square() @ self.eigenvalues


def diagonal(n_data: int, words: Sequence[Sequence[int]]) -> Tensor:
    """Eigenvalues of products of Z in each basis state, ``(2^n, number of words)``, float64; qubit 0 comes first."""
    index = torch.arange(2**n_data)
    signs = torch.stack([1 - 2 * (index >> (n_data - 1 - wire) & 1) for wire in range(n_data)], 1).double()
    return torch.stack([signs[:, list(word)].prod(1) for word in words], 1)
