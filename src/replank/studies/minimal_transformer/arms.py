"""The alternatives as swaps on one host: what fills the slots for attention and for the network behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from replank.lab.trial import Arm
from replank.parts.attention import MultiHeadSimilarityAttention, NarrowAttention, Variant, attention_parameter_count
from replank.parts.controls import frozen
from replank.parts.patch_classifier import PatchClassifier
from replank.parts.replacement import Builder, Replacement, named, part
from replank.slots import Ladder, Swap

if TYPE_CHECKING:
    from replank.datasets import Card
    from replank.studies.minimal_transformer.settings import MinimalSettings

FULL_MLP, FULL, MINIMUM, NARROW = "full-mlp", "full", "wqk-novo", "narrow"
ATTENTION, FEEDFORWARD = "encoders.*.attention", "encoders.*.feedforward"

VARIANT_OF: dict[str, Variant] = {
    "wqk": "wqk",
    "symmetric": "symmetric",
    "symmetric-tri": "symmetric_tri",
    "symmetric-free": "symmetric_free",
    "novo": "novo",
    MINIMUM: "wqk_novo",
}
"""The arms without a network behind their attention that differ from ``full`` in its variant."""

ARMS = (
    Arm(FULL_MLP, "Full attention and a network of two layers behind it, in each encoder.", "baseline"),
    Arm(FULL, "Full attention alone: what does the network contribute?"),
    Arm("wqk", "One matrix in the place of queries and keys."),
    Arm("symmetric", "Keys are queries: similarity is symmetric and positive semidefinite."),
    Arm("symmetric-tri", "The same by a triangular factor, with half the numbers."),
    Arm(MINIMUM, "One matrix of similarity is all that an encoder has: the minimum."),
    Arm("symmetric-free", "A symmetric matrix of any sign: is it the symmetry or the sign?", "control"),
    Arm("novo", "Queries and keys, no values: which of the two reductions costs?", "control"),
    Arm(NARROW, "Full attention with heads as narrow as the minimum's parameters pay for.", "control"),
    Arm("wqk-novo-frozen", "The minimum with random matrices that are never trained.", "control"),
    Arm("symmetric-tri-unit", "The triangular factor drawn with variance 1: the softmax begins one-hot.", "control"),
    Arm("full-mlp-deep", "Twice as many full encoders.", "control"),
)
COSTED = (FULL_MLP, FULL, *VARIANT_OF, NARROW)
"""The arms whose single encoders are timed."""


def nothing(old: nn.Module) -> nn.Module:
    """No network, no norm of its own."""
    return nn.Identity()


def narrow(old: nn.Module) -> nn.Module:
    """Full attention with no more parameters than the minimum."""
    assert isinstance(old, MultiHeadSimilarityAttention)
    budget = attention_parameter_count(old.embed_dim, 1, "wqk_novo", old.bias)
    return NarrowAttention.within(budget, old)


def attention_of(arm: str) -> Replacement | None:
    """What fills the slot of attention; nothing if it stays."""
    if arm in VARIANT_OF:
        return part(MultiHeadSimilarityAttention, variant=VARIANT_OF[arm])
    others: dict[str, Builder] = {
        NARROW: named(narrow, "NarrowAttention"),
        "wqk-novo-frozen": frozen(part(MultiHeadSimilarityAttention, variant="wqk_novo")),
        "symmetric-tri-unit": part(MultiHeadSimilarityAttention, variant="symmetric_tri", init_scale=1.0),
    }
    return others.get(arm)


def swaps(arm: str) -> tuple[Swap, ...]:
    """What is swapped in the host, which is the baseline."""
    removed = () if arm in (FULL_MLP, "full-mlp-deep") else (Swap(FEEDFORWARD, nothing),)
    attention = attention_of(arm)
    return removed if attention is None else (*removed, Swap(ATTENTION, attention))


def host(settings: MinimalSettings, shape: tuple[int, int, int], n_classes: int) -> PatchClassifier:
    """The classifier with full attention and networks."""
    return PatchClassifier(
        shape[1], settings.patch_size, shape[0], settings.width, settings.depth, settings.heads,
        mlp_ratio=settings.mlp_ratio, norm=settings.norm, pool=settings.pool, num_classes=n_classes,
    )  # fmt: skip


def ladder(settings: MinimalSettings, card: Card) -> Ladder:
    """Every arm, on the host for a data set's images."""
    return Ladder(lambda: host(settings, card.shape, len(card.classes)), {arm.name: swaps(arm.name) for arm in ARMS})
