"""Samples of densities that can only be evaluated: Markov chains that change one outcome at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from replank.parts.density._interface import DensityPart


class MetropolisSampler:
    """Chains of Metropolis moves, each of which proposes another outcome at a site drawn at random.

    Chains go on where the last call left them, also if the density has been trained meanwhile. One evaluation is made
    for each chain and move, and every state counts as a sample: as many evaluations as samples, besides those that warm
    up.

    Args:
        density: weights of strings; need not be normalised.
        n_chains: chains side by side.
        warm_up: sweeps, of ``n_sites`` moves each, before the first sample.

    Raises:
        ValueError: no chain, or a negative number of sweeps.

    Attributes:
        acceptance: the share of moves of the last call that were accepted.
    """

    def __init__(self, density: DensityPart, n_chains: int, *, warm_up: int = 10):
        if n_chains < 1 or warm_up < 0:
            raise ValueError(
                f"MetropolisSampler: there must be a chain and no negative number of sweeps, got n_chains={n_chains}, "
                f"warm_up={warm_up}."
            )
        self.density, self.n_chains, self.warm_up = density, n_chains, warm_up
        self.acceptance = 0.0
        self._strings: Tensor | None = None

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Strings ``(n, n_sites)``, those of neighbouring moves alike, and logarithms of their weights ``(n,)``."""
        a = self._strings
        if a is None:
            a = self._begun(generator)
            log = self.density.log_weight(a)
            for _ in range(self.warm_up * self.density.n_sites):
                a, log, _ = self._moved(a, log, generator)
        else:
            log = self.density.log_weight(a)
        strings, logs, accepted = [], [], []
        for _ in range(-(-n // self.n_chains)):
            a, log, moved = self._moved(a, log, generator)
            strings.append(a)
            logs.append(log)
            accepted.append(moved)
        self._strings, self.acceptance = a, float(torch.stack(accepted).double().mean())
        return torch.cat(strings)[:n], torch.cat(logs)[:n]

    def _begun(self, generator: torch.Generator | None) -> Tensor:
        device = next(self.density.parameters()).device
        shape = (self.n_chains, self.density.n_sites)
        return torch.randint(self.density.n_outcomes, shape, generator=generator, device=device)

    def _moved(self, a: Tensor, log: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        n, k = len(a), self.density.n_outcomes
        site = torch.randint(self.density.n_sites, (n, 1), generator=generator, device=a.device)
        shift = torch.randint(1, k, (n, 1), generator=generator, device=a.device)
        proposed = a.scatter(1, site, (a.gather(1, site) + shift) % k)
        log_proposed = self.density.log_weight(proposed)
        uniform = torch.rand(n, generator=generator, device=a.device, dtype=log.dtype)
        accepted = uniform.log() < log_proposed - log
        return torch.where(accepted[:, None], proposed, a), torch.where(accepted, log_proposed, log), accepted
