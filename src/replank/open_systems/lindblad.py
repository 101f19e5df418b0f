"""Lindblad's equation on a lattice: local terms, and the same as a linear equation for outcome probabilities.

``d rho/dt = -i [H, rho] + sum_k (s_k rho s_k^+ - (s_k^+ s_k rho + rho s_k^+ s_k) / 2)``, with rates within the s_k.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from replank.open_systems.pauli import DTYPE
from replank.open_systems.povm import POVM


class Local(NamedTuple):
    """An operator on some sites: ``(2^k, 2^k)``, or of a generator ``(K^k, K^k)``."""

    sites: tuple[int, ...]
    matrix: Tensor


def superoperator(hamiltonian: Tensor, jumps: Sequence[Tensor] = ()) -> Tensor:
    """The right side of the equation as a matrix on ``vec(rho)``, rows one after the other, ``(d^2, d^2)``.

    Raises:
        ValueError: the Hamiltonian is not Hermitian.
    """
    h = hamiltonian.to(DTYPE)
    if not torch.allclose(h, h.mH, atol=1e-10):
        raise ValueError("superoperator: the Hamiltonian must be Hermitian, got a matrix that is not. Add its adjoint.")
    one = torch.eye(len(h), dtype=DTYPE)
    total = -1j * (torch.kron(h, one) - torch.kron(one, h.mT.contiguous()))
    for jump in (each.to(DTYPE) for each in jumps):
        lost = jump.mH @ jump
        total = total + torch.kron(jump, jump.conj())
        total = total - (torch.kron(lost, one) + torch.kron(one, lost.mT.contiguous())) / 2
    return total


def lindblad_generator(h_terms: Iterable[Local], jump_ops: Iterable[Local], povm: POVM) -> list[Local]:
    """``L_ab = Tr(M_a Lind[N_b])`` in ``dp/dt = L p``, one term for each set of sites: matrices ``(K^k, K^k)``.

    Terms on equal sites become one. What is on one site alone is shared out equally among the terms of several sites
    that hold it, if there are any: fewer strings are then connected. The sum stays what it is.

    Raises:
        ValueError: a Hamiltonian that is not Hermitian, or a term that names a site twice.
    """
    terms = [Local(sites, povm.superoperator(superoperator(h))) for sites, h in h_terms]
    terms += [
        Local(sites, povm.superoperator(superoperator(torch.zeros_like(jump), (jump,)))) for sites, jump in jump_ops
    ]
    k = povm.n_outcomes
    return _shared(_merged([_in_order(each, k) for each in terms]), k)


def _in_order(term: Local, n_outcomes: int) -> Local:
    """The same term with its sites in ascending order."""
    sites, n = term.sites, len(term.sites)
    if len(set(sites)) != n:
        raise ValueError(f"lindblad_generator: a term's sites must differ, got sites={sites}.")
    order = sorted(range(n), key=lambda i: sites[i])
    tensor = term.matrix.reshape((n_outcomes,) * (2 * n)).permute([*order, *(n + i for i in order)])
    return Local(tuple(sorted(sites)), tensor.reshape(term.matrix.shape))


def _merged(terms: Iterable[Local]) -> list[Local]:
    sums: dict[tuple[int, ...], Tensor] = {}
    for sites, matrix in terms:
        sums[sites] = sums[sites] + matrix if sites in sums else matrix
    return [Local(sites, matrix) for sites, matrix in sums.items()]


def _shared(terms: list[Local], n_outcomes: int) -> list[Local]:
    """One-site terms inside those of several sites."""
    found: list[Local] = []
    one = torch.eye(n_outcomes, dtype=torch.float64)
    large = [sites for sites, _ in terms if len(sites) > 1]
    for sites, matrix in terms:
        hosts = [each for each in large if len(sites) == 1 and sites[0] in each]
        found += [
            Local(host, _kron([matrix / len(hosts) if site == sites[0] else one for site in host])) for host in hosts
        ] or [Local(sites, matrix)]
    return _merged(found)


def _kron(matrices: Sequence[Tensor]) -> Tensor:
    total, *rest = matrices
    for each in rest:
        total = torch.kron(total.contiguous(), each.contiguous())
    return total
