"""What every part that is given token numbers must do besides, or instead where numbers have no derivative.

:func:`replank.testing.check_part` runs these checks over parts of the group *sequence_encoder*; one under the name of a
common check takes its place.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from replank.parts.sequence_encoder import SequenceEncoderPart

if TYPE_CHECKING:
    from replank.testing.contracts import Case

_close = partial(torch.testing.assert_close, rtol=1e-11, atol=1e-11)


def check_takes_what_an_embedding_bag_takes(case: Case) -> None:
    """Batches of sequences, of none of them, and 32-bit numbers, to outputs of the layer's shape and dtype."""
    part, layer = _built(case), _bag(case)
    batch = case.input(part)
    for input in (batch, batch[:0], batch[:1], batch.int()):
        output, expected = part(input), layer(input)
        assert (output.shape, output.dtype) == (expected.shape, expected.dtype)


def check_refuses_what_the_layer_refuses(case: Case) -> None:
    """One sequence without a batch, and batches of batches: ``ValueError``; tokens that are not there: ``IndexError``.

    The layer answers the last with a ``RuntimeError`` that does not say which.
    """
    part, layer = _built(case), _bag(case)
    batch = case.input(part)
    for input in (batch[0], batch[None]):
        assert isinstance(_error(layer, input), ValueError)
        error = _error(part, input)
        assert isinstance(error, ValueError), f"{tuple(input.shape)} must raise ValueError, got {error!r}"
        assert str(tuple(input.shape)) in str(error)
    for token in (part.num_embeddings, -1):
        wrong = batch.clone()
        wrong[0, -1] = token
        assert _error(layer, wrong) is not None
        error = _error(part, wrong)
        assert isinstance(error, IndexError), f"token {token} must raise IndexError, got {error!r}"
        assert str(token) in str(error), f"{token} is not in: {error}"


def check_refuses_other_dtypes(case: Case) -> None:
    """Floating-point, complex and bool input: ``TypeError`` naming the dtype."""
    part = _built(case)
    batch = case.input(part)
    for dtype in (torch.float32, torch.complex64, torch.bool):
        error = _error(part, batch.to(dtype))
        assert isinstance(error, TypeError), f"{dtype} must raise TypeError, got {error!r}"
        assert str(dtype) in str(error)


def check_refuses_empty_sequences(case: Case) -> None:
    """Sequences of length 0, or without a token that counts: ``ValueError``."""
    part = _built(case)
    batch = case.input(part)
    nothing = torch.ones_like(batch, dtype=torch.bool)
    nothing[1] = False
    for arguments in ((batch[:, :0],), (batch, nothing)):
        error = _error(part, *arguments)
        assert isinstance(error, ValueError), f"an empty sequence must raise ValueError, got {error!r}"


def check_refuses_other_masks(case: Case) -> None:
    """Another shape: ``ValueError``; numbers in the place of bools: ``TypeError``; both name ``mask``."""
    part = _built(case)
    batch = case.input(part)
    whole = torch.ones_like(batch, dtype=torch.bool)
    for mask, kind in ((whole[:, 1:], ValueError), (whole[0], ValueError), (whole.float(), TypeError)):
        error = _error(part, batch, mask)
        assert isinstance(error, kind), f"a mask {tuple(mask.shape)} must raise {kind.__name__}, got {error!r}"
        assert "mask" in str(error)


def check_padding_does_not_count(case: Case) -> None:
    """By default the mask is all but the padding: said outright it changes nothing, and less of it changes much."""
    part = _built(case)
    batch = case.input(part)
    counted = part.counted(batch)
    assert torch.equal(part(batch, counted), part(batch))
    if part.padding_idx is not None:
        assert torch.equal(counted, batch != part.padding_idx)
        hidden = batch.clone()
        hidden[~counted] = next(token for token in range(part.num_embeddings) if token != part.padding_idx)
        _close(part(hidden, counted), part(batch))
        less = counted.clone()
        less[:, 1] = False
        assert (part(batch, less) - part(batch)).abs().max() > 1e-9, "a token that counts does not matter"


def _built(case: Case) -> SequenceEncoderPart:
    part = case.build()
    assert isinstance(part, SequenceEncoderPart)
    return part


def _bag(case: Case) -> nn.EmbeddingBag:
    names = ("num_embeddings", "embedding_dim", "padding_idx")
    part = _built(case)
    return nn.EmbeddingBag(**{name: getattr(part, name) for name in names}, dtype=torch.float64)


def _error(function: Any, *arguments: Tensor) -> Exception | None:
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None
