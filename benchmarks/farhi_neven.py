"""How fast is the classifier of Farhi and Neven at the paper's size, 17 qubits and 96 gates?

Run it on an idle machine, from the repository's root::

    python benchmarks/farhi_neven.py

A step is the score of a batch and its gradient for all 96 weights. The simulator and the closed form are timed in turns
in this one process, after a warm-up; that they agree is checked first. The table goes to
``benchmarks/results/farhi_neven.md``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from quantum_creep import Step, interleaved, milliseconds
from torch import Tensor, nn

from replank.circuits.templates import readout_layers
from replank.lab.environment import environment
from replank.measure.memory import PeakMemory
from replank.studies.farhi_neven_qnn.classifier import ReadoutClassifier
from replank.studies.farhi_neven_qnn.factorised import FactorisedReadout

RESULTS = Path(__file__).parent / "results" / "farhi_neven.md"
N_DATA, LAYERS = 16, ("ZX", "XX") * 3
BATCHES = (1, 16)
MOST_SECONDS = {1: 5.0, 16: 1.0}
MOST_BYTES = 2**30
NAMES = {torch.float32: "float32", torch.float64: "float64"}


# -- what is compared --------------------------------------------------------------------------------------------------


def models(dtype: torch.dtype) -> dict[str, nn.Module]:
    """The simulator and the closed form with the same weights."""
    gates = readout_layers(N_DATA, LAYERS)
    torch.manual_seed(0)
    closed = FactorisedReadout(N_DATA, gates, dtype=dtype)
    simulator = ReadoutClassifier(N_DATA, gates, dtype=dtype)
    simulator.load_state_dict({"layer.theta": closed.theta})
    return {"simulator": simulator, "closed form": closed}


def strings(batch: int, dtype: torch.dtype) -> Tensor:
    return torch.randint(2, (batch, N_DATA), generator=torch.Generator().manual_seed(1)).to(dtype)


def training_step(model: nn.Module, bits: Tensor) -> Step:
    def step() -> None:
        model.zero_grad()
        model(bits).sum().backward()

    return step


def check(found: Mapping[str, nn.Module], bits: Tensor) -> None:
    """Refuse to compare what does not compute the same."""
    simulated, closed = (model(bits) for model in found.values())
    if not torch.allclose(simulated, closed, atol=1e-4):
        raise ValueError(f"farhi_neven: both must agree, got {simulated.tolist()} and {closed.tolist()}.")


# -- reporting ---------------------------------------------------------------------------------------------------------


def table(repeats: int) -> Iterator[str]:
    yield "## A step, ms: median (range), and its peak memory\n"
    yield "| numbers | strings | threads | simulator | its memory, MiB | closed form | wanted |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for dtype, name in NAMES.items():
        found = models(dtype)
        for batch in BATCHES:
            bits = strings(batch, dtype)
            check(found, bits)
            for threads in (1, os.cpu_count() or 1):
                torch.set_num_threads(threads)
                steps = {which: training_step(model, bits) for which, model in found.items()}
                times = interleaved(steps, repeats)
                with PeakMemory() as memory:
                    steps["simulator"]()
                met = statistics.median(times["simulator"]) < MOST_SECONDS[batch] and memory.bytes < MOST_BYTES
                yield (
                    f"| {name} | {batch} | {threads} | {milliseconds(times['simulator'])} | "
                    f"{memory.bytes / 2**20:.0f} | {milliseconds(times['closed form'])} | "
                    f"< {1e3 * MOST_SECONDS[batch]:.0f} ms, < 1 GiB: {'met' if met else 'missed'} |"
                )


def surroundings() -> Iterator[str]:
    found = environment()
    counts = readout_layers(N_DATA, LAYERS).counts()
    yield "# The classifier with one readout qubit, at the paper's size\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['core']} kernels"
    yield f"- Python {sys.version.split()[0]}, torch {torch.__version__}"
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield (
        f"- `python benchmarks/farhi_neven.py`; {counts.n_qubits} qubits, {counts.n_gates} gates on two of them, "
        f"{counts.n_parameters} weights, forward and backward\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    lines = [*surroundings(), *table(parser.parse_args().repeats)]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
