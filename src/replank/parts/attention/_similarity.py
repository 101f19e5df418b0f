"""How alike two tokens are: the bilinear forms that the softmax is taken of."""

from __future__ import annotations

import abc
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def heads(x: Tensor, num_heads: int) -> Tensor:
    """Features cut into heads, ``(B, T, N) -> (B, H, T, N / H)``."""
    return torch.unflatten(x, -1, (num_heads, x.shape[-1] // num_heads)).transpose(-2, -3)


class Similarity(nn.Module, abc.ABC):
    """Queries and keys of tokens, whose inner products are the similarities.

    Args:
        width: features of a token, N.
        num_heads: number of forms.
        head_width: features of a query.
    """

    def __init__(self, width: int, num_heads: int, head_width: int):
        super().__init__()
        self.width, self.num_heads, self.head_width = width, num_heads, head_width

    @abc.abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Queries and keys ``(B, H, T, *)``."""

    @abc.abstractmethod
    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """The matrix W, ``(N, N)``, and the row b, ``(N,)``, of ``(x_i W + b) x_j^T``.

        That is the similarity but for a term that does not depend on j, which the softmax does not see.
        """

    def unseen(self, x: Tensor, head: int) -> Tensor:
        """That term, ``(B, T, 1)``."""
        return x.new_zeros(())

    @abc.abstractmethod
    def reset_parameters(self) -> None:
        """Draw them anew."""


class Pair(Similarity):
    """``(x_i W_Q + b_Q) (x_j W_K + b_K)^T``."""

    def __init__(self, width: int, num_heads: int, head_width: int, bias: bool, **factory: Any):
        super().__init__(width, num_heads, head_width)
        self.query = nn.Linear(width, num_heads * head_width, bias, **factory)
        self.key = nn.Linear(width, num_heads * head_width, bias, **factory)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Two projections."""
        return heads(self.query(x), self.num_heads), heads(self.key(x), self.num_heads)

    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """``W = W_Q W_K^T``, ``b = b_Q W_K^T``."""
        of_query, bias = _slice(self.query, head, self.head_width)
        of_key, _ = _slice(self.key, head, self.head_width)
        return of_query.mT @ of_key, bias @ of_key

    def unseen(self, x: Tensor, head: int) -> Tensor:
        """``(x_i W_Q + b_Q) b_K^T``."""
        weight, bias = _slice(self.query, head, self.head_width)
        return (x @ weight.mT + bias) @ _slice(self.key, head, self.head_width)[1][:, None]

    def reset_parameters(self) -> None:
        """Xavier-uniform weights, zero biases."""
        draw_linear(self.query)
        draw_linear(self.key)


class Tied(Similarity):
    """``(x_i W + b) (x_j W + b)^T``: symmetric and positive semidefinite."""

    def __init__(self, width: int, num_heads: int, head_width: int, bias: bool, **factory: Any):
        super().__init__(width, num_heads, head_width)
        self.query = nn.Linear(width, num_heads * head_width, bias, **factory)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One projection, twice."""
        both = heads(self.query(x), self.num_heads)
        return both, both

    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """``W W^T`` and ``b W^T``."""
        weight, bias = _slice(self.query, head, self.head_width)
        return weight.mT @ weight, bias @ weight

    def unseen(self, x: Tensor, head: int) -> Tensor:
        """``(x_i W + b) b^T``."""
        weight, bias = _slice(self.query, head, self.head_width)
        return (x @ weight.mT + bias) @ bias[:, None]

    def reset_parameters(self) -> None:
        """Xavier-uniform weights, zero biases."""
        draw_linear(self.query)


class Matrix(Similarity):
    """``(x_i W + b) x_j^T`` with one free matrix, for one head."""

    def __init__(self, width: int, num_heads: int, head_width: int, bias: bool, **factory: Any):
        super().__init__(width, num_heads, head_width)
        self.query = nn.Linear(width, width, bias, **factory)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys are the tokens themselves."""
        return self.query(x)[..., None, :, :], x[..., None, :, :]

    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """As it is."""
        weight, bias = _slice(self.query, 0, self.width)
        return weight.mT, bias

    def reset_parameters(self) -> None:
        """Xavier-uniform weights, zero biases."""
        draw_linear(self.query)


class _Triangular(Similarity):
    """Forms given by a triangular matrix for each head, on that head's slice of the features."""

    def __init__(
        self, width: int, num_heads: int, head_width: int, bias: bool, init_scale: float | None, **factory: Any
    ):
        super().__init__(width, num_heads, head_width)
        self.init_scale = init_scale
        self.entries = nn.Parameter(torch.empty(num_heads, head_width * (head_width + 1) // 2, **factory))

    def triangles(self) -> Tensor:
        """The lower triangular matrices, ``(H, d, d)``."""
        rows, columns = torch.tril_indices(self.head_width, self.head_width, device=self.entries.device)
        where = torch.zeros(self.head_width, self.head_width, dtype=torch.int64, device=rows.device)
        where = where.index_put((rows, columns), torch.arange(len(rows), device=rows.device))
        return self.entries[:, where].tril()

    def _placed(self, block: Tensor, head: int) -> tuple[Tensor, Tensor]:
        before = head * self.head_width
        after = self.width - before - self.head_width
        return functional.pad(block, (before, after, before, after)), block.new_zeros(self.width)

    def reset_parameters(self) -> None:
        """Normal with variance ``1 / d`` unless said otherwise: with 1 the softmax would begin as good as one-hot."""
        scale = 1 / math.sqrt(self.head_width) if self.init_scale is None else self.init_scale
        nn.init.normal_(self.entries, std=scale)


class TriangularProduct(_Triangular):
    """``x_i T T^T x_j^T`` with T lower triangular: symmetric and positive semidefinite."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One projection, twice."""
        both = heads(x, self.num_heads) @ self.triangles()
        return both, both

    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """``T T^T``."""
        triangle = self.triangles()[head]
        return self._placed(triangle @ triangle.mT, head)


class SymmetricFree(_Triangular):
    """``x_i (U + U^T) x_j^T / 2`` with U triangular: symmetric, of any sign."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys are the tokens themselves."""
        own, triangles = heads(x, self.num_heads), self.triangles()
        return own @ ((triangles + triangles.mT) / 2), own

    def form(self, head: int) -> tuple[Tensor, Tensor]:
        """``(U + U^T) / 2``."""
        triangle = self.triangles()[head]
        return self._placed((triangle + triangle.mT) / 2, head)


def draw_linear(layer: nn.Linear) -> None:
    """Xavier-uniform weights, zero biases."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _slice(layer: nn.Linear, head: int, width: int) -> tuple[Tensor, Tensor]:
    """The rows of a layer that belong to a head, with zeros for a bias that is not there."""
    rows = slice(head * width, (head + 1) * width)
    bias = layer.weight.new_zeros(width) if layer.bias is None else layer.bias[rows]
    return layer.weight[rows], bias
