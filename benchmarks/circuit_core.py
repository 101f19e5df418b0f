"""How near do the kernels of circuits come to what the machine can do, and what does that buy?

Run it on an idle machine, from the repository's root; the last table needs the images of MNIST (``REPLANK_DATA``)::

    python benchmarks/circuit_core.py

The workload is that of ``benchmarks/circuits.py``. Kernels are timed on one thread and without torch around them, by
the CPU time of the thread; whole steps on all threads. Peak memory and first calls are those of a fresh process each.
The tables go to ``benchmarks/results/circuit_core.md``, the roofline beside them.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from torch.autograd import Function

from replank.circuits import Circuit, Plan, _core
from replank.circuits.cost import flops
from replank.circuits.program import Phases, Rotations
from replank.circuits.templates import angle_embedding, strongly_entangling_layers
from replank.datasets import load
from replank.lab.environment import environment
from replank.measure.memory import PeakMemory
from replank.parts.convolution import Quanvolution2d

SIZES = ((4, 256), (8, 256), (10, 128), (12, 64), (16, 16), (20, 1))
RESULTS = Path(__file__).parent / "results"


def plan_of(n_qubits: int, n_layers: int = 3) -> Plan:
    """RY angle embedding, strongly entangling layers, Z on every qubit."""
    circuit = Circuit(n_qubits).extend(angle_embedding(n_qubits, rotation="RY"))
    return circuit.extend(strongly_entangling_layers(n_qubits, n_layers)).plan()


def angles(*shape: int) -> Tensor:
    return 2 * math.pi * torch.rand(shape, generator=torch.Generator().manual_seed(0))


# -- kernels ---------------------------------------------------------------------------------------------------------


def median_seconds(work: Callable[[], object], budget: float, clock: Callable[[], float] = time.thread_time) -> float:
    """The median of a clock for a call, after a warm-up; by default of the CPU time of this thread."""
    times: list[float] = []
    end = time.perf_counter() + budget
    work()
    while len(times) < 5 or time.perf_counter() < end:
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)


def kernels_of(n_qubits: int, batch: int, threads: int = 1) -> tuple[Callable[[], None], Callable[[], None], str]:
    """The forward and the backward kernel without torch around them, and the layout in use."""
    plan = plan_of(n_qubits)
    program = plan._compiled[plan.components[0]]
    layout = program.layout(batch, single=True)
    inside = layout == "amplitudes"
    features, parameters, grad = (
        angles(1, batch, n_qubits),
        angles(1, plan.n_parameters),
        torch.ones(1, batch, n_qubits),
    )
    out, saved = torch.empty_like(grad), torch.empty(program.handle.saved_size(batch, True, inside))
    to_features, to_parameters = torch.zeros_like(features), torch.zeros_like(parameters)
    threads = min(threads, program.threads(batch))

    def forward() -> None:
        program.handle.forward(features, parameters, None, out, saved, program.kind, inside, threads)

    def backward() -> None:
        program.handle.backward(
            features, parameters, None, grad, saved, to_features, to_parameters, None, program.kind, inside, threads
        )

    return forward, backward, layout


def kernel_seconds(n_qubits: int, batch: int, budget: float = 1.0) -> tuple[float, float, str]:
    """CPU seconds of the forward and of the backward kernel on one thread, and the layout in use."""
    forward, backward, layout = kernels_of(n_qubits, batch)
    return median_seconds(forward, budget), median_seconds(backward, budget), layout


def kernel_flops(n_qubits: int, batch: int) -> tuple[int, int]:
    (component,) = plan_of(n_qubits).components
    forward, backward = flops(component.program, len(component.words))
    return batch * forward, batch * backward


def kernel_bytes(n_qubits: int, batch: int) -> int:
    """What the passes of a step load and store, wherever it lies: two or three rotations share a pass."""
    (component,) = plan_of(n_qubits).components
    state = 2 * 4 * 2**n_qubits * batch
    sizes = [len(step.terms) for step in component.program.steps if isinstance(step, Rotations)]
    n_phases = sum(isinstance(step, Phases) for step in component.program.steps)
    forward = sum(-(-size // 3) for size in sizes) + n_phases + 2
    backward = sum(-(-size // 2) for size in sizes) + n_phases + 2
    return 2 * state * (forward + 2 * backward)


def bandwidth() -> float:
    """Bytes a second that one thread moves between memory and itself, reading and writing (a copy of 256 MiB)."""
    source = np.ones(2**25)
    target = np.empty_like(source)
    np.copyto(target, source)
    return 2 * source.nbytes / median_seconds(lambda: np.copyto(target, source), 1.0)


def kernels() -> Iterator[str]:
    peak, stream = _core.fma_peak(True, 1.0), bandwidth()
    yield "## Kernels on one thread, float32\n"
    yield f"Peak of fused multiply-adds: {peak:.1f} GFLOP/s. Copy from and to memory: {stream / 1e9:.1f} GB/s.\n"
    yield "| qubits, batch | layout | forwards, ms | backwards, ms | MFLOP | GFLOP/s | of the peak |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    points = []
    for n_qubits, batch in SIZES:
        forward, backward, layout = kernel_seconds(n_qubits, batch)
        count = sum(kernel_flops(n_qubits, batch))
        rate = count / (forward + backward) / 1e9
        points.append((f"{n_qubits}, {batch}", count / kernel_bytes(n_qubits, batch), rate))
        cells = f"{layout} | {1e3 * forward:.3g} | {1e3 * backward:.3g} | {count / 1e6:.3g} | {rate:.1f}"
        yield f"| {n_qubits}, {batch} | {cells} | {rate / peak:.0%} |"
    draw_roofline(points, peak, stream / 1e9)
    yield (
        "\nOperations are those that the kernels do: a rotation takes 6 for each amplitude forwards, 17 backwards. "
        "Many of its products are not followed by a sum, so that it can't use more than 77 % of the peak.\n"
    )
    yield "![Roofline](circuit_core_roofline.svg)"


def draw_roofline(points: list[tuple[str, float, float]], peak: float, stream: float) -> None:
    with plt.rc_context({"svg.hashsalt": "replank", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
        intensity = np.geomspace(0.05, 20, 200)
        axes.loglog(intensity, np.minimum(peak, stream * intensity), color="0.3", label="memory, then arithmetic")
        for name, flop_per_byte, rate in points:
            axes.plot(flop_per_byte, rate, "o", color="C0")
            axes.annotate(name, (flop_per_byte, rate), xytext=(6, -10), textcoords="offset points", fontsize=8)
        axes.set(
            xlabel="operations for each byte that passes load or store (FLOP/byte)",
            ylabel="GFLOP/s of one thread, float32",
            title="Kernels of circuits (qubits, batch) under the roofline",
        )
        axes.legend(loc="lower right", frameon=False)
        figure.savefig(RESULTS / "circuit_core_roofline.svg", metadata={"Date": None})
        plt.close(figure)


def slope() -> Iterator[str]:
    yield "\n## Cost of a rotation against the number of qubits, one thread\n"
    yield "A whole step of the kernels divided by rotations and samples.\n"
    yield "| qubits | ns a rotation and sample | ns an amplitude, too |"
    yield "| --- | --- | --- |"
    sizes, costs = range(4, 21, 2), []
    for n_qubits in sizes:
        batch = max(1, 2 ** (16 - n_qubits))
        forward, backward, _ = kernel_seconds(n_qubits, batch, 0.5)
        (component,) = plan_of(n_qubits).components
        n_rotations = sum(len(step.terms) for step in component.program.steps if isinstance(step, Rotations))
        costs.append(1e9 * (forward + backward) / n_rotations / batch)
        yield f"| {n_qubits} | {costs[-1]:.3g} | {costs[-1] / 2**n_qubits:.3g} |"
    exponent = np.polyfit(list(sizes), np.log2(costs), 1)[0]
    yield f"\nSlope of log2(cost) over the number of qubits: {exponent:.2f}; 1 is the growth of the state."


# -- what a user sees ------------------------------------------------------------------------------------------------


def in_fresh_process(*arguments: object) -> float:
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def step_of(plan: Plan, batch: int) -> Callable[[], object]:
    features = angles(batch, plan.n_features).requires_grad_()
    parameters = angles(plan.n_parameters).requires_grad_()
    return lambda: torch.autograd.grad(plan(features, parameters).sum(), (features, parameters))


class Nothing(Function):
    """A function of autograd with the circuit's shapes, which computes nothing: what torch takes for itself."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, parameters: Tensor) -> Tensor:
        """Room for the result."""
        ctx.save_for_backward(features, parameters)
        return torch.empty_like(features)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Room for the gradients."""
        features, parameters = ctx.saved_tensors
        return torch.empty_like(features), torch.empty_like(parameters)


def empty_step(batch: int, n_features: int, n_parameters: int) -> Callable[[], object]:
    features, parameters = angles(batch, n_features).requires_grad_(), angles(n_parameters).requires_grad_()
    return lambda: torch.autograd.grad(Nothing.apply(features, parameters).sum(), (features, parameters))


def shares() -> Iterator[str]:
    yield "\n## Where the time of a whole step goes\n"
    yield (
        "Forward, backward to features and parameters, and the loss; the kernels on the same threads. Torch alone is "
        "the same step with a function of autograd that computes nothing: no layer written in Python takes less.\n"
    )
    yield "| qubits, batch | step, ms | kernels, ms | torch alone, ms | rest: Python, the border, ms |"
    yield "| --- | --- | --- | --- | --- |"
    for n_qubits, batch in SIZES:
        plan = plan_of(n_qubits)
        forward, backward, _ = kernels_of(n_qubits, batch, torch.get_num_threads())
        parts = [
            median_seconds(work, 1.0, time.perf_counter)
            for work in (
                step_of(plan, batch),
                forward,
                backward,
                empty_step(batch, plan.n_features, plan.n_parameters),
            )
        ]
        step, kernel, alone = parts[0], parts[1] + parts[2], parts[3]
        rest = step - kernel - alone
        yield f"| {n_qubits}, {batch} | {1e3 * step:.3g} | {1e3 * kernel:.3g} | {1e3 * alone:.2g} | {1e3 * rest:.2g} |"


def print_first_call(n_qubits: int) -> None:
    """Milliseconds from the circuit to the first gradients."""
    torch.ones(1, requires_grad=True).sum().backward()  # torch's own first call is not ours  # type: ignore[no-untyped-call]
    start = time.perf_counter()
    step_of(plan_of(n_qubits), 64)()
    print(1e3 * (time.perf_counter() - start))


def print_peak(n_layers: int) -> None:
    """MiB that a step at 16 qubits and 16 samples adds to the process."""
    step_of(plan_of(4), 4)()
    plan = plan_of(16, n_layers)
    assert plan._compiled  # the plan's own objects, which grow with the circuit, are no part of a step
    step = step_of(plan, 16)
    with PeakMemory() as memory:
        step()
        step()
    print(memory.bytes / 2**20)


def users() -> Iterator[str]:
    yield "\n## First call, peak memory\n"
    first = ", ".join(f"{in_fresh_process('first', n):.1f} ms at {n} qubits" for n in (4, 8, 10))
    yield f"From the circuit to the first gradients, planning included: {first}.\n"
    shallow, deep = (in_fresh_process("peak", n_layers) for n_layers in (3, 30))
    yield (
        f"A step's peak memory at 16 qubits and 16 samples, above that of the process: {shallow:.1f} MiB with 3 "
        f"layers, {deep:.1f} MiB with 30 layers ({deep / shallow - 1:+.1%})."
    )


def quanvolution() -> Iterator[str]:
    """An epoch of a trainable quanvolution with a linear layer on all of MNIST's training images."""
    data = load("mnist")
    images, test_images = (torch.from_numpy(x) / data.card.pixel_max for x in (data.train_x, data.test_x))
    labels, test_labels = torch.from_numpy(data.train_y), torch.from_numpy(data.test_y)
    torch.manual_seed(0)
    model = nn.Sequential(
        Quanvolution2d(1, 4, 2, 2, encoding="angle", rotation="RY", input_scaling=math.pi, n_layers=1),
        nn.Flatten(),
        nn.Linear(4 * 14 * 14, 10),
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    start = time.perf_counter()
    for batch in torch.randperm(len(images)).split(256):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        right = (model(test_images).argmax(1) == test_labels).float().mean()
    yield "\n## An epoch of trainable quanvolution\n"
    yield (
        f"2x2 patches, 4 qubits, a strongly entangling layer, Z on every qubit: 196 patches and 784 values an image "
        f"into a linear layer. {len(images):,} images, batches of 256, Adam: {seconds:.1f} s. "
        f"Test accuracy after it, one seed: {right:.1%}."
    )


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# The kernels of circuits\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['core']} kernels"
    yield f"- Python {sys.version.split()[0]}, torch {torch.__version__}, {torch.get_num_threads()} threads, float32"
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/circuit_core.py`; times are medians after a warm-up\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, size = options.child
        {"first": print_first_call, "peak": print_peak}[what](int(size))
        return
    RESULTS.mkdir(exist_ok=True)
    lines = []
    for part in (surroundings, kernels, slope, shares, users, quanvolution):
        for line in part():
            print(line, flush=True)
            lines.append(line)
    (RESULTS / "circuit_core.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
