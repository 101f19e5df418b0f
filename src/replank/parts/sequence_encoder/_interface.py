"""The contract of the group *sequence_encoder*: what is replaced, what goes in and out, and which tokens count."""

from __future__ import annotations

import abc
from typing import Any, Self

import torch
from torch import Tensor, nn

from replank.parts._inspect import inspect
from replank.parts.part import Part

__all__ = ["SequenceEncoderPart"]


class SequenceEncoderPart(Part):
    """A part that can stand where a :class:`torch.nn.EmbeddingBag` stands and is given sequences of one length.

    Its constructor begins like that layer's, ``(num_embeddings, embedding_dim, *, padding_idx=None, ...)``, and ends
    with ``device=None, dtype=None``.

    Called as ``part(input, mask)``. Shape: token numbers ``(B, L)``, int64 or int32, to ``(B, embedding_dim)`` in the
    parameters' dtype: logits, where it is a classifier. A mask ``(B, L)``, bool, says which tokens count; all but
    ``padding_idx`` if not given. So what stands behind a sequence's end does not matter.
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None

    @classmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the sizes, padding, device and dtype of an embedding bag or of another part of the group.

        Raises:
            TypeError: ``old`` is neither.
            ValueError: it rescales its embeddings, or counts offsets.
        """
        return cls(**interface(old, cls.__name__), **options)

    @abc.abstractmethod
    def encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """The output, for checked input."""

    @abc.abstractmethod
    def slow_encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """The same by another, slower and more obvious way."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map each sequence to a vector."""
        counted = self.counted(input, mask)
        with torch.autocast(input.device.type, enabled=False):  # there is no input in half precision to begin with
            return self.encode(input, counted)

    def reference(self, input: Tensor) -> Tensor:
        """The output, by :meth:`slow_encode`."""
        return self.slow_encode(input, self.counted(input))

    def counted(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mask ``(B, L)`` of the tokens that count, after a check of the input.

        Raises:
            TypeError: the input holds no integers, or the mask no bools.
            ValueError: another number of dimensions, a mask of another shape, or a sequence in which nothing counts.
            IndexError: a token is none of 0 to ``num_embeddings - 1``.
        """
        name = type(self).__name__
        if input.dtype not in (torch.int64, torch.int32):
            raise TypeError(
                f"{name}: tokens must be int64 or int32, got dtype={input.dtype}. Convert them with .long()."
            )
        if input.ndim != 2 or not input.shape[1]:
            raise ValueError(
                f"{name}: tokens must have shape (B, L) with at least one in a sequence, got shape "
                f"{tuple(input.shape)}. A single sequence is a batch of one."
            )
        inspect(input, self._check_tokens)
        if mask is None:
            mask = torch.ones_like(input, dtype=torch.bool) if self.padding_idx is None else input != self.padding_idx
        if mask.dtype != torch.bool:
            raise TypeError(f"{name}: `mask` must be bool, got dtype={mask.dtype}. Compare with 0.")
        if mask.shape != input.shape:
            raise ValueError(
                f"{name}: `mask` must have the tokens' shape {tuple(input.shape)}, got {tuple(mask.shape)}."
            )
        inspect(mask, self._check_mask)
        return mask

    def _check_tokens(self, input: Tensor) -> None:
        wrong = input[(input < 0) | (input >= self.num_embeddings)]
        if len(wrong):
            raise IndexError(
                f"{type(self).__name__}: tokens must lie in 0..{self.num_embeddings - 1}, got {int(wrong[0])}. "
                "Tokenise with the vocabulary that the part was built for."
            )

    def _check_mask(self, mask: Tensor) -> None:
        empty = (~mask.any(-1)).nonzero()
        if len(empty):
            raise ValueError(
                f"{type(self).__name__}: a sequence must not be empty, got nothing but padding in sequence "
                f"{int(empty[0, -1])}. Leave it out."
            )

    def _set_interface(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None) -> None:
        """Store and check what the part has in common with the layer it replaces."""
        name = type(self).__name__
        for size, value in (("num_embeddings", num_embeddings), ("embedding_dim", embedding_dim)):
            if value < 1:
                raise ValueError(f"{name}: `{size}` must be a positive integer, got {size}={value}.")
        if padding_idx is not None and not 0 <= padding_idx < num_embeddings:
            raise ValueError(
                f"{name}: `padding_idx` must be in 0..{num_embeddings - 1}, got padding_idx={padding_idx}."
            )
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx

    def extra_repr(self) -> str:
        """The constructor's common arguments."""
        return f"{self.num_embeddings}, {self.embedding_dim}, padding_idx={self.padding_idx}"


def interface(old: nn.Module, asker: str) -> dict[str, Any]:
    """The constructor arguments that an embedding bag has in common with its replacement."""
    if not isinstance(old, nn.EmbeddingBag | SequenceEncoderPart):
        raise TypeError(f"{asker}.like: needs an nn.EmbeddingBag or a SequenceEncoderPart, got {type(old).__name__}.")
    if isinstance(old, nn.EmbeddingBag):
        for option in ("max_norm", "scale_grad_by_freq", "sparse", "include_last_offset"):
            if getattr(old, option):
                raise ValueError(f"{asker}.like: needs a layer without {option}, got {option}={getattr(old, option)}.")
    some = next(old.parameters())
    return {
        "num_embeddings": old.num_embeddings,
        "embedding_dim": old.embedding_dim,
        "padding_idx": old.padding_idx,
        "device": some.device,
        "dtype": some.dtype.to_real(),
    }
