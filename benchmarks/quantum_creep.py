"""How fast are the parts of the study quantum-creep at the paper's size?

Run it on an idle machine, from the repository's root::

    python benchmarks/quantum_creep.py

All that is compared is timed in this one process, interleaved, after a warm-up; peak memory is that of a fresh process
each. The table goes to ``benchmarks/results/quantum_creep.md``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import torch
from torch import Tensor, nn

from replank.circuits import embed_hamiltonian, pauli_sum
from replank.lab.environment import environment
from replank.measure.memory import PeakMemory
from replank.parts.linear import HamiltonianReuploadLinear
from replank.studies.quantum_creep.model import creep_ladder
from replank.studies.quantum_creep.settings import PUBLISHED

FEATURES, CLASSES, QUBITS, REPS = 12_544, 10, 7, 10
RESULTS = Path(__file__).parent / "results" / "quantum_creep.md"

Step = Callable[[], object]
Times = Mapping[str, list[float]]


# -- what is compared ------------------------------------------------------------------------------------------------


def network(level: int) -> nn.Module:
    """The paper's classifier for one grey channel, at level 0, 1 or 2."""
    return creep_ladder(PUBLISHED).model(f"level-{level}")


def reupload() -> HamiltonianReuploadLinear:
    return HamiltonianReuploadLinear(FEATURES, CLASSES, n_qubits=QUBITS, n_reps=REPS)


class SeriesReupload(nn.Module):
    """The same layer as one would write it with ``torch.matrix_exp`` and autograd.

    It is granted the fast Pauli sum, and one exponential for each sample instead of one for each repetition.
    """

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.randn(REPS, 4**QUBITS - 1))
        self.bias = nn.Parameter(torch.randn(CLASSES))

    def forward(self, input: Tensor) -> Tensor:
        """Evolve, mix, and measure."""
        own = torch.matrix_exp(1j * embed_hamiltonian(input, 2**QUBITS) / REPS)
        states = torch.full((len(input), 2**QUBITS, 1), 2 ** (-QUBITS / 2), dtype=own.dtype)
        for shared in torch.matrix_exp(1j * pauli_sum(self.theta)):
            states = shared @ (own @ states)
        return states[:, :CLASSES, 0].abs().square() + self.bias


def training_step(model: nn.Module, input: Tensor) -> Step:
    """Forward, backward and a step of Adam; gradients reach the input too, as in the middle of a network."""
    labels = torch.randint(CLASSES, (len(input),))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-4)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(input), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def features(batch: int) -> Tensor:
    return torch.randn(batch, FEATURES, requires_grad=True)


# -- measuring -------------------------------------------------------------------------------------------------------


