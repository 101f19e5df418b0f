"""Which words of k neighbouring tokens a sequence holds, and no more of their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.sequence_encoder._interface import SequenceEncoderPart
from replank.parts.sequence_encoder._readout import against_first, draw_like_linear
from replank.sources import Source


class KmerComposition(SequenceEncoderPart):
    r"""Linear in the frequencies of k-mers: ``0`` for the first output, ``w_j f + b_j`` for the others.

    Replaces :class:`torch.nn.EmbeddingBag`; with ``k=1`` it is that layer with ``mode="mean"`` and a bias, hence a
    logistic regression on the composition. A k-mer that holds a token which does not count is left out. There are
    ``(embedding_dim - 1) * (n^k + 1)`` parameters for ``n`` tokens without the padding.

    Shape: ``(B, L) -> (B, embedding_dim)``, in the parameters' dtype.

    Args:
        num_embeddings: number of tokens.
        embedding_dim: number of outputs, at least two.
        padding_idx: the token that does not count.
        k: length of the words.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than two outputs, ``k`` less than 1, more than a million words; in ``forward``, what the
            group refuses.

    Source: our own, as a control without order.
    """

    source = Source(None, where="a control without order", provenance="ours")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 2,
        *,
        padding_idx: int | None = None,
        k: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(num_embeddings, embedding_dim, padding_idx)
        self.n_tokens = num_embeddings - (padding_idx is not None)
        if embedding_dim < 2:
            raise ValueError(f"KmerComposition: the first output is 0, got embedding_dim={embedding_dim}. Ask for 2.")
        if k < 1 or not 1 <= self.n_tokens**k <= 10**6:
            raise ValueError(
                f"KmerComposition: there must be 1 to a million words, got {self.n_tokens} tokens and k={k}. "
                "Use a smaller k or a reduced alphabet."
            )
        self.k = k
        self.weight = nn.Parameter(torch.empty(self.n_tokens**k, embedding_dim - 1, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(embedding_dim - 1, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and bias as a linear layer does."""
        draw_like_linear(self.weight, self.bias, len(self.weight))

    def encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """The mean of the words' weights."""
        words, whole = self._words(input, mask)
        weights = functional.embedding(words, self.weight) * whole[..., None]
        n_words = whole.sum(-1, keepdim=True).clamp(min=1)
        return against_first(weights.sum(-2) / n_words + self.bias)

    def slow_encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """Frequencies, one word after the other."""
        return against_first(self.frequencies(input, mask) @ self.weight + self.bias)

    def frequencies(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """The share of each word among a sequence's words, ``(B, n^k)``."""
        words, whole = self._words(input, self.counted(input, mask))
        hits = torch.arange(len(self.weight), device=input.device)[:, None] == words[:, None]
        counts = (hits & whole[:, None]).sum(-1).to(self.weight.dtype)
        return counts / counts.sum(-1, keepdim=True).clamp(min=1)

    def _words(self, input: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The number of the word at each place, and whether it counts; shape ``(B, max(0, L - k + 1))``."""
        padding = self.num_embeddings if self.padding_idx is None else self.padding_idx
        if self.padding_idx is not None:
            mask = mask & (input != padding)
        tokens = (input - (input > padding).to(input.dtype)).clamp(max=self.n_tokens - 1)
        n = max(0, input.shape[-1] - self.k + 1)
        words, whole = torch.zeros_like(tokens[:, :n]), torch.ones_like(mask[:, :n])
        for place in range(self.k):
            words = self.n_tokens * words + tokens[:, place : place + n]
            whole = whole & mask[:, place : place + n]
        return words, whole

    def parameter_formula(self) -> int:
        """``(embedding_dim - 1) * (n^k + 1)``."""
        return (self.embedding_dim - 1) * (self.n_tokens**self.k + 1)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Single tokens and pairs, with and without padding."""
        return (
            {"num_embeddings": 5, "embedding_dim": 2, "padding_idx": 0},
            {"num_embeddings": 4, "embedding_dim": 3, "k": 2},
            {"num_embeddings": 4, "embedding_dim": 2, "padding_idx": 2, "k": 2},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, k={self.k}"
