"""A convolution over the sequence whose largest answers are read out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.sequence_encoder._interface import SequenceEncoderPart
from replank.parts.sequence_encoder._readout import against_first, draw_like_linear
from replank.sources import Source


class ConvolutionEncoder(SequenceEncoderPart):
    r"""Embedded tokens through a 1-D convolution and ReLU; the largest value of each channel, read out linearly.

    Replaces :class:`torch.nn.EmbeddingBag`. Tokens that do not count are zeros to the filters, and no filter is centred
    on them. The first output is 0. With e features a token, c channels, filters of w tokens, V tokens and K outputs
    there are ``V e + c (e w + 1) + (K - 1) (c + 1)`` parameters.

    Shape: ``(B, L) -> (B, embedding_dim)``, in the parameters' dtype.

    Args:
        num_embeddings: number of tokens.
        embedding_dim: number of outputs, at least two.
        padding_idx: the token that does not count.
        token_size: features of a token.
        channels: number of filters.
        width: tokens that a filter sees, an odd number.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than two outputs, a size less than 1, an even width; in ``forward``, what the group refuses.

    Source: our own, as a classical control.
    """

    source = Source(None, where="a classical control", provenance="ours")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int = 2,
        *,
        padding_idx: int | None = None,
        token_size: int = 4,
        channels: int = 8,
        width: int = 5,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self._set_interface(num_embeddings, embedding_dim, padding_idx)
        if embedding_dim < 2 or min(token_size, channels, width) < 1 or width % 2 == 0:
            raise ValueError(
                "ConvolutionEncoder: there must be two outputs, sizes of at least 1 and an odd width, got "
                f"embedding_dim={embedding_dim}, token_size={token_size}, channels={channels}, width={width}."
            )
        self.token_size, self.channels, self.width = token_size, channels, width
        made = {"device": device, "dtype": dtype}
        self.tokens = nn.Parameter(torch.empty(num_embeddings, token_size, **made))
        self.filters = nn.Parameter(torch.empty(channels, token_size, width, **made))
        self.filter_bias = nn.Parameter(torch.empty(channels, **made))
        self.weight = nn.Parameter(torch.empty(channels, embedding_dim - 1, **made))
        self.bias = nn.Parameter(torch.empty(embedding_dim - 1, **made))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all as torch's layers do: tokens from N(0, 1), the others uniformly."""
        nn.init.normal_(self.tokens)
        draw_like_linear(self.filters, self.filter_bias, self.token_size * self.width)
        draw_like_linear(self.weight, self.bias, self.channels)

    def encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """By torch's kernel."""
        steps = functional.embedding(input, self.tokens) * mask[..., None]
        answers = functional.conv1d(steps.mT, self.filters, self.filter_bias, padding=self.width // 2).relu()
        return self._read((answers * mask[:, None]).amax(-1))  # answers are not negative: a 0 never wins wrongly

    def slow_encode(self, input: Tensor, mask: Tensor) -> Tensor:
        """Filter after filter, place after place."""
        reach = self.width // 2
        steps = functional.pad(self.tokens[input.long()] * mask[..., None], (0, 0, reach, reach))
        answers = torch.stack(
            [
                (steps[:, place : place + self.width].mT[:, None] * self.filters).sum((-2, -1)) + self.filter_bias
                for place in range(input.shape[1])
            ],
            -1,
        ).relu()
        return self._read(answers.masked_fill(~mask[:, None], 0).amax(-1))

    def _read(self, largest: Tensor) -> Tensor:
        return against_first(largest @ self.weight + self.bias)

    @staticmethod
    def size(num_embeddings: int, embedding_dim: int, token_size: int, channels: int, width: int) -> int:
        """The number of parameters with these sizes."""
        filters = channels * (token_size * width + 1)
        return num_embeddings * token_size + filters + (embedding_dim - 1) * (channels + 1)

    def parameter_formula(self) -> int:
        """``V e + c (e w + 1) + (K - 1) (c + 1)``."""
        return self.size(self.num_embeddings, self.embedding_dim, self.token_size, self.channels, self.width)

    @classmethod
    def within(
        cls, budget: int, num_embeddings: int, embedding_dim: int = 2, *, width: int = 5, **options: Any
    ) -> Self:
        """The one with the most channels and no more than so many parameters, with half a token's size of channels.

        Raises:
            ValueError: even the smallest has more.
        """
        sizes = [(max(1, channels // 2), channels) for channels in range(1, 33)]
        fit = [pair for pair in sizes if cls.size(num_embeddings, embedding_dim, *pair, width) <= budget]
        if not fit:
            smallest = cls.size(num_embeddings, embedding_dim, *sizes[0], width)
            raise ValueError(
                f"ConvolutionEncoder.within: the smallest for {num_embeddings} tokens has {smallest} parameters, got "
                f"budget={budget}."
            )
        token_size, channels = fit[-1]
        return cls(num_embeddings, embedding_dim, token_size=token_size, channels=channels, width=width, **options)

    @classmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """With and without padding, narrow and wide filters."""
        return (
            {"num_embeddings": 5, "padding_idx": 0, "token_size": 2, "channels": 3, "width": 3},
            {"num_embeddings": 4, "embedding_dim": 3, "token_size": 3, "channels": 2, "width": 1},
        )

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        sizes = f"token_size={self.token_size}, channels={self.channels}, width={self.width}"
        return f"{super().extra_repr()}, {sizes}"
