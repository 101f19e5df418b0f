"""One density averaged over several orders of the sites."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from replank.open_systems.strings import distinct, place_values
from replank.parts.density._interface import DensityPart
from replank.parts.density.transformer import CausalTransformerDensity
from replank.parts.papers import LUO2022
from replank.sources import Source


class StringDensity(DensityPart):
    """Mixture of one density over several orders of the sites: ``p(a) = 1/S sum_s q(a in the order s)``.

    Replaces any density. If the orders go over into each other under a symmetry of the lattice, p has the symmetry,
    whatever q has. It has the parameters of q, and takes S evaluations of it.

    Shape: int64 ``(*, n_sites) -> (*)``.

    Args:
        n_sites: number of sites.
        n_outcomes: at each site.
        orders: permutations of the sites: what q sees first, second, ...
        kind: the class of q.
        options: further arguments of q's constructor.
        initial: probabilities of one site's outcomes at the beginning; all equal unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: no order, or one that is no permutation of the sites; what q refuses.
        TypeError: in ``forward``, not int64.

    Source: [luo2022autoregressive], "string states".
    """

    source = Source(LUO2022, where="string states, model/qc_model.py", provenance="official code")
    places: Tensor
    back: Tensor

    def __init__(
        self,
        n_sites: int,
        n_outcomes: int = 4,
        *,
        orders: Sequence[Sequence[int]],
        kind: type[DensityPart] = CausalTransformerDensity,
        options: Mapping[str, Any] | None = None,
        initial: Sequence[float] | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(n_sites, n_outcomes, initial)
        self.orders = tuple(tuple(order) for order in orders)
        if not self.orders or any(sorted(order) != list(range(n_sites)) for order in self.orders):
            raise ValueError(
                f"StringDensity: `orders` must be permutations of the sites 0..{n_sites - 1}, got orders={self.orders}."
            )
        self.options = dict(options or {})
        self.base = kind(n_sites, n_outcomes, **self.options, initial=initial, device=device, dtype=dtype)
        places = torch.tensor(self.orders, device=device)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("back", places.argsort(1), persistent=False)

    def reset_parameters(self) -> None:
        """Draw those of q anew."""
        self.base.reset_parameters()

    def log_prob(self, a: Tensor) -> Tensor:
        """The logarithm of the mean over orders."""
        walked = self._checked(a)[:, self.places]  # (B, S, n_sites)
        if torch._C._are_functorch_transforms_active():  # under which strings can't be compared
            logs = self.base.log_prob(walked)
        else:
            codes = (walked * place_values(self.n_sites, self.n_outcomes, device=a.device)).sum(-1)
            strings, place = distinct(codes, self.n_sites, self.n_outcomes)  # orders share many
            logs = self.base.log_prob(strings)[place]
        return (logs.logsumexp(1) - math.log(len(self.places))).reshape(a.shape[:-1])

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Samples of q, each put into an order that is drawn."""
        walked, _ = self.base.sample(n, generator)
        chosen = torch.randint(len(self.places), (n,), generator=generator, device=walked.device)
        a = walked.gather(1, self.back[chosen])
        return a, self.log_prob(a)

    def reference(self, input: Tensor) -> Tensor:
        """The mean of probabilities, order by order."""
        p = [self.base.reference(torch.stack([input[:, i] for i in order], 1)).exp() for order in self.orders]
        return (sum(p) / torch.tensor(len(p))).log()

    def parameter_formula(self) -> int:
        """Those of q."""
        return self.base.parameter_formula()

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """All translations, and orders without a symmetry of another density."""
        small = {"n_hidden": 4, "n_feedforward": 2}
        return (
            {"n_sites": 3, "orders": ((0, 1, 2), (1, 2, 0), (2, 0, 1)), "options": small},
            {"n_sites": 3, "n_outcomes": 2, "orders": ((0, 2, 1), (1, 2, 0)), "options": {**small, "n_heads": 2}},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments, without those of q, which is printed below."""
        return f"{super().extra_repr()}, orders={self.orders}, options={self.options}"
