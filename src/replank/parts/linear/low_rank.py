"""A linear map of bounded rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.linear._interface import LinearPart
from replank.sources import Source


class LowRankLinear(LinearPart):
    r"""Linear map whose weight has rank at most ``rank``: ``y = U V x + b``.

    Replaces :class:`torch.nn.Linear`; ``rank * (in_features + out_features)`` weights instead of their product.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        rank: largest rank of the weight, in 1..min(in_features, out_features).
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: the rank is out of range.

    Source: our own, as a classical control of the same size.
    """

    source = Source(None, where="control of the same size", provenance="ours")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rank: int,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        full = min(in_features, out_features)
        if not 1 <= rank <= full:
            raise ValueError(
                f"LowRankLinear: `rank` must be in 1..{full} for a {out_features}x{in_features} weight, got "
                f"rank={rank}. For full rank keep nn.Linear."
            )
        self.rank = rank
        self.left = nn.Parameter(torch.empty(out_features, rank, device=device, dtype=dtype))
        self.right = nn.Parameter(torch.empty(rank, in_features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the factors so that an entry of their product varies as in nn.Linear; the bias as in nn.Linear."""
        # U V then has the entry variance of nn.Linear's weight, 1/(3 in_features): a change of loss must not be a
        # change of initial scale in disguise
        std = (3 * self.rank * self.in_features) ** -0.25
        nn.init.normal_(self.left, std=std)
        nn.init.normal_(self.right, std=std)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -(self.in_features**-0.5), self.in_features**-0.5)

    def forward(self, input: Tensor) -> Tensor:
        """Apply the two factors one after the other."""
        self._check_input(input)
        return F.linear(F.linear(input, self.right), self.left, self.bias)

    def dense_weight(self) -> Tensor:
        """The full weight, ``(out_features, in_features)``."""
        return self.left @ self.right

    def reference(self, input: Tensor) -> Tensor:
        """The same by the dense weight."""
        return F.linear(input, self.dense_weight(), self.bias)

    def parameter_formula(self) -> int:
        """``rank * (in + out)``, and ``out`` for the bias."""
        return self.rank * (self.in_features + self.out_features) + self.out_features * (self.bias is not None)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Rank one and more, with and without bias."""
        return (
            {"in_features": 5, "out_features": 4, "rank": 2},
            {"in_features": 3, "out_features": 4, "rank": 1, "bias": False},
        )

    def extra_repr(self) -> str:
        """Features, bias and rank."""
        return f"{super().extra_repr()}, rank={self.rank}"
