"""Full attention with narrower heads: the control of the same size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.parts.attention._interface import AttentionPart, interface
from replank.parts.attention._similarity import Pair
from replank.parts.attention._values import Projected
from replank.sources import Source


class NarrowAttention(AttentionPart):
    r"""Softmax attention whose queries, keys and values have fewer features than tokens have.

    Replaces :class:`torch.nn.MultiheadAttention`. All four matrices are there, of rank r at most: ``r (4 N + 3) + N``
    parameters with biases, ``4 N r`` without.

    Shape: ``(B, T, embed_dim) -> (B, T, embed_dim)``, or without ``B``.

    Args:
        embed_dim: N.
        num_heads: H.
        inner_dim: r, of all heads together; a multiple of H.
        bias: whether projections have biases.
        dropout: probability that a weight is dropped in training.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: N or r is no multiple of H; in ``forward``, what the group refuses.

    Source: our own, as a control: what do the same parameters do if no matrix is left out?
    """

    source = Source(None, where="a control of the same size", provenance="ours")

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        inner_dim: int,
        bias: bool = True,
        dropout: float = 0.0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(embed_dim, num_heads, bias, dropout)
        if inner_dim < 1 or inner_dim % num_heads:
            raise ValueError(
                f"NarrowAttention: `inner_dim` must be a positive multiple of num_heads={num_heads}, got "
                f"inner_dim={inner_dim}."
            )
        self.inner_dim = inner_dim
        sizes = (embed_dim, num_heads, inner_dim // num_heads)
        self.similarity = Pair(*sizes, bias=bias, device=device, dtype=dtype)
        self.values = Projected(*sizes, bias=bias, device=device, dtype=dtype)
        self.reset_parameters()

    @classmethod
    def within(cls, budget: int, old: nn.Module) -> Self:
        """The widest with the interface of a module and no more than so many parameters.

        Raises:
            ValueError: even the narrowest has more.
        """
        found = interface(old, cls.__name__)
        width, step = found["embed_dim"], found["num_heads"]
        each, rest = (4 * width + 3, width) if found["bias"] else (4 * width, 0)
        inner = min((budget - rest) // each // step * step, width)
        if inner < step:
            raise ValueError(
                f"NarrowAttention.within: the narrowest for {width} features and {step} heads has "
                f"{step * each + rest} parameters, got budget={budget}."
            )
        return cls(**found, inner_dim=inner)

    @property
    def scale(self) -> float:
        """``1 / sqrt(r / H)``."""
        return 1 / math.sqrt(self.inner_dim // self.num_heads)

    def reset_parameters(self) -> None:
        """Xavier-uniform projections, zero biases."""
        self.similarity.reset_parameters()
        self.values.reset_parameters()

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three projections."""
        return *self.similarity(x), self.values(x)

    def merge(self, attended: Tensor) -> Tensor:
        """Side by side, then mixed."""
        return self.values.merge(attended)

    def reference(self, input: Tensor) -> Tensor:
        """Head by head, softmax in words."""
        width = self.inner_dim // self.num_heads
        query, key, value = (
            layer(input).split(width, -1) for layer in (self.similarity.query, self.similarity.key, self.values.value)
        )
        outputs = []
        for q, k, v in zip(query, key, value, strict=True):
            raised = (torch.einsum("...if,...jf->...ij", q, k) * self.scale).exp()
            outputs.append(torch.einsum("...ij,...jf->...if", raised / raised.sum(-1, keepdim=True), v))
        return self.values.out(torch.cat(outputs, -1))

    def parameter_formula(self) -> int:
        """``r (4 N + 3) + N`` with biases, ``4 N r`` without."""
        n, r = self.embed_dim, self.inner_dim
        return r * (4 * n + 3) + n if self.bias else 4 * n * r

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """One head and two."""
        return (
            {"embed_dim": 4, "num_heads": 2, "inner_dim": 2},
            {"embed_dim": 3, "num_heads": 1, "inner_dim": 2, "bias": False},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, inner_dim={self.inner_dim}"
