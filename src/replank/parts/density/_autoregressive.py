"""Densities that are products of conditionals: exact probabilities, exact samples."""

from __future__ import annotations

import abc
from typing import Any

import torch
from torch import Tensor

from replank.parts.density._interface import DensityPart

_CHUNK = 2048
"""Strings that are sampled at once: what they take fits into a cache."""


class AutoregressiveDensity(DensityPart):
    """``p(a) = prod_i p(a_i | a_1 ... a_i-1)``, each factor a softmax.

    A part gives the conditionals of whole strings at once, :meth:`logits`, and one after the other while a string is
    being drawn, :meth:`step`; the two must agree.
    """

    @abc.abstractmethod
    def logits(self, a: Tensor) -> Tensor:
        """Of the conditionals, ``(B, n_sites) -> (B, n_sites, n_outcomes)``: those at i depend on outcomes before i."""

    @abc.abstractmethod
    def begin(self, n: int) -> Any:
        """What :meth:`step` is given at the first site of n strings."""

    @abc.abstractmethod
    def step(self, site: int, previous: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        """The conditional's logits at a site ``(n, n_outcomes)``, and what to give at the next.

        Args:
            site: which, in order from 0.
            previous: outcomes at the site before, ``(n,)``; none at the first.
            state: from the last step, or from :meth:`begin`; it may be written to.
        """

    def log_prob(self, a: Tensor) -> Tensor:
        """The sum over conditionals."""
        rows = self._checked(a)
        log = self.logits(rows).log_softmax(-1)
        return log.gather(-1, rows[..., None]).sum((-2, -1)).reshape(a.shape[:-1])

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Outcome by outcome: independent strings with their exact probabilities."""
        if n < 1:
            raise ValueError(f"{type(self).__name__}: there must be at least one sample, got n={n}.")
        chunks = [self._sampled(min(_CHUNK, n - begin), generator) for begin in range(0, n, _CHUNK)]
        strings, logs = zip(*chunks, strict=True)
        return torch.cat(strings), torch.cat(logs)

    def _sampled(self, n: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        some = next(self.parameters())
        uniform = torch.rand(self.n_sites, n, 1, generator=generator, dtype=some.dtype, device=some.device)
        state, previous = self.begin(n), None
        outcomes, logs = [], []
        for site in range(self.n_sites):
            logits, state = self.step(site, previous, state)
            log = logits.log_softmax(-1)
            below = log.exp().cumsum(-1)[:, :-1] < uniform[site]  # without the last, which rounding may leave below 1
            previous = below.sum(-1)
            outcomes.append(previous)
            logs.append(log.gather(1, previous[:, None])[:, 0])
        return torch.stack(outcomes, 1), torch.stack(logs).sum(0)
