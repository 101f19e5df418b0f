"""What every attention part must do besides: calls like the layer's, masks, weights, and the order of tokens.

:func:`replank.testing.check_part` runs these checks over parts of the group *attention*; one under the name of a common
check takes its place.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from replank.parts.attention import AttentionPart

if TYPE_CHECKING:
    from replank.testing.contracts import Case

_close = partial(torch.testing.assert_close, rtol=1e-11, atol=1e-11)


def check_it_is_called_as_the_layer_is(case: Case) -> None:
    """As query, key and value: a pair of the layer's shapes and dtypes, in each of the layer's ways to ask for weights.

    The output is that of the short call.
    """
    part, layer = _built(case), _layer(case)
    batch = case.input(part)
    ways: tuple[dict[str, Any], ...] = (
        {}, {"need_weights": False}, {"average_attn_weights": False}, {"key_padding_mask": _mask(batch)},
    )  # fmt: skip
    for x in (batch, batch[:0], batch[1]):
        for options in ways:
            if "key_padding_mask" in options and x is not batch:
                continue
            output, weights = part(x, x, x, **options)
            expected, expected_weights = layer(x, x, x, **options)
            assert (output.shape, output.dtype) == (expected.shape, expected.dtype)
            assert (weights is None) == (expected_weights is None)
            assert weights is None or weights.shape == expected_weights.shape
            _close(part(x, **{name: value for name, value in options.items() if name == "key_padding_mask"}), output)


def check_weights(case: Case) -> None:
    """Asked for, there are ``(B, H, T, T)`` of them, not negative, rows sum to 1, and the output is the same."""
    part = _built(case)
    batch = case.input(part)
    output, weights = part(batch, need_weights=True)
    n, length = batch.shape[:2]
    assert weights.shape == (n, part.num_heads, length, length)
    assert (weights >= 0).all()
    _close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    _close(weights, part.scores(batch).softmax(-1))
    _close(output, part(batch))
    _close(part(batch, batch, batch)[1], weights.mean(1))


def check_hidden_keys_have_no_weight(case: Case) -> None:
    """Weights of hidden keys are 0 exactly; what stands there does not matter; tokens left out give the same.

    A mask of 0 and minus infinity, which torch's encoder layers hand on, is that mask, and one that hides nothing is no
    mask.
    """
    part = _built(case)
    batch = case.input(part)
    mask = _mask(batch)
    output, weights = part(batch, key_padding_mask=mask, need_weights=True)
    hidden = mask[:, None, None].expand_as(weights)
    assert not weights[hidden].any()
    _close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    other = torch.where(mask[..., None], -2 * batch + 1, batch)
    _close(part(other, key_padding_mask=mask)[~mask], output[~mask])
    for row, row_output, row_mask in zip(batch, output, mask, strict=True):
        _close(part(row[~row_mask]), row_output[~row_mask])
        _close(part(row, key_padding_mask=row_mask), row_output)
    _close(part(batch, key_padding_mask=torch.zeros_like(batch[..., 0]).masked_fill(mask, -math.inf)), output)
    _close(part(batch, key_padding_mask=torch.zeros_like(mask)), part(batch))
    assert (output - part(batch)).abs().max() > 1e-9, "a hidden key moves nothing"


def check_single_precision_takes_masks(case: Case) -> None:
    """The kernel of single precision gives what double precision gives, hidden keys and weights included."""
    part = _built(case)
    batch = case.input(part)
    mask = _mask(batch)
    single = case.kind(**case.example, dtype=torch.float32)
    single.load_state_dict(part.state_dict())
    expected = part(batch, key_padding_mask=mask)
    for need_weights in (False, True):
        found = single(batch.float(), key_padding_mask=mask, need_weights=need_weights)
        output = found[0] if need_weights else found
        torch.testing.assert_close(output.double(), expected, rtol=1e-4, atol=1e-4)


def check_permuted_tokens_give_permuted_outputs(case: Case) -> None:
    """``part(P x) = P part(x)``: only what tokens are counts, not where they stand."""
    part = _built(case)
    batch = case.input(part)
    for order in (torch.arange(batch.shape[1]).flip(0), torch.arange(batch.shape[1]).roll(1)):
        _close(part(batch[:, order]), part(batch)[:, order])


def check_tokens_see_each_other(case: Case) -> None:
    """Each token's output depends on every other token."""
    part = _built(case)
    batch = case.input(part)
    whole = part(batch)
    for token in range(batch.shape[1]):
        changed = batch.clone()
        changed[:, token] *= -2
        moved = (part(changed) - whole).abs().amax((0, 2))
        assert (moved > 1e-9).all(), f"token {token} is not seen by {(moved <= 1e-9).nonzero().flatten().tolist()}"


def check_dropout_is_for_training(case: Case) -> None:
    """Dropout changes outputs in training and nothing in evaluation; one of 1 or more is refused."""
    part, dropping = _built(case), case.build(dropout=0.5)
    batch = case.input(part)
    _close(case.output(dropping.eval(), batch), part(batch))
    assert (case.output(dropping.train(), batch) - part(batch)).abs().max() > 1e-9
    for probability in (1.0, -0.1):
        assert isinstance(_error(partial(case.build, dropout=probability)), ValueError)


