"""Matrices of trained attention multiplied into one: what is left out was never needed."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from replank.parts.attention._values import Projected
from replank.parts.attention.similarity import MultiHeadSimilarityAttention


@torch.no_grad()
def collapse_query_key(attention: nn.Module) -> MultiHeadSimilarityAttention:
    """The variant wqk that gives what full attention with one head gives: ``W = W_Q W_K^T``, ``b = b_Q W_K^T``.

    The bias of the keys adds the same to a whole row of scores, which the softmax does not see.

    Args:
        attention: of the variant ``"full"``; left as it is.

    Raises:
        TypeError: it is none.
        ValueError: it has several heads: each would need a matrix of its own.
    """
    if not isinstance(attention, MultiHeadSimilarityAttention) or attention.variant != "full":
        raise TypeError(
            "collapse_query_key: needs a MultiHeadSimilarityAttention of variant 'full', got "
            f"{getattr(attention, 'variant', type(attention).__name__)}."
        )
    _check_one_head("collapse_query_key", attention)
    collapsed = MultiHeadSimilarityAttention.like(attention, variant="wqk")
    _set_form(collapsed, *attention.similarity.form(0))
    collapsed.values.load_state_dict(attention.values.state_dict())
    return collapsed.train(attention.training)


@torch.no_grad()
def collapse_value_output(stack: Iterable[nn.Module]) -> nn.Sequential:
    """Layers of attention with nothing in between, as layers without values and one linear map behind them.

    With ``M_s = W_V W_O`` and ``P_s = M_1 ... M_{s-1}`` the layers are ``y -> softmax(y P_s W_s P_s^T y^T) y``, and
    ``y P_{S+1}`` is the output; biases go along. So a stack of S needs ``(S + 1) N^2`` numbers. That holds for this
    idealised recursion alone: a residual link or a norm in between keeps the matrices apart.

    Args:
        stack: :class:`MultiHeadSimilarityAttention` with one head each, say in an ``nn.Sequential``; left as it is.

    Raises:
        ValueError: there is anything else, such as a residual link, a norm or dropout; several heads; no layer.
    """
    layers = [_bare(layer) for layer in stack]
    if not layers:
        raise ValueError("collapse_value_output: `stack` must hold at least one layer, got none.")
    some = next(layers[0].parameters())
    product = torch.eye(layers[0].embed_dim, device=some.device, dtype=some.dtype)
    shift = product.new_zeros(len(product))
    collapsed: list[nn.Module] = []
    for layer in layers:
        matrix, row = layer.similarity.form(0)
        bare = MultiHeadSimilarityAttention.like(layer, variant="wqk_novo", bias=True)
        _set_form(bare, product @ matrix @ product.mT, (shift @ matrix + row) @ product.mT)
        collapsed.append(bare)
        factor, offset = _value_map(layer)
        product, shift = product @ factor, shift @ factor + offset
    last = nn.Linear(len(product), len(product), device=some.device, dtype=some.dtype)
    last.weight.copy_(product.mT)
    last.bias.copy_(shift)
    return nn.Sequential(*collapsed, last)


def _bare(layer: nn.Module) -> MultiHeadSimilarityAttention:
    if not isinstance(layer, MultiHeadSimilarityAttention):
        raise ValueError(
            "collapse_value_output: the stack must be attention alone, without residual links, norms or anything else "
            f"in between, got {type(layer).__name__}. With them the matrices do not multiply into one."
        )
    if layer.dropout:
        raise ValueError(f"collapse_value_output: needs layers without dropout, got dropout={layer.dropout}.")
    _check_one_head("collapse_value_output", layer)
    return layer


def _check_one_head(asker: str, layer: MultiHeadSimilarityAttention) -> None:
    if layer.num_heads > 1:
        raise ValueError(
            f"{asker}: needs one head, got num_heads={layer.num_heads}: each has a product of its own, N x N."
        )


def _set_form(attention: MultiHeadSimilarityAttention, matrix: Tensor, row: Tensor) -> None:
    query = attention.similarity.query
    assert isinstance(query, nn.Linear)
    query.weight.copy_(matrix.mT)
    if query.bias is not None:
        query.bias.copy_(row)


def _value_map(layer: MultiHeadSimilarityAttention) -> tuple[Tensor, Tensor]:
    """``W_V W_O``, and what the biases of both come to: rows of the weights sum to 1."""
    values = layer.values
    if not isinstance(values, Projected):
        unit = torch.eye(layer.embed_dim).to(next(layer.parameters()))
        return unit, torch.zeros_like(unit[0])
    factor = values.value.weight.mT @ values.out.weight.mT
    if not layer.bias:
        return factor, factor.new_zeros(len(factor))
    return factor, values.value.bias @ values.out.weight.mT + values.out.bias
