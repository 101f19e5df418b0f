"""A restricted Boltzmann machine over outcomes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.open_systems.strings import all_strings
from replank.parts.density._interface import DensityPart
from replank.parts.density.metropolis import MetropolisSampler
from replank.sources import Source

_WARM_UP = 50


class RBMDensity(DensityPart):
    r"""Restricted Boltzmann machine with one visible unit for each site and outcome: ``w(a) = sum_h exp(-E(a, h))``.

    Replaces any density. ``log w(a) = sum_i b_i,a_i + sum_h softplus(c_h + sum_i W_h,i,a_i)``; nobody knows the sum
    over all strings, so that samples come from Markov chains and ``log_prob`` is for few sites. With h hidden units it
    has ``h (n_sites * n_outcomes + 1) + n_sites * n_outcomes`` parameters. W begins at random, b as the initial
    distribution without what W adds: a product, nearly.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites.
        n_outcomes: at each site.
        n_hidden: hidden units.
        std: standard deviation of W at the beginning.
        max_strings: up to how many strings ``log_prob`` sums over.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: no site, no unit, a negative deviation, fewer than two outcomes, an initial distribution that is
            none; in ``forward``, other strings, or too many of them to be summed over.
        TypeError: in ``forward``, not int64.

    Source: our own, as the rival that papers on open systems had before.
    """

    source = Source(None, where="rival with Markov chains", provenance="ours")
    normalised: ClassVar[bool] = False

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        n_hidden: int = 64,
        std: float = 0.05,
        max_strings: int = 2**20,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        if n_hidden < 1:
            raise ValueError(f"RBMDensity: `n_hidden` must be a positive integer, got n_hidden={n_hidden}.")
        if not std >= 0:
            raise ValueError(f"RBMDensity: `std` must not be negative, got std={std}.")
        self.n_hidden, self.std, self.max_strings = n_hidden, std, max_strings
        self.weight = nn.Parameter(torch.empty(n_hidden, n_sites, n_outcomes, device=device, dtype=dtype))
        self.hidden_bias = nn.Parameter(torch.empty(n_hidden, device=device, dtype=dtype))
        self.visible_bias = nn.Parameter(torch.empty(n_sites, n_outcomes, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights near zero; visible biases give the initial distribution."""
        with torch.no_grad():
            nn.init.normal_(self.weight, std=self.std)
            self.hidden_bias.zero_()
            # hidden units add half of what drives them, to first order: visible biases take it away again
            self.visible_bias.copy_(self._initial_log(self.visible_bias) - self.weight.sum(0) / 2)

    def log_weight(self, a: Tensor) -> Tensor:
        """``log w(a)``."""
        rows = self._checked(a)
        hot = self._one_hot(rows, self.weight).flatten(1)
        hidden = F.softplus(hot @ self.weight.flatten(1).mT + self.hidden_bias).sum(1)
        return (hot @ self.visible_bias.flatten() + hidden).reshape(a.shape[:-1])

    def log_prob(self, a: Tensor) -> Tensor:
        """``log w(a)`` minus the logarithm of the sum over all strings."""
        count = self.n_outcomes**self.n_sites
        if count > self.max_strings:
            raise ValueError(
                f"RBMDensity: `log_prob` sums over all strings, at most max_strings={self.max_strings}, got {count}. "
                "Use `log_weight` and ratios."
            )
        every = all_strings(self.n_sites, self.n_outcomes, device=self.weight.device)
        return self.log_weight(a) - self.log_weight(every).logsumexp(0)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The ends of n Markov chains of 50 sweeps: independent, and nearly from the distribution."""
        return MetropolisSampler(self, n, warm_up=_WARM_UP).sample(n, generator)

    def reference(self, input: Tensor) -> Tensor:
        """Sums over all states of hidden units, and over all strings."""

        def weight(row: Sequence[int]) -> Tensor:
            driven = self.hidden_bias + torch.stack([self.weight[:, i, a] for i, a in enumerate(row)]).sum(0)
            states = itertools.product((0.0, 1.0), repeat=self.n_hidden)
            hidden = torch.stack([(torch.tensor(h).to(driven) @ driven).exp() for h in states]).sum()
            return hidden * torch.stack([self.visible_bias[i, a] for i, a in enumerate(row)]).sum().exp()

        rows = itertools.product(range(self.n_outcomes), repeat=self.n_sites)
        total = torch.stack([weight(row) for row in rows]).sum()
        return torch.stack([(weight(row.tolist()) / total).log() for row in input])

    def parameter_formula(self) -> int:
        """``h (n_sites * n_outcomes + 1) + n_sites * n_outcomes``."""
        inputs = self.n_sites * self.n_outcomes
        return self.n_hidden * (inputs + 1) + inputs

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Two sizes, with an initial distribution and without."""
        return (
            {"n_sites": 3, "n_outcomes": 3, "n_hidden": 2},
            {"n_sites": 2, "n_hidden": 3, "initial": (0.4, 0.3, 0.2, 0.1)},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_hidden={self.n_hidden}, std={self.std}"
