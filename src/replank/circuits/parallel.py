"""A batch cut into chunks, and one function over all of them, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Result = TypeVar("Result")


def cut(n_items: int, bytes_each: int, device: torch.device, chunk_bytes: int) -> list[slice]:
    """Chunks of a batch that hold about ``chunk_bytes`` each; other devices than a CPU take the batch as a whole."""
    size = max(1, chunk_bytes // bytes_each if device.type == "cpu" else n_items)
    return [slice(start, start + size) for start in range(0, n_items, size)]


@contextmanager
def _one_thread_each() -> Iterator[int]:
    """Let every thread compute with a single torch thread, and say how many threads there are to share the work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def map_chunks(work: Callable[[slice], Result], chunks: Sequence[slice], device: torch.device) -> Iterator[Result]:
    """The results of ``work`` over ``chunks``, in order; several chunks on a CPU are shared out among torch's threads.

    torch decomposes the matrices of a batch one after the other, and a second thread inside a 128x128 matrix gains it
    next to nothing. A thread that owns whole chunks does. What a chunk computes does not depend on their number.

    ``work`` runs without recording gradients and without autocast.
    """
    inference = torch.is_inference_mode_enabled()

    def alone(chunk: slice) -> Result:
        # these modes belong to a thread: a new one starts with torch's defaults, whatever the caller's are
        with torch.inference_mode(inference), torch.no_grad(), torch.autocast(device.type, enabled=False):
            return work(chunk)

    if device.type != "cpu" or len(chunks) < 2 or torch.get_num_threads() < 2:
        yield from map(alone, chunks)
        return
    with _one_thread_each() as threads, ThreadPoolExecutor(threads) as pool:
        yield from pool.map(alone, chunks)
