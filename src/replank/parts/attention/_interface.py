"""The contract of the group *attention*: what is replaced, how it is called, and which keys are hidden."""

from __future__ import annotations

import abc
import math
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts._input import check_dtype
from replank.parts._inspect import inspect
from replank.parts.part import Part

__all__ = ["AttentionPart"]


class AttentionPart(Part):
    """A part that can stand where a :class:`torch.nn.MultiheadAttention` with ``batch_first=True`` attends to itself.

    Its constructor begins ``(embed_dim, num_heads, ...)`` and ends with ``device=None, dtype=None``. It is called in
    two ways. ``part(x, key_padding_mask=None, need_weights=False)``: ``(B, T, embed_dim)``, or without ``B``, to the
    same; with ``need_weights`` also the weights ``(B, num_heads, T, T)``. And as the layer is,
    ``part(x, x, x, ...) -> (output, weights or None)``, with the layer's defaults: weights are there and averaged over
    heads. Each row of the weights sums to 1. A key whose mask is True has weight 0 exactly.
    """

    batch_first: ClassVar[Literal[True]] = True
    in_proj_bias: ClassVar[None] = None
    """None, so that torch's encoder layer calls the part, and no kernel of its own that wants the layer's weights."""

    embed_dim: int
    num_heads: int
    bias: bool
    dropout: float

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the sizes, bias, dropout, device and dtype of an attention layer or of another part of the group.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: the layer is not batch first, or has other keys, values or additional tokens.
        """
        return cls(**(interface(old, cls.__name__) | options))

    @property
    @abc.abstractmethod
    def scale(self) -> float:
        """What inner products of queries and keys are multiplied by."""

    @abc.abstractmethod
    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each ``(B, num_heads, T, *)``, of tokens ``(B, T, embed_dim)``."""

    @abc.abstractmethod
    def merge(self, attended: Tensor) -> Tensor:
        """What the heads attended to, ``(B, num_heads, T, *)``, as one output ``(B, T, embed_dim)``."""

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        need_weights: bool | None = None,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        """Attend; see the class for the two ways to be called.

        Raises:
            TypeError: input that is not of the parameters' dtype; a mask that is neither bool nor 0 and minus infinity.
            ValueError: another shape, keys or values that are not the queries, a mask on pairs, all keys of a sequence
                hidden.
        """
        as_layer = key is not None or value is not None
        if as_layer and not (key is query and value is query):
            raise ValueError(
                f"{type(self).__name__}: this is self-attention, query, key and value must be one tensor, got others. "
                "Pass a mask by its name, and keep nn.MultiheadAttention where two sequences meet."
            )
        if attn_mask is not None or is_causal:
            raise ValueError(
                f"{type(self).__name__}: every token sees every other, got attn_mask or is_causal={is_causal}. Hide "
                "keys with key_padding_mask."
            )
        self._check_input(query)
        batched = query.ndim == 3
        x = query if batched else query[None]
        hidden = self._hidden(key_padding_mask, query)
        wanted = as_layer if need_weights is None else need_weights
        output, weights = self._attended(x, hidden, wanted)
        if weights is not None and as_layer and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            output, weights = output[0], None if weights is None else weights[0]
        return (output, weights) if as_layer or wanted else output

    def scores(self, x: Tensor) -> Tensor:
        """What the softmax over the last dimension is taken of, ``(B, num_heads, T, T)``."""
        queries, keys, _ = self.project(x)
        return queries @ keys.mT * self.scale

    def _attended(self, x: Tensor, hidden: Tensor | None, wanted: bool) -> tuple[Tensor, Tensor | None]:
        queries, keys, values = self.project(x)
        dropout = self.dropout if self.training else 0.0
        # the fused kernel has no second derivative, which double precision is there for
        if not wanted and queries.dtype != torch.float64:
            seen = None if hidden is None else ~hidden[:, None, None, :]
            attended = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=seen, dropout_p=dropout, scale=self.scale
            )
            return self.merge(attended), None
        scores = queries @ keys.mT * self.scale
        if hidden is not None:
            scores = scores.masked_fill(hidden[:, None, None, :], -math.inf)
        weights = functional.dropout(scores.softmax(-1), dropout)
        return self.merge(weights @ values), weights if wanted else None

    def _hidden(self, mask: Tensor | None, query: Tensor) -> Tensor | None:
        """The mask ``(B, T)`` of the keys that are not seen."""
        name = type(self).__name__
        if mask is None:
            return None
        if mask.shape != query.shape[:-1]:
            raise ValueError(
                f"{name}: `key_padding_mask` must have shape {tuple(query.shape[:-1])}, a value a token, got "
                f"{tuple(mask.shape)}."
            )
        if mask.is_floating_point():  # what torch's encoder layers make of a bool mask
            inspect(mask, self._check_float_mask)
            mask = mask == -math.inf
        if mask.dtype != torch.bool:
            raise TypeError(
                f"{name}: `key_padding_mask` must be bool, True where a key is hidden, got dtype={mask.dtype}."
            )
        inspect(mask, self._check_mask)
        return mask if query.ndim == 3 else mask[None]

    def _check_float_mask(self, mask: Tensor) -> None:
        if not ((mask == 0) | (mask == -math.inf)).all():
            raise TypeError(
                f"{type(self).__name__}: a `key_padding_mask` of numbers must hold 0 and -inf, got others. Pass a bool "
                "mask."
            )

    def _check_mask(self, mask: Tensor) -> None:
        empty = mask.all(-1).nonzero()
        if mask.shape[-1] and len(empty):
            raise ValueError(
                f"{type(self).__name__}: a sequence must have a key that is seen, got a `key_padding_mask` that hides "
                f"all of sequence {int(empty[0, -1]) if empty.shape[-1] else 0}. Leave it out."
            )

    def _check_input(self, x: Tensor) -> None:
        shape = tuple(x.shape)
        if x.ndim not in (2, 3) or shape[-1] != self.embed_dim or not shape[-2]:
            raise ValueError(
                f"{type(self).__name__}: input must be (B, T, N) or (T, N) with N = embed_dim={self.embed_dim} and at "
                f"least one token, got shape {shape}."
            )
        check_dtype(self, x)

    def _set_interface(self, embed_dim: int, num_heads: int, bias: bool, dropout: float) -> None:
        """Store and check what the part has in common with the layer it replaces."""
        name = type(self).__name__
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"{name}: `embed_dim` must be a positive multiple of `num_heads`, got embed_dim={embed_dim}, "
                f"num_heads={num_heads}."
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"{name}: `dropout` must be in [0, 1), got dropout={dropout}.")
        self.embed_dim, self.num_heads, self.bias, self.dropout = embed_dim, num_heads, bias, dropout

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return f"{self.embed_dim}, {self.num_heads}, bias={self.bias}, dropout={self.dropout}"


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that an attention layer or part has in common with its replacement."""
    if not isinstance(old, nn.MultiheadAttention | AttentionPart):
        raise TypeError(f"{asker}.like: needs an nn.MultiheadAttention or AttentionPart, got {type(old).__name__}.")
    if isinstance(old, nn.MultiheadAttention):
        _check_plain(old, asker)
    some = next(old.parameters())
    bias = old.in_proj_bias is not None if isinstance(old, nn.MultiheadAttention) else old.bias
    return {
        "embed_dim": old.embed_dim,
        "num_heads": old.num_heads,
        "bias": bias,
        "dropout": float(old.dropout),
        "device": some.device,
        "dtype": some.dtype,
    }


def _check_plain(old: nn.MultiheadAttention, asker: str) -> None:
    if not old.batch_first:
        raise ValueError(f"{asker}.like: needs a layer with batch_first=True, got batch_first=False. Build it so.")
    if (old.kdim, old.vdim) != (old.embed_dim, old.embed_dim):
        raise ValueError(
            f"{asker}.like: needs keys and values like queries, of size {old.embed_dim}, got kdim={old.kdim}, "
            f"vdim={old.vdim}."
        )
    if old.bias_k is not None or old.add_zero_attn:
        raise ValueError(
            f"{asker}.like: needs a layer without add_bias_kv and add_zero_attn, got one with additional tokens."
        )
