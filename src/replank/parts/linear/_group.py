"""How a linear layer is probed, and which classical one a part is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.parts.linear._interface import LinearPart, interface
from replank.parts.linear.low_rank import LowRankLinear
from replank.parts.linear.pooled import PooledLinear
from replank.parts.part import Group

__all__ = ["GROUP"]


def _example_input(module: nn.Module) -> Tensor:
    found = interface(module, "GROUP")
    return torch.randn(3, found["in_features"], device=found["device"], dtype=found["dtype"])


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """The strongest classical layer with that interface and at most ``budget`` parameters.

    That is a full linear layer, or one of the largest rank that fits, or one on as many pooled features as fit.

    Raises:
        ValueError: not even one pooled feature fits.
    """
    found = interface(old, "GROUP.same_size")
    n_in, n_out = found["in_features"], found["out_features"]
    free = budget - n_out * found["bias"]
    if free >= n_in * n_out:
        return nn.Linear(**found)
    rank, n_pools = free // (n_in + n_out), free // n_out
    if rank >= 1:
        return LowRankLinear(**found, rank=min(rank, n_in, n_out))
    if n_pools >= 1:
        return PooledLinear(**found, n_pools=min(n_pools, n_in))
    raise ValueError(
        f"GROUP.same_size: the smallest classical layer from {n_in} to {n_out} features has "
        f"{n_out + n_out * found['bias']} parameters, got budget={budget}."
    )


GROUP = Group(
    name="linear",
    replaces=(nn.Linear,),
    base=LinearPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
)
