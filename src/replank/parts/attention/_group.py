"""How attention is probed, and which classical one a part is compared with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from replank.parts.attention._collapse import collapse_query_key, collapse_value_output
from replank.parts.attention._interface import AttentionPart, interface
from replank.parts.attention._variants import VARIANTS, Variant, attention_parameter_count
from replank.parts.attention.narrow import NarrowAttention
from replank.parts.attention.similarity import MultiHeadSimilarityAttention
from replank.parts.part import Group

__all__ = [
    "GROUP",
    "VARIANTS",
    "Variant",
    "attention_parameter_count",
    "collapse_query_key",
    "collapse_value_output",
]


def _example_input(module: nn.Module) -> Tensor:
    found = interface(module, "GROUP")
    return torch.randn(3, 4, found["embed_dim"], device=found["device"], dtype=found["dtype"])


def _to_itself(input: Tensor) -> tuple[Tensor, ...]:
    return input, input, input


def _output(result: Any) -> Any:
    """What all modules of the group give alike; weights come only where they are asked for."""
    return result[0] if isinstance(result, tuple) else result


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """Full attention, if the budget has room for it; otherwise with heads as wide as fit.

    Raises:
        ValueError: not even the narrowest fits.
    """
    found = interface(old, "GROUP.same_size")
    whole = attention_parameter_count(found["embed_dim"], found["num_heads"], "full", found["bias"])
    return MultiHeadSimilarityAttention(**found) if whole <= budget else NarrowAttention.within(budget, old)


GROUP = Group(
    name="attention",
    replaces=(nn.MultiheadAttention,),
    base=AttentionPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
    promised=_output,
    arguments=_to_itself,
)
