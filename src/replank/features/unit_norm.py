"""Samples of Euclidean length one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.linalg import vector_norm


class UnitNorm(nn.Module):
    """Features over their Euclidean norm, sample by sample; nothing is fitted.

    Shape: ``(*, n_features) -> (*, n_features)``.

    Raises:
        ValueError: in ``forward``, a sample whose features are all 0.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features of norm 1."""
        norms = vector_norm(features, dim=-1, keepdim=True)
        if not norms.detach().all():
            zeros = int((norms == 0).sum())
            raise ValueError(
                f"UnitNorm: the features of a sample must not all be 0, got {zeros} such samples of {norms.numel()}. "
                "Leave them out."
            )
        return features / norms