def interleaved(steps: Mapping[str, Step], repeats: int) -> dict[str, list[float]]:
    """Seconds of each step, taken in turn after one round of warm-up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                times[name].append(time.perf_counter() - start)
    return times


def milliseconds(times: list[float], share: int = 1) -> str:
    """Median and range."""
    low, middle, high = (1e3 * value / share for value in (min(times), statistics.median(times), max(times)))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def ratio(times: Times, over: str, under: str) -> float:
    return statistics.median(times[over]) / statistics.median(times[under])


def peak_gib(kind: str, batch: int) -> float:
    """Peak resident memory of two training steps in a process of their own, in GiB, with all that the process holds."""
    command = [sys.executable, __file__, "--peak", kind, str(batch)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_peak(kind: str, batch: int) -> None:
    step = training_step({"replank": reupload, "series": SeriesReupload}[kind](), features(batch))
    before = psutil.Process().memory_info().rss
    with PeakMemory() as memory:
        step()
        step()
    print((before + memory.bytes) / 2**30)


def operations(batch: int) -> float:
    """Floating-point operations of a forward and backward pass of the layer, counted by hand (a multiply-add is two).

    A sample: 14/3 d^3 for the eigendecomposition (tridiagonal form, divide and conquer, back-transformation), 4 d^3 for
    the gradient of H, and 44 L d^2 for steps, their adjoints and the product of rank L. What the shared unitaries cost,
    once a step whatever the batch, is left out: it is timed on its own.
    """
    d = 2**QUBITS
    return batch * ((14 / 3 + 4) * d**3 + 44 * REPS * d**2)


# -- the tables ------------------------------------------------------------------------------------------------------


def levels(repeats: int) -> Iterator[str]:
    yield "## A training step of the whole network, 28x28 images padded to 32x32\n"
    yield "Level 0 is classical, level 1 has both convolutions replaced, level 2 the linear layer too.\n"
    yield "| batch | level 0, ms | level 1, ms | level 2, ms | level 1 / level 0 |"
    yield "| --- | --- | --- | --- | --- |"
    for batch in (50, 200):
        images = torch.randn(batch, 1, 32, 32)
        times = interleaved({str(level): training_step(network(level), images) for level in range(3)}, repeats)
        cells = " | ".join(milliseconds(times[str(level)]) for level in range(3))
        yield f"| {batch} | {cells} | {ratio(times, '1', '0'):.2f} |"


def layers() -> Iterator[str]:
    yield f"\n## HamiltonianReuploadLinear({FEATURES}, {CLASSES}), {QUBITS} qubits, {REPS} repetitions\n"
    yield "A training step of the layer alone, against the same layer written with `torch.matrix_exp` and autograd.\n"
    yield "Times are of a sample, in ms; peaks in GiB. The shared unitaries cost the same whatever the batch.\n"
    yield "| batch | replank | matrix_exp | times faster | peak of replank | peak of matrix_exp |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for batch in (8, 32, 200):
        input = features(batch)
        steps = {
            "replank": training_step(reupload(), input),
            "series": training_step(SeriesReupload(), input),
        }
        times = interleaved(steps, 3)  # a step of the series takes seconds
        cells = " | ".join(milliseconds(each, batch) for each in times.values())
        peaks = " | ".join(f"{peak_gib(kind, batch):.2f}" for kind in times)
        yield f"| {batch} | {cells} | {ratio(times, 'series', 'replank'):.0f} | {peaks} |"


def roofline(repeats: int, batch: int = 200) -> Iterator[str]:
    part, input = reupload(), features(batch)
    hamiltonians = embed_hamiltonian(input.detach(), 2**QUBITS)
    square = torch.randn(2048, 2048)
    steps: dict[str, Step] = {
        "a step of the layer": training_step(part, input),
        "of that, eigh of all samples, by torch alone": lambda: torch.linalg.eigh(hamiltonians),
        "of that, the shared unitaries and their gradient": lambda: part.unitaries().abs().sum().backward(),
        "peak: a 2048x2048 matrix product": lambda: square @ square,
    }
    times = interleaved(steps, repeats)
    d = 2**QUBITS
    counts = (operations(batch), batch * 14 / 3 * d**3, None, 2 * 2048**3)
    yield f"\n## How far from what the cores can do, batch {batch}\n"
    yield "| what | ms | GFLOP | GFLOP/s |"
    yield "| --- | --- | --- | --- |"
    for (name, each), count in zip(times.items(), counts, strict=True):
        rate = "– | –" if count is None else f"{count / 1e9:.2f} | {count / 1e9 / statistics.median(each):.1f}"
        yield f"| {name} | {milliseconds(each)} | {rate} |"
    yield (
        f"\nOperations are counted by hand: {operations(1) / 1e6:.1f} million a sample, of which "
        f"{14 / 3 * d**3 / 1e6:.1f} for its eigendecomposition, {4 * d**3 / 1e6:.1f} for the gradient of its "
        f"Hamiltonian and {44 * REPS * d**2 / 1e6:.1f} for the {REPS} repetitions. torch decomposes the matrices of a "
        "batch one after the other; the layer shares them out among the threads. Half of the operations that bring a "
        "matrix to tridiagonal form are matrix-vector products, which run at the speed of memory."
    )


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# Benchmarks of quantum-creep\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['cpu']['capability']}"
    yield f"- Python {sys.version.split()[0]}, torch {torch.__version__}, {torch.get_num_threads()} threads, float32"
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/quantum_creep.py`; times are medians with their range, after a warm-up, interleaved\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="timed rounds (default: 9)")
    parser.add_argument("--peak", nargs=2, metavar=("KIND", "BATCH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.peak:
        print_peak(options.peak[0], int(options.peak[1]))
        return
    lines = []
    for line in (*surroundings(), *levels(options.repeats), *layers(), *roofline(options.repeats)):
        print(line, flush=True)
        lines.append(line)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
