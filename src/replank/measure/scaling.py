"""What a module costs as it grows: the slope on log-log axes, and the size from which it is the cheaper one."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from replank.measure.evaluation import evaluating
from replank.measure.flops import forward_flops
from replank.measure.memory import PeakMemory
from replank.measure.parameters import count_parameters
from replank.measure.timing import Stopwatch


@dataclass(frozen=True)
class Cost:
    """What a module costs on one batch.

    Args:
        parameters: their number.
        flops: floating-point operations of a forward pass.
        seconds: median wall time of a pass.
        peak_bytes: memory of a pass at its peak, above what was there before. Resident memory comes in pages: compare
            megabytes, not bytes.
    """

    parameters: int
    flops: int
    seconds: float
    peak_bytes: int


def cost(
    module: nn.Module, batch: Tensor, *, backward: bool = False, repeats: int = 7, flops: int | None = None
) -> Cost:
    """Parameters, operations, time and memory of a module on a batch, with the threads that torch has now.

    Two passes come first that are not counted: they pay for caches and allocators. Compare costs of one machine and one
    number of threads only.

    Args:
        module: in evaluation mode and without gradients, unless ``backward``; it is left as it was, except for
            gradients.
        batch: an input of the module.
        backward: whether a pass goes back to the parameters, too.
        repeats: number of timed passes.
        flops: operations of a forward pass by the module's own formula, for what :func:`forward_flops` does not see,
            such as Fourier transforms.

    Raises:
        ValueError: there is nothing to repeat.
    """
    if repeats < 1:
        raise ValueError(f"cost: `repeats` must be at least 1, got repeats={repeats}.")

    def run() -> None:
        if backward:
            module(batch).sum().backward()
        else:
            with evaluating(module):
                module(batch)

    seconds = []
    for _ in range(2 + repeats):
        with Stopwatch(batch.device) as watch:
            run()
        seconds.append(watch.wall_s)
    with PeakMemory(batch.device) as memory:
        run()
    counted = forward_flops(module, batch) if flops is None else flops
    return Cost(count_parameters(module).total, counted, statistics.median(seconds[2:]), memory.bytes)


def log_log_slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power with which values grow with size: least squares on logarithms.

    Args:
        sizes: positive, at least two different ones.
        values: positive, one for each size.

    Raises:
        ValueError: they are not.
    """
    _check("log_log_slope", sizes, values)
    return float(np.polynomial.Polynomial.fit(np.log(sizes), np.log(values), 1).convert().coef[1])


def crossover(sizes: Sequence[float], one: Sequence[float], other: Sequence[float]) -> float | None:
    """The size from which ``one`` is below ``other``, and stays below as far as was measured.

    Args:
        sizes: rising.
        one: positive values, one for each size.
        other: likewise.

    Returns:
        Interpolated between two sizes on log-log axes; the smallest size if it is below everywhere; ``None`` if it is
        not below at the largest.

    Raises:
        ValueError: sizes don't rise, or values are not positive or not as many.
    """
    _check("crossover", sizes, one)
    _check("crossover", sizes, other)
    if any(after <= before for before, after in itertools.pairwise(sizes)):
        raise ValueError(f"crossover: `sizes` must rise, got {list(sizes)}.")
    advantage = np.log(other) - np.log(one)
    if advantage[-1] <= 0:
        return None
    above = np.flatnonzero(advantage <= 0)
    if not len(above):
        return float(sizes[0])
    last = int(above[-1])
    ends = np.log(sizes[last : last + 2])
    return float(np.exp(np.interp(0.0, advantage[last : last + 2], ends)))


def _check(asker: str, sizes: Sequence[float], values: Sequence[float]) -> None:
    if len(sizes) != len(values) or len(set(sizes)) < 2:
        raise ValueError(
            f"{asker}: there must be a value for each of at least two sizes, got {len(sizes)} sizes "
            f"({len(set(sizes))} different) and {len(values)} values."
        )
    if not (np.isfinite([*sizes, *values]).all() and min(*sizes, *values) > 0):
        raise ValueError(f"{asker}: sizes and values must be positive, got {list(sizes)} and {list(values)}.")
