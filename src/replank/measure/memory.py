"""How much memory a block of code needs at its peak."""

from __future__ import annotations

import abc
import contextlib
import ctypes
import gc
import threading
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import psutil
import torch


class PeakMemory:
    """Peak memory of a block alone: the highest level inside it, above the level at its beginning.

    On CUDA this is what torch's allocator hands out on that device; anywhere else it is the resident memory of this
    process (not of its children), in which other threads count too. Memory that was freed before the block is first
    given back to the system, so that the block can't reuse it unseen. Resident memory comes from the kernel's own
    high-water mark on Linux, which misses nothing, and elsewhere from sampling every millisecond, which may. Blocks may
    be nested.

    Args:
        device: whose memory to look at.

    Attributes:
        bytes: the peak in bytes above the level at entry; 0 before the block has ended.

    Example:
        >>> with PeakMemory() as memory:
        ...     _ = torch.ones(1000, 1000).sum()
        >>> memory.bytes >= 0
        True
    """

    # a process has one high-water mark: before a block sets it back, the blocks around it must have read it
    _open: ClassVar[list[PeakMemory]] = []

    def __init__(self, device: torch.device | str = "cpu"):
        self.bytes = 0
        self._device = torch.device(device)

    def __enter__(self) -> Self:
        for outer in self._open:
            outer._read()
        self._gauge = _gauge(self._device)
        self._entry = self._peak = self._gauge.start()
        self._open.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._read()
        self._open.remove(self)
        self._gauge.stop()
        self.bytes = self._peak - self._entry

    def _read(self) -> None:
        self._peak = max(self._peak, self._gauge.peak())


class _Gauge(abc.ABC):
    """Something that can tell the highest level of memory in bytes."""

    @abc.abstractmethod
    def start(self) -> int:
        """Set the peak back; the level now."""

    @abc.abstractmethod
    def peak(self) -> int:
        """The highest level since any gauge of this kind was started last."""

    def stop(self) -> None:  # noqa: B027  # most gauges have nothing to stop
        """Watch no longer."""


def _gauge(device: torch.device) -> _Gauge:
    if device.type == "cuda":
        return _CudaAllocator(device)
    return _HighWaterMark() if _HighWaterMark.works() else _Sampler()


def _release_free_memory() -> None:
    """Give freed memory back to the system: what Python's and the C library's allocators keep for later."""
    gc.collect()
    # a C library other than glibc has no such function, and nothing to ask for
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class _CudaAllocator(_Gauge):
    """The peak that torch's allocator keeps for a CUDA device."""

    def __init__(self, device: torch.device):
        self._device = device

    def start(self) -> int:
        gc.collect()
        torch.cuda.reset_peak_memory_stats(self._device)
        return torch.cuda.memory_allocated(self._device)

    def peak(self) -> int:
        return torch.cuda.max_memory_allocated(self._device)


class _HighWaterMark(_Gauge):
    """The peak resident memory that Linux keeps for a process; see proc_pid_clear_refs(5)."""

    _reset = Path("/proc/self/clear_refs")
    _status = Path("/proc/self/status")

    @classmethod
    @cache
    def works(cls) -> bool:
        """Whether the kernel lets this process set its mark back; some sandboxes do not."""
        try:
            cls._reset.write_text("5")
            return "VmHWM:" in cls._status.read_text()
        except OSError:
            return False

    def start(self) -> int:
        _release_free_memory()
        self._reset.write_text("5")
        return self._read("VmRSS")

    def peak(self) -> int:
        return self._read("VmHWM")

    def _read(self, name: str) -> int:
        """A field of the status file, which is written in kB and means KiB."""
        line = next(line for line in self._status.read_text().splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024


class _Sampler(_Gauge):
    """The peak resident memory that a thread sees which looks every millisecond."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> int:
        _release_free_memory()
        level = self._resident()
        self._thread.start()
        return level

    def peak(self) -> int:
        return max(self._peak, self._resident())

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.001):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        return int(self._process.memory_info().rss)
