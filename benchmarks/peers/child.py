"""One library, one size, in a process of its own: ``python -m peers.child LIBRARY QUBITS BATCH SECONDS``.

Prints one line of JSON: seconds of the first call, median, smallest and number of the warm steps, and a checksum of
expectations and gradients by which the parent sees that all libraries compute the same.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
import warnings

import numpy as np

from .problem import Problem

THREADS = 2


def main() -> None:
    """Measure."""
    library, n_qubits, batch, budget = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    warnings.simplefilter("ignore")
    try:
        import torch

        torch.set_num_threads(THREADS)
    except ImportError:
        pass
    start = time.perf_counter()
    step = importlib.import_module(f".{library}", __package__).build(n_qubits, batch)
    step.prepare(Problem.draw(n_qubits, batch))
    built = time.perf_counter()
    answer = [np.asarray(each, dtype=np.float64) for each in step()]
    first = time.perf_counter() - built
    times: list[float] = []
    end = time.perf_counter() + budget
    if first < budget:
        step()
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    rng = np.random.default_rng(1)
    checks = [float((rng.normal(size=each.shape) * each).sum() / np.sqrt(each.size)) for each in answer]
    print(
        json.dumps(
            {
                "first": first,
                "median": statistics.median(times),
                "fastest": min(times),
                "steps": len(times),
                "checks": checks,
            }
        )
    )


if __name__ == "__main__":
    main()
