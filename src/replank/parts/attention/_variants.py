"""The reduced forms of attention by name: which similarity, and whether values are projected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from replank.errors import UnknownName
from replank.parts.attention._similarity import Matrix, Pair, Similarity, SymmetricFree, Tied, TriangularProduct

Variant = Literal["full", "wqk", "wqk_novo", "novo", "symmetric", "symmetric_tri", "symmetric_free"]


@dataclass(frozen=True)
class Form:
    """One way to reduce attention.

    Args:
        similarity: the bilinear form.
        has_values: whether W_V and W_O are there.
    """

    similarity: type[Similarity]
    has_values: bool = True


VARIANTS: Mapping[Variant, Form] = {
    "full": Form(Pair),
    "wqk": Form(Matrix),
    "wqk_novo": Form(Matrix, has_values=False),
    "novo": Form(Pair, has_values=False),
    "symmetric": Form(Tied),
    "symmetric_tri": Form(TriangularProduct),
    "symmetric_free": Form(SymmetricFree),
}


def form(variant: str) -> Form:
    """The form of that name.

    Raises:
        UnknownName: there is none; the message lists all.
    """
    for name, found in VARIANTS.items():
        if name == variant:
            return found
    raise UnknownName("variant of attention", variant, VARIANTS)


def check_heads(variant: str, num_heads: int, asker: str) -> None:
    """Refuse several heads for one matrix of similarities.

    Raises:
        ValueError: as said.
    """
    if form(variant).similarity is Matrix and num_heads > 1:
        raise ValueError(
            f"{asker}: variant {variant!r} is for one head, got num_heads={num_heads}: W_QK would be N x N for each, "
            "which saves nothing. Use num_heads=1, or 'symmetric'."
        )


def attention_parameter_count(embed_dim: int, num_heads: int, variant: str, bias: bool = True) -> int:
    """The number of parameters of :class:`MultiHeadSimilarityAttention` in closed form.

    With ``q = N^2 + N`` (``N^2`` without biases) and ``d = N / H``: full ``4 q``; wqk and symmetric ``3 q``; novo
    ``2 q``; wqk_novo ``q``; symmetric_tri and symmetric_free ``2 q + H d (d + 1) / 2``.

    Args:
        embed_dim: N.
        num_heads: H.
        variant: one of :data:`VARIANTS`.
        bias: whether projections have biases.

    Raises:
        UnknownName: no such variant.
        ValueError: it is for one head.
    """
    check_heads(variant, num_heads, "attention_parameter_count")
    unit, width = embed_dim**2 + bias * embed_dim, embed_dim // num_heads
    found = form(variant)
    of_similarity = {Pair: 2 * unit, Matrix: unit, Tied: unit}.get(
        found.similarity, num_heads * width * (width + 1) // 2
    )
    return of_similarity + 2 * unit * found.has_values
