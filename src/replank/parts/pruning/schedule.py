"""How many weights are left after each cycle."""

from __future__ import annotations

from dataclasses import dataclass

from replank.parts.pruning._interface import removed_count


@dataclass(frozen=True)
class PruneSchedule:
    """The same share of what is left goes in every cycle; the first network, before any pruning, is cycle 0.

    Args:
        p: share removed in a cycle, in (0, 1). The number of removed weights is rounded down.
        cycles: how often.

    Raises:
        ValueError: a share out of range, or fewer than no cycles.
    """

    p: float
    cycles: int

    def __post_init__(self) -> None:
        if not 0 < self.p < 1 or self.cycles < 0:
            raise ValueError(
                f"PruneSchedule: p must lie in (0, 1) and cycles be at least 0, got p={self.p}, cycles={self.cycles}."
            )

    def share_left(self, cycle: int) -> float:
        """``(1 - p)^cycle``, the share without rounding."""
        return (1 - self.p) ** cycle

    def counts(self, n: int) -> list[int]:
        """How many of n weights are left after cycles 0, 1, ..., ``cycles``."""
        left = [n]
        for _ in range(self.cycles):
            left.append(left[-1] - removed_count(self.p, left[-1]))
        return left
