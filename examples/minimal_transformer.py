"""Attention with fewer matrices in a network of your own, by `swap` and `compare` alone: handwritten digits.

The host uses torch's own encoder layers. Run it with ``python examples/minimal_transformer.py``.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

from replank import Swap, compare, part
from replank.parts.attention import MultiHeadSimilarityAttention

N_TRAIN, WIDTH = 1200, 16


class Rows(nn.Module):
    """The rows of an image as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(8, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(8, WIDTH))
        layers = (
            nn.TransformerEncoderLayer(WIDTH, 1, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True)
            for _ in range(2)
        )
        self.encoders = nn.Sequential(*layers)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images ``(B, 8, 8)`` to logits."""
        return self.head(self.encoders(self.embedding(images) + self.positions).mean(1))


digits = load_digits()
x, y = torch.from_numpy(digits.images).float() / 8 - 1, torch.from_numpy(digits.target)
attention = "encoders.*.self_attn"
result = compare(
    Rows,
    {
        "full": None,
        **{
            variant: Swap(attention, part(MultiHeadSimilarityAttention, variant=variant))
            for variant in ("wqk", "symmetric", "wqk_novo")
        },
    },
    data=((x[:N_TRAIN], y[:N_TRAIN]), (x[N_TRAIN:], y[N_TRAIN:])),
    epochs=4,
    lr=3e-3,
    seeds=2,
)
print(result)