def check_refuses_what_is_no_self_attention(case: Case) -> None:
    """Other keys or values, masks on pairs, causal attention: ``ValueError``."""
    part = _built(case)
    batch = case.input(part)
    pairs = torch.zeros(batch.shape[1], batch.shape[1], dtype=torch.bool)
    calls: dict[str, Any] = {
        "another key": lambda: part(batch, batch.clone(), batch),
        "another value": lambda: part(batch, batch, batch.clone()),
        "no value": lambda: part(batch, batch),
        "a mask on pairs": lambda: part(batch, attn_mask=pairs),
        "a causal mask": lambda: part(batch, is_causal=True),
    }
    for name, call in calls.items():
        error = _error(call)
        assert isinstance(error, ValueError), f"{name} must raise ValueError, got {error!r}"


def check_refuses_other_masks(case: Case) -> None:
    """Another shape, or all keys of a sequence hidden: ``ValueError``; numbers: ``TypeError``; each names the mask."""
    part = _built(case)
    batch = case.input(part)
    mask = _mask(batch)
    everything = mask.clone()
    everything[1] = True
    wrong = {
        "a token less": (mask[:, 1:], ValueError),
        "no batch": (mask[0], ValueError),
        "everything hidden": (everything, ValueError),
        "integers": (mask.long(), TypeError),
        "numbers to be added": (mask.double(), TypeError),
    }
    for name, (each, kind) in wrong.items():
        error = _error(partial(part, batch, key_padding_mask=each))
        assert isinstance(error, kind), f"{name} must raise {kind.__name__}, got {error!r}"
        assert "key_padding_mask" in str(error)


def check_refuses_what_the_layer_refuses(case: Case) -> None:
    """A feature more, further dimensions: ``ValueError`` with the sizes; no token at all, too, where it gives NaN."""
    part, layer = _built(case), _layer(case)
    batch = case.input(part)
    wider = torch.cat((batch, batch[..., :1]), -1)
    for input in (wider, batch[None], batch[0, 0]):
        assert _error(partial(layer, input, input, input)) is not None
        error = _error(partial(part, input))
        assert isinstance(error, ValueError), f"{tuple(input.shape)} must raise ValueError, got {error!r}"
        assert str(tuple(input.shape)) in str(error)
        assert str(part.embed_dim) in str(error)
    assert isinstance(_error(partial(part, batch[:, :0])), ValueError)


def check_refuses_sizes_that_do_not_fit(case: Case) -> None:
    """Features that heads can't share: ``ValueError``, as with the layer."""
    example = {**case.example, "num_heads": case.example["embed_dim"] + 1}
    assert isinstance(_error(partial(case.kind, **example)), ValueError)


def check_like_takes_plain_layers_only(case: Case) -> None:
    """Sizes, bias, dropout and dtype are the layer's; additional tokens, other keys, time first: ``ValueError``."""
    part, layer = _built(case), _layer(case)
    options = _options(case)
    made = case.kind.like(layer, **options)
    assert isinstance(made, AttentionPart)
    for name in ("embed_dim", "num_heads", "bias", "dropout"):
        assert getattr(made, name) == getattr(part, name)
    assert next(made.parameters()).dtype == torch.float64
    others: tuple[dict[str, Any], ...] = (
        {"batch_first": False},
        {"add_bias_kv": True},
        {"kdim": 7},
        {"add_zero_attn": True},
    )
    for each in others:
        error = _error(partial(case.kind.like, _layer(case, **each), **options))
        assert isinstance(error, ValueError), f"a layer with {each} must raise ValueError, got {error!r}"


def check_it_works_in_torchs_encoder_layer(case: Case) -> None:
    """As ``self_attn`` of a :class:`torch.nn.TransformerEncoderLayer`, in training and at rest, with masks."""
    part = _built(case)
    batch = case.input(part)
    host = nn.TransformerEncoderLayer(
        part.embed_dim, part.num_heads, 5, dropout=0.0, batch_first=True, norm_first=True, dtype=torch.float64
    )
    host.self_attn = part
    mask = _mask(batch)
    x = batch + part(host.norm1(batch), key_padding_mask=mask)
    expected = x + host.linear2(host.linear1(host.norm2(x)).relu())
    for training in (True, False):
        host.train(training)
        with torch.no_grad():
            _close(host(batch, src_key_padding_mask=mask), expected)


def check_every_parameter_moves_the_output(case: Case) -> None:
    """No dead parameter but the bias of keys, which adds the same to a whole row of scores."""
    part = _built(case)
    batch = case.input(part)
    output = part(batch)
    weights = torch.linspace(1, math.e, output.numel(), dtype=output.dtype).sin().reshape(output.shape)
    (output * weights).sum().backward()
    dead = [
        name
        for name, each in part.named_parameters()
        if each.requires_grad and not name.endswith("key.bias") and (each.grad is None or each.grad.abs().max() < 1e-12)
    ]
    assert not dead, f"no gradient reaches {dead}"


def _built(case: Case) -> AttentionPart:
    part = case.build()
    assert isinstance(part, AttentionPart)
    return part


def _layer(case: Case, **options: Any) -> nn.MultiheadAttention:
    part = _built(case)
    return nn.MultiheadAttention(
        part.embed_dim, part.num_heads, bias=part.bias, **({"batch_first": True, "dtype": torch.float64} | options)
    )


def _options(case: Case) -> dict[str, Any]:
    common = {"embed_dim", "num_heads", "bias", "dropout"}
    return {name: value for name, value in case.example.items() if name not in common}


def _mask(batch: Tensor) -> Tensor:
    """The first sequence whole, the others each without another token."""
    mask = torch.zeros(batch.shape[:2], dtype=torch.bool)
    for row in range(1, len(batch)):
        mask[row, -row % batch.shape[1]] = True
    return mask


def _error(function: Any) -> Exception | None:
    try:
        function()
    except Exception as error:
        return error
    return None
