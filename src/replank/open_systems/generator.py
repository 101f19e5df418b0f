"""The generator of ``dp/dt = L p`` row by row: which strings a string is connected with, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from replank.open_systems.lindblad import Local
from replank.open_systems.strings import all_strings, count, digits, distinct, place_values


class Density(Protocol):
    """A distribution of strings, as far as solvers ask for one."""

    n_sites: int
    n_outcomes: int
    normalised: bool
    """Whether weights are probabilities."""

    def log_weight(self, a: Tensor) -> Tensor:
        """Logarithms of probabilities up to a common constant: ``(B, n_sites) -> (B,)``."""


class LocalGenerator:
    """A sum of local terms, applied to strings in batches.

    Args:
        terms: as :func:`~replank.open_systems.lindblad.lindblad_generator` gives them.
        n_sites: number of sites.
        n_outcomes: at each site.
        device: where strings are.

    Raises:
        ValueError: a site that does not exist, or more strings than can be numbered.
    """

    def __init__(
        self, terms: Sequence[Local], n_sites: int, n_outcomes: int = 4, *, device: torch.device | str = "cpu"
    ):
        count(n_sites, n_outcomes)  # refuses more than can be numbered
        for sites, _ in terms:
            if not all(0 <= site < n_sites for site in sites):
                raise ValueError(f"LocalGenerator: sites must lie in 0..{n_sites - 1}, got sites={sites}.")
        self.n_sites, self.n_outcomes, self.terms = n_sites, n_outcomes, tuple(terms)
        self._values = place_values(n_sites, n_outcomes, device=device)
        sizes = sorted({len(sites) for sites, _ in terms})
        self._groups = [self._group([each for each in terms if len(each.sites) == size], device) for size in sizes]

    def _group(self, terms: Sequence[Local], device: torch.device | str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of terms on equally many sites k: sites ``(T, k)``, matrices, what local digits count, and local numbers."""
        sites = torch.tensor([each.sites for each in terms], device=device)
        matrices = torch.stack([each.matrix.double() for each in terms]).to(device)
        size, k = sites.shape[1], self.n_outcomes
        local = digits(torch.arange(k**size, device=device), size, k)
        return sites, matrices, place_values(size, k, device=device), self._values[sites] @ local.T

    def code(self, a: Tensor) -> Tensor:
        """Numbers of strings, ``(B, n_sites) -> (B,)``."""
        return (a * self._values).sum(-1)

    def rows(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients and numbers of the strings b in ``(L p)(a) = sum_b L_ab p(b)``, both ``(B, C)``.

        A string may come several times, and a itself is among them.
        """
        coefficients, codes = [], []
        code = self.code(a)
        for sites, matrices, local_values, local_codes in self._groups:
            here = a[:, sites]  # (B, T, k)
            rest = code[:, None] - (here * self._values[sites]).sum(-1)
            row = (here * local_values).sum(-1)
            coefficients.append(matrices[torch.arange(len(sites), device=a.device), row].flatten(1))
            codes.append((rest[:, :, None] + local_codes).flatten(1))
        return torch.cat(coefficients, 1), torch.cat(codes, 1)

    def connected(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The same with each string once.

        Returns:
            Coefficients ``(B, C)``, strings ``(U, n_sites)``, and the rows of these in which a is, ``(B,)``, and in
            which the strings of the coefficients are, ``(B, C)``.
        """
        coefficients, codes = self.rows(a)
        strings, place = distinct(torch.cat((self.code(a)[:, None], codes), 1), self.n_sites, self.n_outcomes)
        return coefficients, strings, place[:, 0], place[:, 1:]

    def matrix(self) -> sparse.csr_array:
        """All of L, ``(K^N, K^N)``: columns sum to 0."""
        coefficients, codes = self.rows(all_strings(self.n_sites, self.n_outcomes, device=self._values.device))
        n, width = coefficients.shape
        index = (np.repeat(np.arange(n), width), codes.flatten().cpu().numpy())
        return sparse.csr_array((coefficients.flatten().cpu().numpy(), index), shape=(n, n))


def apply_generator(density: Density, a: Tensor, generator: LocalGenerator) -> Tensor:
    """``(L p)(a) / p(a)``, ``(B, n_sites) -> (B,)``: ratios alone, which neither underflow nor need a normalisation."""
    coefficients, strings, own, place = generator.connected(a)
    log = density.log_weight(strings)
    return (coefficients * (log[place] - log[own][:, None]).exp()).sum(1)
