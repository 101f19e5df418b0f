"""How many earlier inputs a linear read-out finds in the states of a reservoir."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class MemoryCapacity(NamedTuple):
    """What is left of earlier inputs.

    Args:
        total: the sum over delays; at most the number of features for independent inputs, up to chance.
        by_delay: for each delay, from one step on, the squared correlation of what is read and what it was.
    """

    total: float
    by_delay: tuple[float, ...]


@torch.no_grad()
def memory_capacity(
    states: Tensor, inputs: Tensor, max_delay: int = 20, *, washout: int | None = None
) -> MemoryCapacity:
    r"""``MC = sum_k r^2(u_{t-k}, read-out of s_t)`` for delays ``k = 1..max_delay``.

    A read-out for each delay is least squares on the first half of the steps behind the washout; correlations are of
    the second half, where a feature that knows nothing leaves about ``1 / n``.

    Args:
        states: ``(T, n_features)`` in the order of time; the state at t has seen the input at t.
        inputs: ``(T,)``, drawn independently: else one input tells of another.
        max_delay: the longest delay.
        washout: steps at the beginning that are left out, at least the longest delay; that many unless given.

    Raises:
        ValueError: shapes that do not fit, NaN or infinity, a delay out of range, a washout below it, or fewer than
            four steps behind.

    Source: Jaeger, *Short term memory in echo state networks*, GMD report 152 (2001).
    """
    if states.ndim != 2 or not states.shape[1] or inputs.shape != states.shape[:1]:
        raise ValueError(
            "memory_capacity: states must be (T, n_features >= 1) and inputs (T,), got shapes "
            f"{tuple(states.shape)} and {tuple(inputs.shape)}."
        )
    if not (states.isfinite().all() and inputs.isfinite().all()):
        raise ValueError("memory_capacity: states and inputs must be finite, got NaN or infinity.")
    n_steps, start = len(inputs), max_delay if washout is None else washout
    if not 1 <= max_delay < n_steps:
        raise ValueError(
            f"memory_capacity: `max_delay` must be in 1..{n_steps - 1} for {n_steps} steps, got max_delay={max_delay}."
        )
    if not max_delay <= start <= n_steps - 4:
        raise ValueError(
            f"memory_capacity: the washout must be at least max_delay={max_delay} and leave four of {n_steps} steps, "
            f"got washout={start}. Take a longer sequence."
        )
    u, s = inputs.double(), states.double()[start:]
    earlier = torch.stack([u[start - delay : n_steps - delay] for delay in range(1, max_delay + 1)], 1)
    half = len(s) // 2
    known = s - s[:half].mean(0)  # correlations do not know of a bias
    weight = torch.linalg.lstsq(known[:half], earlier[:half] - earlier[:half].mean(0), driver="gelsd").solution
    by_delay = _squared_correlations(known[half:] @ weight, earlier[half:])
    return MemoryCapacity(float(by_delay.sum()), tuple(by_delay.tolist()))


def _squared_correlations(first: Tensor, second: Tensor) -> Tensor:
    """Of each column; 0 where one of both does not vary."""
    a, b = first - first.mean(0), second - second.mean(0)
    spread = a.square().sum(0) * b.square().sum(0)
    return torch.where(spread > 0, (a * b).sum(0).square() / spread.where(spread > 0, torch.ones_like(spread)), 0.0)
