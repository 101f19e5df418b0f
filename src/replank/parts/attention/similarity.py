"""Attention whose parameter groups are removed or merged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from replank.parts.attention._interface import AttentionPart
from replank.parts.attention._similarity import Similarity, SymmetricFree, TriangularProduct
from replank.parts.attention._values import Projected, Themselves, Values
from replank.parts.attention._variants import Variant, attention_parameter_count, check_heads, form
from replank.parts.papers import BERMEITINGER2024
from replank.sources import Source


class MultiHeadSimilarityAttention(AttentionPart):
    r"""Softmax attention with fewer matrices: ``A = softmax(similarity / sqrt(d))``, ``concat_h(A_h x W_V^h) W_O``.

    Replaces :class:`torch.nn.MultiheadAttention`, which ``"full"`` is. With N features, H heads of ``d = N / H`` and
    ``q = N^2 + N``:

    ================  =======================================================  =====  ========================
    variant           similarity of token i to token j                         heads  parameters
    ================  =======================================================  =====  ========================
    full              ``(x_i W_Q + b_Q) (x_j W_K + b_K)^T``                    any    ``4 q``
    wqk               ``(x_i W_QK + b) x_j^T``                                 1      ``3 q``
    wqk_novo          the same; and W_V = W_O = 1                              1      ``q``
    novo              that of full; and W_V = W_O = 1                          any    ``2 q``
    symmetric         ``(x_i W_Q + b) (x_j W_Q + b)^T``                        any    ``3 q``
    symmetric_tri     ``x_i T T^T x_j^T``, T lower triangular, on slices       any    ``2 q + H d (d + 1) / 2``
    symmetric_free    ``x_i (U + U^T) x_j^T / 2``, U triangular, on slices     any    ``2 q + H d (d + 1) / 2``
    ================  =======================================================  =====  ========================

    Without W_V and W_O an output is a convex combination of its tokens; for several heads it is the mean of theirs, so
    that it stays one. The bias of the keys moves no output: the softmax does not see what is the same for all j.

    Shape: ``(B, T, embed_dim) -> (B, T, embed_dim)``, or without ``B``.

    Args:
        embed_dim: N.
        num_heads: H.
        variant: one of the above.
        bias: whether projections have biases.
        dropout: probability that a weight is dropped in training.
        init_scale: standard deviation of the entries of T or U at first, ``1 / sqrt(d)`` unless given. With 1, diagonal
            scores are about ``N^1.5 / 2``, and the softmax is one-hot.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        UnknownName: no such variant.
        ValueError: N is no multiple of H; a variant for one head is given more; an ``init_scale`` where there is no T
            or U; in ``forward``, what the group refuses.

    Source: [bermeitinger2024minimum]; novo and symmetric_free are ours. Scale, biases and initial values are ours, too.
    """

    source = Source(BERMEITINGER2024, where="section on the reduction of the transformer", provenance="paper")

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        variant: Variant = "full",
        bias: bool = True,
        dropout: float = 0.0,
        init_scale: float | None = None,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(embed_dim, num_heads, bias, dropout)
        found = form(variant)
        check_heads(variant, num_heads, "MultiHeadSimilarityAttention")
        self.variant, self.init_scale = variant, init_scale
        width = embed_dim // num_heads
        options: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        if found.similarity in (TriangularProduct, SymmetricFree):
            self.similarity: Similarity = found.similarity(
                embed_dim, num_heads, width, init_scale=init_scale, **options
            )
        elif init_scale is not None:
            raise ValueError(
                "MultiHeadSimilarityAttention: `init_scale` is for 'symmetric_tri' and 'symmetric_free', got "
                f"init_scale={init_scale} for {variant!r}. Leave it out."
            )
        else:
            self.similarity = found.similarity(embed_dim, num_heads, width, **options)
        self.values: Values = (
            Projected(embed_dim, num_heads, width, **options) if found.has_values else Themselves(num_heads)
        )
        self.reset_parameters()

    @property
    def scale(self) -> float:
        """``1 / sqrt(d)``."""
        return 1 / math.sqrt(self.embed_dim // self.num_heads)

    def reset_parameters(self) -> None:
        """Xavier-uniform projections, zero biases, normal triangles."""
        self.similarity.reset_parameters()
        self.values.reset_parameters()

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As the variant says."""
        return *self.similarity(x), self.values(x)

    def merge(self, attended: Tensor) -> Tensor:
        """As the variant says."""
        return self.values.merge(attended)

    def reference(self, input: Tensor) -> Tensor:
        """Head by head from the bilinear forms, softmax in words, each head's matrices multiplied out."""
        return _slow(self, input)

    def parameter_formula(self) -> int:
        """See the class."""
        return attention_parameter_count(self.embed_dim, self.num_heads, self.variant, self.bias)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Every variant, one head and two, with biases and without."""
        return (
            {"embed_dim": 4, "num_heads": 2, "variant": "full"},
            {"embed_dim": 3, "num_heads": 1, "variant": "wqk"},
            {"embed_dim": 4, "num_heads": 1, "variant": "wqk_novo", "bias": False},
            {"embed_dim": 6, "num_heads": 2, "variant": "novo"},
            {"embed_dim": 4, "num_heads": 2, "variant": "symmetric"},
            {"embed_dim": 4, "num_heads": 2, "variant": "symmetric_tri", "init_scale": 0.7},
            {"embed_dim": 3, "num_heads": 1, "variant": "symmetric_free"},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        scale = "" if self.init_scale is None else f", init_scale={self.init_scale}"
        return f"{super().extra_repr()}, variant={self.variant!r}{scale}"


def _slow(part: MultiHeadSimilarityAttention, x: Tensor) -> Tensor:
    outputs = []
    for head in range(part.num_heads):
        matrix, row = part.similarity.form(head)
        scores = (x @ matrix + row) @ x.mT + part.similarity.unseen(x, head)
        raised = (scores * part.scale).exp()
        outputs.append(raised / raised.sum(-1, keepdim=True) @ x)
    if not isinstance(part.values, Projected):
        return sum(outputs, torch.zeros_like(x)) / part.num_heads
    value, out = part.values.value, part.values.out
    width = part.embed_dim // part.num_heads
    total = torch.zeros_like(x)
    for head, attended in enumerate(outputs):
        rows = slice(head * width, (head + 1) * width)
        moved = attended @ value.weight[rows].mT + (0 if value.bias is None else value.bias[rows])
        total = total + moved @ out.weight[:, rows].mT
    return total if out.bias is None else total + out.bias
