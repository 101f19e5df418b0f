"""Informationally complete measurements of a qubit: density matrices as probability distributions, and back."""

from __future__ import annotations

import math
import warnings
from functools import reduce
from typing import Literal

import torch
from torch import Tensor

from replank.errors import UnknownName
from replank.open_systems.pauli import DTYPE, X, Y, Z

Kind = Literal["tetra", "4pauli"]
"""``"tetra"``: the corners of a tetrahedron. ``"4pauli"``: |0>, |+>, |+i> with weight 1/3 and the rest."""

LEAST_PROBABILITY = 1e-8
"""What an outcome that can't occur counts as where a logarithm is asked for."""
_TOLERANCE = 1e-10


class POVM:
    """One measurement, done on every site: ``p(a) = Tr(rho M_a1 x M_a2 x ...)``.

    Args:
        kind: a name, or the elements, ``(K, 2, 2)``; with K > 4 the frame is overcomplete, and its dual is the one of
            the pseudo-inverse.

    Attributes:
        M: elements, ``(K, 2, 2)``.
        T: overlaps ``Tr(M_a M_b)``, ``(K, K)``.
        dual: ``N_a = sum_b (T^-1)_ab M_b``, so that ``rho = sum_a p(a) N_a1 x N_a2 x ...``.

    Raises:
        UnknownName: no measurement of that name.
        ValueError: the elements are not Hermitian and positive, do not sum to 1, or do not determine a state.
    """

    def __init__(self, kind: Kind | Tensor = "tetra"):
        if isinstance(kind, str) and kind not in _ELEMENTS:
            raise UnknownName("POVM", kind, _ELEMENTS)
        elements = _ELEMENTS[kind]() if isinstance(kind, str) else kind.to(DTYPE)
        _check_elements(elements)
        self.M = elements
        self.T = torch.einsum("aij,bji->ab", elements, elements).real
        self.dual = torch.einsum("ab,bij->aij", torch.linalg.pinv(self.T, rtol=_TOLERANCE).to(DTYPE), elements)

    @property
    def n_outcomes(self) -> int:
        """K."""
        return len(self.M)

    def povm_probabilities(self, rho: Tensor) -> Tensor:
        """``Tr(rho M_a)`` for all strings, ``(2^N, 2^N) -> (K^N,)``; site 0 counts most."""
        return _components(rho, self.M)

    def density_from_probabilities(self, p: Tensor) -> Tensor:
        """The density matrix of a distribution, ``(K^N,) -> (2^N, 2^N)``; of most it is not positive.

        Raises:
            ValueError: the number of probabilities is no power of K.
        """
        k = self.n_outcomes
        n = round(math.log(p.numel(), k))
        if p.ndim != 1 or k**n != p.numel():
            raise ValueError(
                f"density_from_probabilities: `p` must be a vector of {k}^N numbers, got {tuple(p.shape)}."
            )
        rho = p.to(DTYPE).reshape((k,) * n)
        for _ in range(n):
            rho = torch.tensordot(rho, self.dual.flatten(1), ([0], [0])).reshape(*rho.shape[1:], 4)
        pairs = rho.reshape((2, 2) * n)
        order = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]
        return pairs.permute(order).reshape(2**n, 2**n)

    def observable_coefficients(self, operator: Tensor) -> Tensor:
        """``Tr(O N_a)`` for all strings, ``(2^k, 2^k) -> (K^k,)``: ``<O> = sum_a p(a) Tr(O N_a)``."""
        return _components(operator, self.dual)

    def gate_to_stochastic(self, unitary: Tensor) -> Tensor:
        """``Tr(M_a U N_b U^+)``, ``(2^k, 2^k) -> (K^k, K^k)``: columns sum to 1, entries may be negative.

        Raises:
            ValueError: it is not unitary.
        """
        u = unitary.to(DTYPE)
        if not torch.allclose(u @ u.mH, torch.eye(len(u), dtype=DTYPE), atol=_TOLERANCE):
            raise ValueError("gate_to_stochastic: the matrix must be unitary, got one whose U U^+ is not 1.")
        return self.superoperator(torch.kron(u, u.conj()))

    def superoperator(self, matrix: Tensor) -> Tensor:
        """A map of density matrices in terms of probabilities: ``Tr(M_a S[N_b])``, ``(K^k, K^k)``, real.

        Args:
            matrix: the map on ``vec(rho)``, rows one after the other, ``(4^k, 4^k)``.
        """
        n = _n_qubits(math.isqrt(len(matrix)))
        into = torch.stack([each.mT.flatten() for each in _products(self.M, n)])
        out_of = torch.stack([each.flatten() for each in _products(self.dual, n)], 1)
        return (into @ matrix.to(DTYPE) @ out_of).real

    def product_distribution(self, rho: Tensor) -> Tensor:
        """The outcome probabilities ``(K,)`` of one site of a product state whose sites are all alike.

        What can't occur is given a probability of 1e-8, with a warning: its logarithm is a bias somewhere.

        Args:
            rho: of one qubit or of several, ``(2^N, 2^N)``, or a pure state of one qubit, ``(2,)``.

        Raises:
            ValueError: it is no product of equal states.
        """
        matrix = torch.outer(rho, rho.conj()) if rho.ndim == 1 else rho
        n, p = _n_qubits(len(matrix)), self.povm_probabilities(matrix)
        one = p.reshape(self.n_outcomes, -1).sum(1)
        if not torch.allclose(reduce(torch.kron, [one] * n), p, atol=_TOLERANCE):
            raise ValueError(
                "product_distribution: the state must be a product of equal states, got one that is not. A network "
                "starts in no other; fit it to the state first."
            )
        return floored(one)


