"""How many real operations a program takes, and a counter that sees those of all circuits run in a block.

What the compiled core does is hidden from torch's own counter of operations: :mod:`replank.measure.flops` adds this
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch

from replank.circuits.program import Dense, Phases, Program, Projection, Rotations

# real multiplications and additions for each amplitude, forwards; and backwards: on the state, on its dual, and for the
# overlaps that gradients are made of
_START = (12, 32)
_ROTATION = (6, 17)
_PHASES = (6, 15)
_PROJECTION = (2, 2)
_STRING = (2, 2)


@dataclass
class OperationCount:
    """What circuits took, forwards.

    Attributes:
        flops: real multiplications and additions.
        widest: qubits of the largest register that was held.
    """

    flops: int = 0
    widest: int = 0

    def add(self, flops: int, widest: int) -> None:
        """Count what has been run."""
        self.flops, self.widest = self.flops + flops, max(self.widest, widest)


_ACTIVE: ContextVar[OperationCount | None] = ContextVar("operation count", default=None)


@contextmanager
def counting_operations() -> Iterator[OperationCount]:
    """Count the operations of all circuits that are run in the block; a block around it counts them, too."""
    if torch.compiler.is_compiling():
        yield OperationCount()
        return
    count, outer = OperationCount(), _ACTIVE.get()
    token = _ACTIVE.set(count)
    try:
        yield count
    finally:
        _ACTIVE.reset(token)
        if outer is not None:
            outer.add(count.flops, count.widest)


def record(program: Program, n_strings: int, batch: int) -> None:
    """Tell the active counter, if there is one, that a batch has been run; not inside ``torch.compile``."""
    if torch.compiler.is_compiling():
        return
    count = _ACTIVE.get()
    if count is not None:
        count.add(batch * flops(program, n_strings)[0], program.n)


def flops(program: Program, n_strings: int) -> tuple[int, int]:
    """Real multiplications and additions of one sample, forwards and backwards, as the core does them.

    Phases, cosines and sines of what all samples share are not counted.

    Args:
        program: what is run.
        n_strings: how many Pauli strings are measured; 0 for probabilities and states.
    """
    forward, backward = (sum(each) for each in zip(*_costs(program, n_strings), strict=True))
    return forward * 2**program.n, backward * 2**program.n


def _costs(program: Program, n_strings: int) -> Iterator[tuple[int, int]]:
    """Costs for each amplitude, step by step."""
    yield 3 + _STRING[0] * n_strings, 4 + _STRING[1] * n_strings
    if any(program.start):
        yield _START
    for step in program.steps:
        match step:
            case Phases():
                yield _PHASES
            case Rotations(rotations):
                yield len(rotations) * _ROTATION[0], len(rotations) * _ROTATION[1]
            case Dense(flips=flips):
                yield 8 * 2 ** len(flips), 16 * 2 ** len(flips)
            case Projection():
                yield _PROJECTION
