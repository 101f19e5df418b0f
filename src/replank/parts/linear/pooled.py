"""A linear map of a few pooled features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replank.parts.linear._interface import LinearPart
from replank.sources import Source


class PooledLinear(LinearPart):
    r"""Linear map of the features' averages over ``n_pools`` neighbourhoods: ``y = W pool(x) + b``.

    Replaces :class:`torch.nn.Linear` where the parameters do not suffice for a :class:`LowRankLinear`; the pools are
    those of :func:`torch.nn.functional.adaptive_avg_pool1d`.

    Shape: ``(*, in_features) -> (*, out_features)``, same dtype and device as the input.

    Args:
        in_features: size of each input.
        out_features: size of each output.
        bias: whether to add a learned bias.
        n_pools: number of averages, in 1..in_features.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: the number of pools is out of range.

    Source: our own, as a classical control of the same size.
    """

    source = Source(None, where="control of the same size", provenance="ours")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        n_pools: int,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(in_features, out_features, bias, device, dtype)
        if not 1 <= n_pools <= in_features:
            raise ValueError(f"PooledLinear: `n_pools` must be in 1..in_features={in_features}, got n_pools={n_pools}.")
        self.n_pools = n_pools
        self.weight = nn.Parameter(torch.empty(out_features, n_pools, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias as an nn.Linear with ``n_pools`` inputs does."""
        bound = self.n_pools**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Pool, then map."""
        self._check_input(input)
        pooled = F.adaptive_avg_pool1d(input.reshape(-1, 1, self.in_features), self.n_pools)
        return F.linear(pooled.reshape(*input.shape[:-1], self.n_pools), self.weight, self.bias)

    def reference(self, input: Tensor) -> Tensor:
        """The same, pool by pool: number ``i`` reaches from floor(i n / k) to ceil((i + 1) n / k)."""
        n, k = self.in_features, self.n_pools
        pools = [input[..., i * n // k : -(-(i + 1) * n // k)].mean(-1) for i in range(k)]
        return F.linear(torch.stack(pools, dim=-1), self.weight, self.bias)

    def parameter_formula(self) -> int:
        """``out * n_pools``, and ``out`` for the bias."""
        return self.out_features * (self.n_pools + (self.bias is not None))

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Pools that overlap, and a single one."""
        return (
            {"in_features": 7, "out_features": 3, "n_pools": 3},
            {"in_features": 4, "out_features": 2, "n_pools": 1, "bias": False},
        )

    def extra_repr(self) -> str:
        """Features, bias and number of pools."""
        return f"{super().extra_repr()}, n_pools={self.n_pools}"
