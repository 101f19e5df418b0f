"""A small vision transformer as a host: slots for attention and for the network behind it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.attention import MultiHeadSimilarityAttention, Variant

Norm = Literal["post", "pre"]
Pool = Literal["class", "mean"]


class Feedforward(nn.Module):
    """A network of two layers at every token, with its residual link and norm; an ``nn.Identity`` removes all of it.

    Args:
        width: features of a token, N.
        hidden: features in between.
        norm: behind the sum, or ahead of the network.
        dropout: of what is added.
    """

    def __init__(self, width: int, hidden: int, norm: Norm = "post", dropout: float = 0.0):
        super().__init__()
        self.norm_first = norm == "pre"
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)
        _draw(self.mlp)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens ``(B, T, N)`` to the same."""
        if self.norm_first:
            return x + self.dropout(self.mlp(self.norm(x)))
        return self.norm(x + self.dropout(self.mlp(x)))


class Encoder(nn.Module):
    """Attention and a network, each with a residual link and a norm.

    Args:
        width: features of a token, N.
        heads: of the attention.
        variant: of the attention.
        mlp_ratio: hidden features of the network for each of the token; ``None``: there is no network, and no norm.
        norm: behind the sums, or ahead of what is added.
        bias: whether the attention has biases.
        dropout: of what is added.
    """

    def __init__(
        self,
        width: int,
        heads: int = 1,
        variant: Variant = "full",
        mlp_ratio: float | None = 4,
        norm: Norm = "post",
        bias: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.norm_first = norm == "pre"
        self.norm = nn.LayerNorm(width)
        self.attention: nn.Module = MultiHeadSimilarityAttention(width, heads, variant, bias)
        self.dropout = nn.Dropout(dropout)
        self.feedforward: nn.Module = (
            nn.Identity() if mlp_ratio is None else Feedforward(width, round(mlp_ratio * width), norm, dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Tokens ``(B, T, N)`` to the same."""
        if self.norm_first:
            return self.feedforward(x + self.dropout(self.attention(self.norm(x))))
        return self.feedforward(self.norm(x + self.dropout(self.attention(x))))


class PatchClassifier(nn.Module):
    """Patches, a linear map of each, a class token, learned positions, encoders, and a linear read-out.

    Slots: ``encoders.*.attention`` takes parts of the group *attention*, ``encoders.*.feedforward`` takes any map of
    tokens, or ``nn.Identity`` for none.

    Args:
        image_size: side of the square images.
        patch_size: side of a patch; must divide that.
        in_chans: channels of an image.
        width: features of a token.
        depth: number of encoders.
        heads: of each attention.
        variant: of each attention, see :class:`~replank.parts.attention.MultiHeadSimilarityAttention`.
        mlp_ratio: see :class:`Encoder`.
        norm: ``"post"`` or ``"pre"``; with the second there is one more behind the last encoder.
        pool: what is read out: the class token, or the mean of the patches' tokens, with no class token.
        num_classes: number of logits.
        bias: whether attention has biases.
        dropout: of what encoders add.

    Raises:
        ValueError: the patches do not tile the image, or a size is not positive.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        in_chans: int = 1,
        width: int = 64,
        depth: int = 6,
        heads: int = 1,
        variant: Variant = "full",
        mlp_ratio: float | None = 4,
        norm: Norm = "post",
        pool: Pool = "class",
        num_classes: int = 10,
        *,
        bias: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        sizes = {"image_size": image_size, "patch_size": patch_size, "in_chans": in_chans, "width": width,
                 "depth": depth, "num_classes": num_classes}  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"PatchClassifier: `{name}` must be a positive integer, got {name}={value}.")
        if image_size % patch_size:
            raise ValueError(
                f"PatchClassifier: patches must tile the image, got image_size={image_size}, patch_size={patch_size}. "
                "Take a divisor, or pad the images."
            )
        self.image_size, self.patch_size, self.in_chans, self.pool = image_size, patch_size, in_chans, pool
        n_tokens = (image_size // patch_size) ** 2 + (pool == "class")
        self.embedding = nn.Linear(in_chans * patch_size**2, width)
        self.class_token = nn.Parameter(0.02 * torch.randn(width)) if pool == "class" else None
        self.positions = nn.Parameter(0.02 * torch.randn(n_tokens, width))
        self.head = nn.Linear(width, num_classes)
        _draw(nn.ModuleList([self.embedding, self.head]))
        self.encoders = nn.Sequential(
            *(Encoder(width, heads, variant, mlp_ratio, norm, bias, dropout) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(width) if norm == "pre" else nn.Identity()

    def tokens(self, images: Tensor) -> Tensor:
        """What the first encoder is given, ``(B, T, N)``.

        Raises:
            ValueError: images of another shape.
        """
        expected = (self.in_chans, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != expected:
            raise ValueError(f"PatchClassifier: images must be (B, {expected}), got shape {tuple(images.shape)}.")
        patches = functional.unfold(images, self.patch_size, stride=self.patch_size).mT
        tokens = self.embedding(patches)
        if self.class_token is not None:
            tokens = torch.cat((self.class_token.expand(len(tokens), 1, -1), tokens), 1)
        return tokens + self.positions

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to logits ``(B, num_classes)``."""
        x = self.norm(self.encoders(self.tokens(images)))
        return self.head(x[:, 0] if self.class_token is not None else x.mean(1))


def _draw(module: nn.Module) -> None:
    """Xavier-uniform weights and zero biases of all linear layers."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
