"""The compiled core; :mod:`replank.circuits.core` says whether it is there and imports torch before it."""

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
