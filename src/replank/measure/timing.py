"""How long a block of code takes, and how many samples a second a model can answer."""

from __future__ import annotations

import statistics
import time
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from replank.measure.evaluation import evaluating


class Stopwatch:
    """Wall and CPU seconds of a block.

    On an accelerator, work that was queued before the block is not counted and work queued inside it is waited for.

    Args:
        device: where the block computes.

    Attributes:
        wall_s: elapsed seconds; 0 before the block has ended.
        cpu_s: CPU seconds of this process, summed over its threads; 0 before the block has ended.

    Example:
        >>> with Stopwatch() as watch:
        ...     _ = sum(range(1000))
        >>> watch.wall_s > 0
        True
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.wall_s = 0.0
        self.cpu_s = 0.0
        self._device = torch.device(device)

    def __enter__(self) -> Self:
        self._wait()
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wait()
        self.wall_s, self.cpu_s = time.perf_counter() - self._wall, time.process_time() - self._cpu

    def _wait(self) -> None:
        if self._device.type != "cpu":
            torch.accelerator.synchronize(self._device)


def throughput(module: nn.Module, batch: Tensor, *, repeats: int = 5) -> float:
    """Samples per second of forward passes at inference: the batch's size over the median time of ``repeats`` passes.

    Two passes come first that are not timed: they pay for caches, allocators and threads. Compare numbers of one
    machine, batch size and number of threads only.

    Args:
        module: what to run, in evaluation mode and without gradients; it is left as it was.
        batch: input, shape ``(n_samples, ...)``, on the module's device.
        repeats: number of timed passes.

    Raises:
        ValueError: the batch is empty, or there is nothing to repeat.
    """
    if batch.ndim == 0 or len(batch) == 0:
        raise ValueError(f"throughput: `batch` must hold at least one sample, got shape={tuple(batch.shape)}.")
    if repeats < 1:
        raise ValueError(f"throughput: `repeats` must be at least 1, got repeats={repeats}.")
    seconds = []
    with evaluating(module):
        for _ in range(2 + repeats):
            with Stopwatch(batch.device) as watch:
                module(batch)
            seconds.append(watch.wall_s)
    return len(batch) / statistics.median(seconds[2:])
