"""A gated recurrent unit whose last state is read out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.recurrent._classical import slow_unroll, unroll
from replank.parts.sequence_encoder._interface import SequenceEncoderPart
from replank.parts.sequence_encoder._readout import against_first, counted_first, draw_like_linear
from replank.sources import Source


class GRUEncoder(SequenceEncoderPart):
    r"""Embedded tokens through a GRU; the state behind the last token that counts, read out linearly.

    Replaces :class:`torch.nn.EmbeddingBag`. The first output is 0. With e features a token, h of the state, V tokens
    and K outputs there are ``V e + 3 h (e + h + 2) + (K - 1) (h + 1)`` parameters, of which the padding's are not used.

    Shape: ``(B, L) -> (B, embedding_dim)``, in the parameters' dtype.

    Args:
        num_embeddings: number of tokens.
        embedding_dim: number of outputs, at least two.
        padding_idx: the token that does not count.
        token_size: features of a token.
        hidden_size: features of the state.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than two outputs, a size less than 1; in ``forward``, what the group refuses.

    Source: our own, as a classical control.
    """

    source = Source(None, where="a classical control", provenance="ours")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 2,
        *,
        padding_idx: int | None = None,
        token_size: int = 8,
        hidden_size: int = 12,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(num_embeddings, embedding_dim, padding_idx)
        if embedding_dim < 2 or token_size < 1 or hidden_size < 1:
            raise ValueError(
                f"GRUEncoder: there must be two outputs and sizes of at least 1, got embedding_dim={embedding_dim}, "
                f"token_size={token_size}, hidden_size={hidden_size}."
            )
        self.token_size, self.hidden_size = token_size, hidden_size
        made = {"device": device, "dtype": dtype}
        self.tokens = nn.Parameter(torch.empty(num_embeddings, token_size, **made))
        self.of_input = nn.Parameter(torch.empty(3 * hidden_size, token_size, **made))
        self.of_state = nn.Parameter(torch.empty(3 * hidden_size, hidden_size, **made))
        self.input_bias = nn.Parameter(torch.empty(3 * hidden_size, **made))
        self.state_bias = nn.Parameter(torch.empty(3 * hidden_size, **made))
        self.weight = nn.Parameter(torch.empty(hidden_size, embedding_dim - 1, **made))
        self.bias = nn.Parameter(torch.empty(embedding_dim - 1, **made))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all as torch's layers do: tokens from N(0, 1), the others uniformly."""
        nn.init.normal_(self.tokens)
        for each in (self.of_input, self.of_state, self.input_bias, self.state_bias):
            nn.init.uniform_(each, -(self.hidden_size**-0.5), self.hidden_size**-0.5)
        draw_like_linear(self.weight, self.bias, self.hidden_size)

    def encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """By torch's kernel, on the tokens that count."""
        tokens, n_counted = counted_first(input, mask)
        steps = functional.embedding(tokens, self.tokens).transpose(0, 1)
        start = steps.new_zeros(len(input), self.hidden_size)
        outputs, _ = unroll("gru", steps, (start,), self._weights())
        is_last = torch.arange(len(outputs), device=input.device)[:, None] == n_counted - 1
        return self._read((outputs * is_last[..., None]).sum(0))

    def slow_encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """One sequence after the other, step by step."""
        rows = []
        for tokens, counts in zip(input, mask, strict=True):
            steps = self.tokens[tokens[counts].long()][:, None]
            _, (end,) = slow_unroll("gru", steps, (steps.new_zeros(1, self.hidden_size),), self._weights())
            rows.append(self._read(end[0]))
        return torch.stack(rows)

    def _weights(self) -> list[Tensor]:
        return [self.of_input, self.of_state, self.input_bias, self.state_bias]

    def _read(self, state: Tensor) -> Tensor:
        return against_first(state @ self.weight + self.bias)

    @staticmethod
    def size(num_embeddings: int, embedding_dim: int, token_size: int, hidden_size: int) -> int:
        """The number of parameters with these sizes."""
        recurrent = 3 * hidden_size * (token_size + hidden_size + 2)
        return num_embeddings * token_size + recurrent + (embedding_dim - 1) * (hidden_size + 1)

    def parameter_formula(self) -> int:
        """``V e + 3 h (e + h + 2) + (K - 1) (h + 1)``."""
        return self.size(self.num_embeddings, self.embedding_dim, self.token_size, self.hidden_size)

    @classmethod
    def within(cls, budget: int, num_embeddings: int, embedding_dim: int = 2, **options: Any) -> Self:
        """The one with the most parameters that has no more than so many, e and h being at most 8 and 32.

        Raises:
            ValueError: even the smallest has more.
        """
        sizes = ((e, h) for e in range(1, 9) for h in range(1, 33))
        known = {cls.size(num_embeddings, embedding_dim, *pair): pair for pair in sizes}
        best = max((size for size in known if size <= budget), default=None)
        if best is None:
            raise ValueError(
                f"GRUEncoder.within: the smallest for {num_embeddings} tokens has {min(known)} parameters, got "
                f"budget={budget}."
            )
        token_size, hidden_size = known[best]
        return cls(num_embeddings, embedding_dim, token_size=token_size, hidden_size=hidden_size, **options)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without padding."""
        return (
            {"num_embeddings": 5, "embedding_dim": 2, "padding_idx": 0, "token_size": 2, "hidden_size": 3},
            {"num_embeddings": 4, "embedding_dim": 3, "token_size": 3, "hidden_size": 2},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{super().extra_repr()}, token_size={self.token_size}, hidden_size={self.hidden_size}"
