"""Lindblad's equation of whole density matrices, exactly: sparse, for a few sites."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from scipy import sparse
from scipy.sparse import linalg
from torch import Tensor

from replank.open_systems._null_vector import null_vector
from replank.open_systems.lindblad import Local

MAX_SITES = 8
_DIRECT_SITES = 5
_RELAXED = 1e-11


class ExactLindblad:
    """The equation on ``vec(rho)``, rows one after the other.

    Args:
        h_terms: of the Hamiltonian.
        jump_ops: jump operators with the roots of their rates.
        n_sites: number of qubits.
        max_sites: what is refused beyond.

    Raises:
        ValueError: too many sites (the message says how much memory they would need), a Hamiltonian that is not
            Hermitian, or a term on a site that does not exist.
    """

    def __init__(
        self, h_terms: Iterable[Local], jump_ops: Iterable[Local], n_sites: int, *, max_sites: int = MAX_SITES
    ):
        h_terms, jump_ops = tuple(h_terms), tuple(jump_ops)
        if n_sites > max_sites:
            gib = 4.0**n_sites * (4 * len(h_terms) + 2) * 24 / 2**30
            raise ValueError(
                f"ExactLindblad: at most {max_sites} sites are solved exactly, got n_sites={n_sites}: its generator "
                f"would take up to {gib:.3g} GiB. Raise `max_sites` if you have that, or solve it by sampling."
            )
        self.n_sites = n_sites
        dimension = 2**n_sites
        one = sparse.eye_array(dimension, format="csr")
        h = sum((embedded(term, n_sites) for term in h_terms), sparse.csr_array((dimension, dimension), dtype=complex))
        if abs(h - h.conj().T).max() > 1e-10:
            raise ValueError("ExactLindblad: the Hamiltonian must be Hermitian, got one that is not. Add its adjoint.")
        total = -1j * (sparse.kron(h, one) - sparse.kron(one, h.T))
        for jump in (embedded(term, n_sites) for term in jump_ops):
            lost = jump.conj().T @ jump
            total = total + sparse.kron(jump, jump.conj()) - (sparse.kron(lost, one) + sparse.kron(one, lost.T)) / 2
        self.liouvillian = sparse.csr_array(total)

    def steady_state(self) -> Tensor:
        """The density matrix that stays as it is, ``(2^N, 2^N)``: solved for directly, or relaxed to on more sites.

        Raises:
            ValueError: there are several, which is seen where it is solved for; or the state does not come to rest.
        """
        rho = self._solved() if self.n_sites <= _DIRECT_SITES else self._relaxed()
        return torch.from_numpy(rho.reshape(2**self.n_sites, 2**self.n_sites))

    def evolve(self, rho: Tensor, times: np.ndarray) -> Tensor:
        """Density matrices at equally spaced times, ``(len(times), 2^N, 2^N)``.

        Args:
            rho: at time 0.
            times: ascending.
        """
        start = rho.to(torch.complex128).flatten().numpy()
        if len(times) == 1:
            found = linalg.expm_multiply(self.liouvillian * times[0], start)[None]
        else:
            found = linalg.expm_multiply(
                self.liouvillian, start, start=times[0], stop=times[-1], num=len(times), endpoint=True
            )
        return torch.from_numpy(found).reshape(len(times), *rho.shape)

    def _solved(self) -> np.ndarray:
        return null_vector(self.liouvillian, np.eye(2**self.n_sites).ravel(), "ExactLindblad")

    def _relaxed(self, longest: float = 400.0) -> np.ndarray:
        """Evolve the maximally mixed state until nothing moves."""
        rho, time, step = np.eye(2**self.n_sites, dtype=complex).ravel() / 2**self.n_sites, 0.0, 5.0
        while np.abs(self.liouvillian @ rho).max() > _RELAXED:
            if time >= longest:
                raise ValueError(f"ExactLindblad: the state must come to rest, it still moves at time {time}.")
            rho, time = linalg.expm_multiply(self.liouvillian * step, rho), time + step
        return rho


def embedded(term: Local, n_sites: int) -> sparse.csr_array:
    """A local operator on the whole register, ``(2^N, 2^N)``; site 0 counts most.

    Raises:
        ValueError: a site that does not exist.
    """
    if not all(0 <= site < n_sites for site in term.sites):
        raise ValueError(f"embedded: sites must lie in 0..{n_sites - 1}, got sites={term.sites}.")
    rest = [site for site in range(n_sites) if site not in term.sites]
    matrix = sparse.kron(sparse.csr_array(term.matrix.numpy()), sparse.eye_array(2 ** len(rest)), format="coo")
    # the term's sites are now the most significant bits: put every bit where its site is
    shifts = [n_sites - 1 - site for site in (*term.sites, *rest)]
    row, column = (
        sum((index >> (n_sites - 1 - bit) & 1) << shift for bit, shift in enumerate(shifts))
        for index in (matrix.row.astype(np.int64), matrix.col.astype(np.int64))
    )
    return sparse.csr_array((matrix.data, (row, column)), shape=matrix.shape)
