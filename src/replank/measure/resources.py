"""What a block of code takes of the machine, and what slows it down unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from replank.measure.memory import PeakMemory
from replank.measure.timing import Stopwatch


class ResourceMeter:
    """Time and memory of a block, of this process alone.

    What a whole machine uses says little of one process, and a difference of two momentary loads may be negative: CPU
    seconds of the process can't be.

    Args:
        device: where the block computes.

    Attributes:
        wall_s: elapsed seconds; 0 before the block has ended, as all of these.
        cpu_s: CPU seconds of this process, summed over its threads.
        peak_rss: peak resident memory in bytes above the level at entry.
        peak_cuda: the same of what torch hands out on a CUDA device; 0 on any other.

    Example:
        >>> with ResourceMeter() as meter:
        ...     _ = sum(range(1000))
        >>> meter.wall_s > 0 and meter.cpu_s >= 0
        True
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.wall_s = self.cpu_s = 0.0
        self.peak_rss = self.peak_cuda = 0
        self._device = torch.device(device)

    def __enter__(self) -> Self:
        self._blocks = ExitStack()
        self._memory = self._blocks.enter_context(PeakMemory())
        self._cuda = self._blocks.enter_context(PeakMemory(self._device)) if self._device.type == "cuda" else None
        self._watch = self._blocks.enter_context(Stopwatch(self._device))  # last: memory takes time to be measured
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._blocks.__exit__(kind, error, traceback)
        self.wall_s, self.cpu_s = self._watch.wall_s, self._watch.cpu_s
        self.peak_rss, self.peak_cuda = self._memory.bytes, self._cuda.bytes if self._cuda else 0

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """The numbers by name, memory in MiB; CUDA's only where there is any."""
        found = {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_rss_mib": self.peak_rss / 2**20}
        if self._device.type == "cuda":
            found["peak_cuda_mib"] = self.peak_cuda / 2**20
        return {prefix + name: value for name, value in found.items()}


def subnormal_count(module: nn.Module, optimiser: torch.optim.Optimizer | None = None) -> dict[str, int]:
    """How many numbers are subnormal: so close to zero that many processors compute with them a hundred times slower.

    Args:
        module: its parameters, their gradients if there are any, and its buffers are looked at.
        optimiser: likewise what it remembers of them, say running moments.

    Returns:
        Counts by ``"parameters"``, ``"gradients"``, ``"buffers"`` and ``"optimiser"``; a complex number counts once for
        each of its two parts that is subnormal.
    """
    parameters = list(module.parameters())
    remembered = [] if optimiser is None else [value for state in optimiser.state.values() for value in state.values()]
    groups: dict[str, list[Tensor]] = {
        "parameters": [parameter.detach() for parameter in parameters],
        "gradients": [parameter.grad for parameter in parameters if parameter.grad is not None],
        "buffers": list(module.buffers()),
        "optimiser": [value for value in remembered if isinstance(value, Tensor)],
    }
    return {name: sum(map(_subnormal, tensors)) for name, tensors in groups.items()}


@contextmanager
def flushing_subnormals(flush: bool = True) -> Iterator[bool]:
    """Let the CPU take subnormal numbers for zero in a block, or not; afterwards it does what it did before.

    It holds for the calling thread, in which torch also runs the backward pass on a CPU; helpers of more than one
    compute thread may do as they did.

    Args:
        flush: whether to take them for zero.

    Yields:
        Whether the processor can be told; if not, nothing changes.
    """
    before = _flushes()
    can = torch.set_flush_denormal(flush)
    try:
        yield can
    finally:
        torch.set_flush_denormal(before)


def _subnormal(tensor: Tensor) -> int:
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    if not tensor.is_floating_point():
        return 0
    # bit by bit: arithmetic on them, even a comparison, may take them for zero
    exponent = {torch.float16: 0x7C00, torch.bfloat16: 0x7F80, torch.float32: 0x7F800000, torch.float64: 0x7FF << 52}
    integers = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    mask = exponent[tensor.dtype]
    bits = tensor.detach().contiguous().view(integers)
    fraction = (mask & -mask) - 1
    return int((((bits & mask) == 0) & ((bits & fraction) != 0)).sum())


def _flushes() -> bool:
    """Whether this thread takes subnormal numbers for zero now: torch does not tell."""
    return float(torch.tensor(2.0**-130) * torch.tensor(0.5)) == 0.0
