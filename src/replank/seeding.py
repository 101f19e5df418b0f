"""One random stream for each purpose.

A part may draw another amount of randomness than the one it replaces. If all draws came from one stream, the layers
built after it, the data order and the noise would change too, and the comparison would measure that. So every purpose
(host initialisation, part initialisation, data order, noise) has a stream of its own, derived from the seed and the
purpose's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def stream_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, the same on every machine."""
    text = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def torch_stream(seed: int, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator of its own for one purpose."""
    return torch.Generator(device).manual_seed(stream_seed(seed, *purpose))


def numpy_stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """A NumPy generator of its own for one purpose."""
    return np.random.default_rng(stream_seed(seed, *purpose))


@contextmanager
def isolated(seed: int, *purpose: str | int) -> Iterator[None]:
    """Run a block on its own stream of torch's default generators, and put their states back afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(stream_seed(seed, *purpose))
        yield