def floored(p: Tensor) -> Tensor:
    """Probabilities of which none is 0: smaller ones become 1e-8, with a warning."""
    if (p < LEAST_PROBABILITY).any():
        warnings.warn(
            f"POVM: an outcome has probability {float(p.min()):.1e}, whose logarithm can't be used; it becomes "
            f"{LEAST_PROBABILITY}.",
            stacklevel=3,
        )
    p = p.clamp(min=LEAST_PROBABILITY)
    return p / p.sum()


def _tetra() -> Tensor:
    a, b = math.sqrt(2) / 3, math.sqrt(2 / 3)
    corners = torch.tensor([[0, 0, 1], [2 * a, 0, -1 / 3], [-a, b, -1 / 3], [-a, -b, -1 / 3]], dtype=DTYPE)
    return (torch.eye(2, dtype=DTYPE) + torch.einsum("ac,cij->aij", corners, torch.stack((X, Y, Z)))) / 4


def _four_pauli() -> Tensor:
    one = torch.eye(2, dtype=DTYPE)
    first = torch.stack([(one + axis) / 6 for axis in (Z, X, Y)])
    return torch.cat((first, (one - first.sum(0))[None]))


_ELEMENTS = {"tetra": _tetra, "4pauli": _four_pauli}


def _check_elements(elements: Tensor) -> None:
    if elements.ndim != 3 or elements.shape[1:] != (2, 2):
        raise ValueError(f"POVM: elements must have shape (K, 2, 2), got {tuple(elements.shape)}.")
    if not torch.allclose(elements, elements.mH, atol=_TOLERANCE):
        raise ValueError("POVM: elements must be Hermitian, got some that are not.")
    least = float(torch.linalg.eigvalsh(elements).min())
    if least < -_TOLERANCE:
        raise ValueError(f"POVM: elements must be positive, got an eigenvalue of {least:.3g}.")
    total = elements.sum(0)
    if not torch.allclose(total, torch.eye(2, dtype=DTYPE), atol=_TOLERANCE):
        raise ValueError(f"POVM: elements must sum to 1, got {total.tolist()}. Divide by the number of bases.")
    rank = int(torch.linalg.matrix_rank(elements.flatten(1), rtol=_TOLERANCE))
    if rank < 4:
        raise ValueError(
            f"POVM: the overlaps must have rank 4, got {rank}: not informationally complete. Add elements that see the "
            "missing directions."
        )


def _n_qubits(dimension: int) -> int:
    n = dimension.bit_length() - 1
    if dimension < 2 or 2**n != dimension:
        raise ValueError(f"POVM: matrices must have 2^N rows, got {dimension}.")
    return n


def _products(frame: Tensor, n: int) -> list[Tensor]:
    """All products of n elements of a frame, in the order of their strings."""
    found = [torch.ones(1, 1, dtype=DTYPE)]
    for _ in range(n):
        found = [torch.kron(each, element) for each in found for element in frame]
    return found


def _components(operator: Tensor, frame: Tensor) -> Tensor:
    """``Tr(O F_a1 x F_a2 x ...)`` for all strings, site by site."""
    if operator.ndim != 2 or operator.shape[0] != operator.shape[1]:
        raise ValueError(f"POVM: an operator must be a square matrix, got shape {tuple(operator.shape)}.")
    n = _n_qubits(len(operator))
    pairs = operator.to(DTYPE).reshape((2,) * (2 * n)).permute([axis for i in range(n) for axis in (i, n + i)])
    each = frame.mT.flatten(1)  # Tr(O F) = sum_rc O_rc F_cr
    components = pairs.reshape((4,) * n)
    for _ in range(n):
        components = torch.tensordot(components, each, ([0], [1]))
    return components.flatten().real
