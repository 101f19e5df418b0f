"""The compiled core; :mod:`replank.circuits.core` says whether it is there and imports torch before it."""

from collections.abc import Sequence
from typing import Any

class Program:
    """A circuit in the core's memory; :mod:`replank.circuits.core_backend` says what the rows hold.

    Arrays come as DLPack capsules, or as what offers them: contiguous, on the CPU, all float32 or all float64. They are
    not converted. The GIL is released while the program runs.

    Raises:
        ValueError: an index leads out of its table, or an array has another size.
        TypeError: an array has another dtype or layout.
    """

    def __init__(
        self,
        *,
        n: int,
        has_start: bool,
        start: Sequence[Sequence[int]],
        steps: Sequence[Sequence[int]],
        rotations: Sequence[Sequence[int]],
        phases: Sequence[Sequence[int]],
        dense: Sequence[Sequence[int]],
        matrices: Sequence[Sequence[float]],
        projections: Sequence[Sequence[int]],
        strings: Sequence[Sequence[int]],
        places: Sequence[int],
        per_sample: Sequence[bool],
        constants: Sequence[float],
        row_begins: Sequence[int],
        sources: Sequence[int],
        coefficients: Sequence[float],
    ) -> None: ...
    def saved_size(self, batch: int, single: bool, amplitude_lanes: bool) -> int:
        """Real numbers that the backward pass needs of each group."""

    def forward(
        self,
        features: Any,
        parameters: Any,
        initial: Any | None,
        out: Any,
        saved: Any | None,
        output: int,
        amplitude_lanes: bool,
        threads: int,
    ) -> None:
        """Fill ``out``, and ``saved`` if there is one.

        Raises:
            ArithmeticError: an angle is NaN or infinite.
            MemoryError: there is not enough.
        """

    def backward(
        self,
        features: Any,
        parameters: Any,
        initial: Any | None,
        grad_out: Any,
        saved: Any,
        grad_features: Any,
        grad_parameters: Any,
        grad_initial: Any | None,
        output: int,
        amplitude_lanes: bool,
        threads: int,
    ) -> None:
        """Add to the gradients, which begin at zero; ``saved`` is what ``forward`` filled."""

def lanes(single: bool) -> int:
    """Numbers in a vector."""

def isa() -> str:
    """The instruction set in use: the fastest of this machine, or the one that ``REPLANK_ISA`` names.

    Raises:
        ValueError: ``REPLANK_ISA`` names none of :func:`available_isas`.
    """

def available_isas() -> list[str]:
    """The instruction sets that this machine can run, the fastest first."""

def source_hash() -> str:
    """SHA-256 of the sources that this module was built from, as 64 hexadecimal digits."""

def max_threads() -> int:
    """Threads of a kernel that is called from this thread: what ``torch.set_num_threads`` set; 1 without OpenMP."""

def fma_peak(single: bool, seconds: float) -> float:
    """The most that one thread computes with fused multiply-adds, in GFLOP/s, two operations each.

    Args:
        single: in float32 instead of float64.
        seconds: how long to measure, at most 60; the best millisecond counts.

    Raises:
        ValueError: ``seconds`` is not in (0, 60], or ``REPLANK_ISA`` names none of :func:`available_isas`.
    """
