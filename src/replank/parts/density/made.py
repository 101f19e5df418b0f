"""Conditionals from one hidden layer with masked weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.density._autoregressive import AutoregressiveDensity
from replank.parts.papers import GERMAIN2015
from replank.sources import Source


class MADEDensity(AutoregressiveDensity):
    """Masked autoencoder: hidden unit h sees the outcomes before site d_h and is seen by the others' conditionals.

    Replaces any density. A unit has one weight for each site and outcome, which goes in before d_h and out from there
    on: no weight is masked away. With h units it has ``h (n_sites * n_outcomes + 1) + n_sites * n_outcomes``
    parameters. d_h runs through 1 ... n_sites - 1 in turn; weights that go out begin as zeros: the initial distribution
    is a product.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites, at least 2: one site has no conditional.
        n_outcomes: at each site.
        n_hidden: units, at least one for each d.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a single site, fewer units than ``n_sites - 1``, fewer than two outcomes, an initial distribution
            that is none; in ``forward``, other strings.
        TypeError: in ``forward``, not int64.

    Source: [germain2015made], sections 3 and 4. Differs: one order of the sites, degrees that are not drawn, GELU.
    """

    source = Source(GERMAIN2015, where="sections 3 and 4", provenance="recalled")
    incoming: Tensor

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        n_hidden: int = 64,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        if n_sites < 2 or n_hidden < n_sites - 1:
            raise ValueError(
                f"MADEDensity: there must be two sites and n_sites - 1 units at least, got n_sites={n_sites}, "
                f"n_hidden={n_hidden}."
            )
        self.n_hidden = n_hidden
        self.weight = nn.Parameter(torch.empty(n_hidden, n_sites, n_outcomes, device=device, dtype=dtype))
        self.hidden_bias = nn.Parameter(torch.empty(n_hidden, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(n_sites, n_outcomes, device=device, dtype=dtype))
        seen = 1 + torch.arange(n_hidden, device=device) % (n_sites - 1)
        mask = torch.arange(n_sites, device=device) < seen[:, None]
        self.register_buffer("incoming", mask[..., None].to(self.weight.dtype), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw what goes in as nn.Linear would for as many inputs; what goes out is zero."""
        with torch.no_grad():
            bound = self.n_sites**-0.5  # as many inputs differ from zero at most
            self.weight.uniform_(-bound, bound).mul_(self.incoming)
            self.hidden_bias.uniform_(-bound, bound)
            self.bias.copy_(self._initial_log(self.bias).expand_as(self.bias))

    def logits(self, a: Tensor) -> Tensor:
        """Two masked products."""
        hot = self._one_hot(a, self.weight)
        into = (self.weight * self.incoming).flatten(1)
        out_of = (self.weight * (1 - self.incoming)).flatten(1)
        hidden = F.gelu(hot.flatten(1) @ into.mT + self.hidden_bias)
        return self.bias + (hidden @ out_of).view(-1, self.n_sites, self.n_outcomes)

    def begin(self, n: int) -> Tensor:
        """What goes into the units of strings without an outcome."""
        return self.hidden_bias.expand(n, -1)

    def step(self, site: int, previous: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        """Add the last outcome to what goes in; units that would see this site are not looked at."""
        if previous is not None:
            into = self.weight[:, site - 1] * self.incoming[:, site - 1]
            state = state + into.mT[previous]
        return self.bias[site] + F.gelu(state) @ (self.weight[:, site] * (1 - self.incoming[:, site])), state

    def reference(self, input: Tensor) -> Tensor:
        """String by string, site by site and unit by unit."""
        totals = []
        for row in input:
            total = self.bias.new_zeros(())
            for site in range(self.n_sites):
                scores = self.bias[site]
                for unit in range(self.n_hidden):
                    before = 1 + unit % (self.n_sites - 1)
                    if before <= site:
                        heard = [self.weight[unit, i, row[i]] for i in range(before)]
                        scores = scores + F.gelu(sum(heard, self.hidden_bias[unit])) * self.weight[unit, site]
                total = total + (scores[row[site]].exp() / scores.exp().sum()).log()
            totals.append(total)
        return torch.stack(totals)

    def parameter_formula(self) -> int:
        """``h (n_sites * n_outcomes + 1) + n_sites * n_outcomes``."""
        inputs = self.n_sites * self.n_outcomes
        return self.n_hidden * (inputs + 1) + inputs

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Two sizes, with an initial distribution and without."""
        return (
            {"n_sites": 3, "n_hidden": 4},
            {"n_sites": 2, "n_outcomes": 3, "n_hidden": 2, "initial": (0.5, 0.3, 0.2)},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_hidden={self.n_hidden}"
