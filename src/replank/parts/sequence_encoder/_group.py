"""How a sequence encoder is probed, and which classical one a part is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from replank.parts.part import Group
from replank.parts.sequence_encoder._interface import SequenceEncoderPart, interface
from replank.parts.sequence_encoder.gru import GRUEncoder
from replank.parts.sequence_encoder.kmer_composition import KmerComposition

__all__ = ["GROUP"]


def _example_input(module: nn.Module) -> Tensor:
    """Three sequences of four tokens, the second of which is one shorter if there is a padding token."""
    found = interface(module, "GROUP")
    padding = found["padding_idx"]
    tokens = [token for token in range(found["num_embeddings"]) if token != padding]
    device = found["device"]
    input = torch.tensor(tokens, device=device)[torch.randint(len(tokens), (3, 4), device=device)]
    if padding is not None:
        input[1, -1] = padding
    return input


def _same_size(old: nn.Module, budget: int) -> nn.Module:
    """The strongest classical encoder with that interface and at most ``budget`` parameters.

    That is the largest GRU that fits, or the composition alone.

    Raises:
        ValueError: not even that fits.
    """
    found = interface(old, "GROUP.same_size")
    tokens, outputs = found.pop("num_embeddings"), found.pop("embedding_dim")
    smallest = GRUEncoder.size(tokens, outputs, 1, 1)
    if budget >= smallest:
        return GRUEncoder.within(budget, tokens, outputs, **found)
    composition = KmerComposition(tokens, outputs, **(found | {"device": "meta"})).parameter_formula()
    if composition > budget:
        raise ValueError(
            f"GROUP.same_size: the smallest classical encoder of {tokens} tokens to {outputs} outputs has "
            f"{composition} parameters, got budget={budget}."
        )
    return KmerComposition(tokens, outputs, **found)


GROUP = Group(
    name="sequence_encoder",
    replaces=(nn.EmbeddingBag,),
    base=SequenceEncoderPart,  # type: ignore[type-abstract]
    example_input=_example_input,
    same_size=_same_size,
)
