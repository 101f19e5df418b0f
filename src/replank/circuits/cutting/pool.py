"""A pool of processes of this machine: the executor at hand."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import torch

from replank.processes import end_with_parent


@contextmanager
def local_pool(workers: int, *, threads: int = 1) -> Iterator[Executor]:
    """A pool of processes for the block; they end with it, and with this process, however it ends.

    Processes are spawned, since a forked one must not use torch: a script that makes a pool does so under
    ``if __name__ == "__main__"``.

    Args:
        workers: number of processes.
        threads: compute threads of each.

    Raises:
        ValueError: fewer than one of either.
    """
    if workers < 1 or threads < 1:
        raise ValueError(f"local_pool: there must be at least one of each, got workers={workers}, threads={threads}.")
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (threads,)) as pool:
        yield pool


def _begin(threads: int) -> None:
    end_with_parent()
    torch.set_num_threads(threads)
