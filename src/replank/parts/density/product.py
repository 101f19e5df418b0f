"""Sites that know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.density._autoregressive import AutoregressiveDensity
from replank.sources import Source


class ProductDensity(AutoregressiveDensity):
    """Independent outcomes, with a distribution for each site: mean field.

    Replaces any density. It has ``n_sites * n_outcomes`` parameters.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites.
        n_outcomes: at each site.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: no site, fewer than two outcomes, an initial distribution that is none; in ``forward``, other
            strings.
        TypeError: in ``forward``, not int64.

    Source: our own, as the mean-field control.
    """

    source = Source(None, where="mean-field control", provenance="ours")

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        self.table = nn.Parameter(torch.empty(n_sites, n_outcomes, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Put the initial distribution on every site; nothing is drawn."""
        with torch.no_grad():
            self.table.copy_(self._initial_log(self.table).expand_as(self.table))

    def logits(self, a: Tensor) -> Tensor:
        """The same for all strings."""
        return self.table.expand(len(a), -1, -1)

    def begin(self, n: int) -> int:
        """How many strings there are."""
        return n

    def step(self, site: int, previous: Tensor | None, state: int) -> tuple[Tensor, int]:
        """The site's own."""
        return self.table[site].expand(state, -1), state

    def reference(self, input: Tensor) -> Tensor:
        """The logarithm of a product of probabilities."""
        p = self.table.exp() / self.table.exp().sum(1, keepdim=True)
        return torch.stack([torch.stack([p[site, a] for site, a in enumerate(row)]).prod().log() for row in input])

    def parameter_formula(self) -> int:
        """``n_sites * n_outcomes``."""
        return self.n_sites * self.n_outcomes

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Two sizes, with an initial distribution and without."""
        return (
            {"n_sites": 3},
            {"n_sites": 2, "n_outcomes": 3, "initial": (0.5, 0.3, 0.2)},
        )
