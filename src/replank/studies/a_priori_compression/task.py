"""What the networks are trained for, and how fields are compared: in the norm that the mass matrix gives."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from replank.dynamics.wave_fe import WaveFE2D

_AT_ONCE = 4096
"""Fields for which the norm is computed at once."""


class WaveFields:
    """Mean squared error of fields in units of their standard deviation, and their relative error in L2.

    Args:
        n: elements along a side.
    """

    headline: ClassVar[str] = "l2_error"

    def __init__(self, n: int):
        self.n = n

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(output, target)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Mean squared error (as ``loss``), and the relative error, mean over fields."""
        return {
            "loss": float(F.mse_loss(output, target)),
            "l2_error": float(relative_errors(output, target, self.n).mean()),
        }

    def check(self, output: Tensor, target: Tensor, name: str) -> None:
        """Fields must have the shape of the output."""
        if output.shape[1:] != target.shape[1:]:
            raise ValueError(f"WaveFields: {name} must be {tuple(output.shape[1:])}, got {tuple(target.shape[1:])}.")


def relative_errors(output: Tensor, target: Tensor, n: int) -> Tensor:
    """``sqrt(e^T M e / u^T M u)`` of each field: fields ``(B, ..., n + 1, n + 1) -> (B, fields)``, double."""
    of_errors, of_fields = _squares(output.double() - target.double(), n), _squares(target.double(), n)
    return (of_errors / of_fields).sqrt().reshape(len(output), -1)


def _squares(fields: Tensor, n: int) -> Tensor:
    mass = _mass(n).to(fields.device)
    flat = fields.reshape(-1, (n + 1) ** 2)
    return torch.cat([(each * (mass @ each.mT).mT).sum(1) for each in torch.split(flat, _AT_ONCE)])


@lru_cache(maxsize=4)
def _mass(n: int) -> Tensor:
    """The consistent mass matrix, sparse."""
    mass = WaveFE2D(n, 1.0).mass.tocoo()
    indices = torch.stack([torch.from_numpy(each).long() for each in (mass.row, mass.col)])
    return torch.sparse_coo_tensor(indices, torch.from_numpy(mass.data), mass.shape, check_invariants=True).coalesce()
