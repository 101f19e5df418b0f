"""Conditionals from a recurrent network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.density._autoregressive import AutoregressiveDensity
from replank.parts.recurrent._classical import slow_unroll, unroll
from replank.parts.recurrent._interface import States
from replank.sources import Source


class GRUDensity(AutoregressiveDensity):
    """Autoregressive density of a gated recurrent unit: the state after the outcomes before i gives those at i.

    Replaces any density. With h hidden features and K outcomes it has ``3 h (K + h + 2)`` parameters and a read-out of
    ``K (h + 1)``, whose weights begin as zeros: the initial distribution is a product.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites.
        n_outcomes: at each site.
        n_hidden: features of the state.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: no site, no feature, fewer than two outcomes, an initial distribution that is none; in ``forward``,
            other strings.
        TypeError: in ``forward``, not int64.

    Source: our own, as the control of the same size for :class:`CausalTransformerDensity`.
    """

    source = Source(None, where="control of the same size", provenance="ours")

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        n_hidden: int = 32,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        if n_hidden < 1:
            raise ValueError(f"GRUDensity: `n_hidden` must be a positive integer, got n_hidden={n_hidden}.")
        self.n_hidden = n_hidden
        self.cell = nn.GRU(n_outcomes, n_hidden, device=device, dtype=dtype)
        self.head = nn.Linear(n_hidden, n_outcomes, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the cell as torch does; the read-out gives the initial distribution, whatever the state."""
        self.cell.reset_parameters()
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.copy_(self._initial_log(self.head.bias))

    def logits(self, a: Tensor) -> Tensor:
        """All sites in one run over the string, which begins with an outcome that is none."""
        hot = self._one_hot(a[:, :-1], self.head.weight)
        input = F.pad(hot, (0, 0, 1, 0)).transpose(0, 1)
        outputs, _ = unroll("gru", input, (input.new_zeros(len(a), self.n_hidden),), list(self.cell.parameters()))
        return self.head(outputs).transpose(0, 1)

    def begin(self, n: int) -> Tensor:
        """A state of zeros."""
        return self.head.weight.new_zeros(n, self.n_hidden)

    def step(self, site: int, previous: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step of the cell."""
        weight = self.head.weight
        input = weight.new_zeros(len(state), self.n_outcomes) if previous is None else self._one_hot(previous, weight)
        _, (state,) = unroll("gru", input[None], (state,), list(self.cell.parameters()))
        return self.head(state), state

    def reference(self, input: Tensor) -> Tensor:
        """String by string and step by step, by the formulas of the unit."""
        totals = []
        for row in input:
            state: States = (self.begin(1),)
            x = self.head.weight.new_zeros(1, 1, self.n_outcomes)
            total = x.new_zeros(())
            for a in row:
                _, state = slow_unroll("gru", x, state, list(self.cell.parameters()))
                scores = self.head.weight @ state[0][0] + self.head.bias
                total = total + (scores[a].exp() / scores.exp().sum()).log()
                x = torch.eye(self.n_outcomes).to(x)[a][None, None]
            totals.append(total)
        return torch.stack(totals)

    def parameter_formula(self) -> int:
        """``3 h (K + h + 2) + K (h + 1)``."""
        h, k = self.n_hidden, self.n_outcomes
        return 3 * h * (k + h + 2) + k * (h + 1)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Two sizes, with an initial distribution and without, and a single site."""
        return (
            {"n_sites": 3, "n_hidden": 3},
            {"n_sites": 2, "n_outcomes": 3, "n_hidden": 2, "initial": (0.5, 0.3, 0.2)},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, n_hidden={self.n_hidden}"
