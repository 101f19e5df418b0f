"""How near two pure states are."""

from __future__ import annotations

import torch
from torch import Tensor


def state_fidelity(one: Tensor, other: Tensor) -> Tensor:
    """``|<one|other>|^2`` of pure states of norm 1: ``(*, d)`` and ``(*, d)`` to ``(*,)``, real.

    Raises:
        ValueError: the states have different dimensions.
    """
    if one.shape[-1:] != other.shape[-1:] or one.ndim == 0:
        raise ValueError(
            f"state_fidelity: states must have one dimension d, got shapes {tuple(one.shape)} and {tuple(other.shape)}."
        )
    overlap = (one.conj() * other).sum(-1)
    return torch.view_as_real(overlap).square().sum(-1) if overlap.is_complex() else overlap.square()


def trace_distance(one: Tensor, other: Tensor) -> Tensor:
    """``sqrt(1 - |<one|other>|^2)`` of pure states: no measurement's probabilities differ by more than that.

    Shape and errors are those of :func:`state_fidelity`.
    """
    return (1 - state_fidelity(one, other)).clamp_min(0).sqrt()
