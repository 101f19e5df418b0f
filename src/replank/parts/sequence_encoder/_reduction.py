"""The two ways in which qubits leave a tensor network: they are forgotten, or they are measured and must give 0.

Either way what is left is a vector, on which everything acts linearly: ``D = 4^q`` expectation values of Pauli strings,
or ``D = 2^q`` complex amplitudes that are not normalised.
"""

from __future__ import annotations

import abc
from typing import Literal

import torch
from torch import Tensor

from replank.circuits.channels import from_pauli_vector, kraus_from_isometry, pauli_vector, transfer_matrix

ReductionName = Literal["discard", "postselect"]
"""``"discard"``: qubits are traced out; ``"postselect"``: they are measured, and only runs with 0 are kept."""


class Reduction(abc.ABC):
    """How words are vectors and unitaries are matrices.

    Args:
        n_qubits: q, of one word.
    """

    def __init__(self, n_qubits: int):
        self.n_qubits = n_qubits

    @abc.abstractmethod
    def words(self, states: Tensor) -> Tensor:
        """Vectors of pure states: ``(*, 2^q) -> (*, D)``."""

    @abc.abstractmethod
    def gate(self, unitary: Tensor) -> Tensor:
        """What a unitary does to vectors of k words: ``(*, 2^kq, 2^kq) -> (*, D^k, D^k)``."""

    @abc.abstractmethod
    def first_of_two(self, unitary: Tensor) -> Tensor:
        """What is left of the first of two words after a unitary on both: ``(*, 4^q, 4^q) -> (*, D, D^2)``."""

    @abc.abstractmethod
    def densities(self, vectors: Tensor) -> Tensor:
        """Density matrices of trace 1: ``(*, D) -> (*, 2^q, 2^q)``."""

    @abc.abstractmethod
    def outcomes(self, vectors: Tensor) -> Tensor:
        """Probabilities of the basis states, not yet divided by their sum: ``(*, D) -> (*, 2^q)``."""

    @abc.abstractmethod
    def rescaled(self, tensor: Tensor, n_dims: int) -> tuple[Tensor, Tensor]:
        """A tensor whose scale over the last dimensions does not matter, at norm 1, and the square norm it had.

        Where norms can't shrink, it is the tensor itself, and 1.
        """


class Discard(Reduction):
    """Density matrices; every step is a channel, and nothing is ever divided."""

    def words(self, states: Tensor) -> Tensor:
        return pauli_vector(states[..., :, None] * states[..., None, :].conj())

    def gate(self, unitary: Tensor) -> Tensor:
        return transfer_matrix(unitary.unsqueeze(-3))

    def first_of_two(self, unitary: Tensor) -> Tensor:
        return transfer_matrix(kraus_from_isometry(unitary, (0,), (2**self.n_qubits,) * 2))

    def densities(self, vectors: Tensor) -> Tensor:
        return from_pauli_vector(vectors)

    def outcomes(self, vectors: Tensor) -> Tensor:
        return from_pauli_vector(vectors).diagonal(dim1=-2, dim2=-1).real

    def rescaled(self, tensor: Tensor, n_dims: int) -> tuple[Tensor, Tensor]:
        return tensor, torch.ones_like(tensor.flatten(-n_dims)[..., 0])


class PostSelect(Reduction):
    """State vectors, whose square norm is the share of runs that are kept."""

    def words(self, states: Tensor) -> Tensor:
        return states

    def gate(self, unitary: Tensor) -> Tensor:
        return unitary

    def first_of_two(self, unitary: Tensor) -> Tensor:
        d = 2**self.n_qubits
        return unitary[..., ::d, :]  # rows in which the second word is 0

    def densities(self, vectors: Tensor) -> Tensor:
        norms = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp(min=torch.finfo(vectors.dtype).tiny)
        states = vectors / norms
        return states[..., :, None] * states[..., None, :].conj()

    def outcomes(self, vectors: Tensor) -> Tensor:
        return torch.view_as_real(vectors).square().sum(-1)

    def rescaled(self, tensor: Tensor, n_dims: int) -> tuple[Tensor, Tensor]:
        with torch.no_grad():  # a factor that cancels has no derivative
            size = torch.view_as_real(tensor).square().sum(-1).flatten(-n_dims).sum(-1)
            size = size.clamp(min=torch.finfo(size.dtype).tiny)
        return tensor / size.sqrt().reshape(*size.shape, *[1] * n_dims), size


REDUCTIONS: dict[str, type[Reduction]] = {"discard": Discard, "postselect": PostSelect}
