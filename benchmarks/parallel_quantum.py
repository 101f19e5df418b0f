"""What does HQNN-Parallel's quantum layer cost, in an epoch of MNIST and alone, here and in PennyLane?

Run it on an idle machine, from the repository's root, with PennyLane installed (``make oracle`` installs it)::

    python benchmarks/parallel_quantum.py

All that is compared is timed in this one process, interleaved, after a warm-up. A whole epoch is timed batch by batch,
both networks in turn; what is extrapolated from a few batches says so. The table goes to
``benchmarks/results/parallel_quantum.md``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from itertools import chain
from pathlib import Path

import torch
from quantum_creep import Step, interleaved, milliseconds, ratio
from torch import Tensor, nn
from torch.nn import functional

from replank import datasets
from replank.circuits import QuantumLayer
from replank.datasets.tensors import tensors
from replank.lab.environment import environment
from replank.parts.linear import ParallelQuantumLinear
from replank.studies.parallel_quantum_and_quanvolution.model import circuits, parallel_ladder
from replank.studies.parallel_quantum_and_quanvolution.settings import ARMS, PUBLISHED

RESULTS = Path(__file__).parent / "results" / "parallel_quantum.md"
SHAPE = (1, 28, 28)
BATCH, EPOCH = PUBLISHED.batch_size, 60_000
SPLITS = (4, 2, 5, 10, 20)
Data = tuple[Tensor, Tensor]


# -- what is compared ------------------------------------------------------------------------------------------------


def network(arm: str) -> nn.Module:
    """The network of one arm at the published size."""
    experiment = next(name for name, arms in ARMS.items() if arm in arms)
    return parallel_ladder(replace(PUBLISHED, experiment=experiment), SHAPE).model(arm)


def quantum_layer(network: nn.Module) -> ParallelQuantumLinear:
    return network.get_submodule("dense.middle")


class Loop(nn.Module):
    """The same circuits, called one after the other."""

    def __init__(self, layer: ParallelQuantumLinear):
        super().__init__()
        design = layer.design
        self.layers = nn.ModuleList(
            QuantumLayer(design.circuit(), design.observables()) for _ in range(layer.n_circuits)
        )
        for own, theta in zip(self.layers, layer.layer.theta, strict=True):
            own.theta = nn.Parameter(theta.detach().clone())

    def forward(self, input: Tensor) -> Tensor:
        """Split, run each, join."""
        groups = input.tensor_split(len(self.layers), -1)
        return torch.cat([layer(group) for layer, group in zip(self.layers, groups, strict=True)], -1)


class PennyLane(nn.Module):
    """The same layer as one writes it with PennyLane: a TorchLayer for each circuit, all on ``default.qubit``."""

    def __init__(self, layer: ParallelQuantumLinear):
        super().__init__()
        import pennylane as qml

        n, depth = layer.design.n_qubits, layer.design.n_layers
        device = qml.device("default.qubit", wires=n)

        @qml.qnode(device, interface="torch")
        def circuit(inputs, weights):
            qml.AngleEmbedding(inputs, wires=range(n), rotation="X")
            qml.StronglyEntanglingLayers(weights, wires=range(n))
            return [qml.expval(qml.PauliY(wire)) for wire in range(n)]

        shapes = {"weights": (depth, n, 3)}
        self.layers = nn.ModuleList(qml.qnn.TorchLayer(circuit, shapes) for _ in range(layer.n_circuits))
        for own, theta in zip(self.layers, layer.layer.theta, strict=True):
            own.weights.data.copy_(theta.detach().reshape(depth, n, 3))

    def forward(self, input: Tensor) -> Tensor:
        """Split, run each, join."""
        groups = input.tensor_split(len(self.layers), -1)
        return torch.cat([layer(group) for layer, group in zip(self.layers, groups, strict=True)], -1).to(input.dtype)


def in_pennylane(model: nn.Module) -> nn.Module:
    """HQNN-Parallel with PennyLane's layer in the place of ours."""
    twin = network("4x5")
    twin.load_state_dict(model.state_dict())
    twin.set_submodule("dense.middle", PennyLane(quantum_layer(model)))
    return twin


def check(one: nn.Module, other: nn.Module, input: Tensor) -> None:
    """Refuse to compare what does not compute the same."""
    with torch.no_grad():
        distance = float((one.eval()(input) - other.eval()(input)).abs().max())
    one.train()
    other.train()
    if distance > 1e-4:
        raise ValueError(f"parallel_quantum: what is compared must agree, got a distance of {distance:.3g}.")


def training_step(model: nn.Module, data: Data) -> Step:
    """Forward, backward and a step of Adam on one batch."""
    optimiser = torch.optim.Adam(model.parameters(), lr=PUBLISHED.lr)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(model(data[0]), data[1]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def layer_step(layer: nn.Module, input: Tensor) -> Step:
    """Forward and backward pass of a layer in the middle of a network: gradients for inputs and weights."""
    features = input.clone().requires_grad_()
    sources = [features, *layer.parameters()]
    return lambda: torch.autograd.grad(layer(features).sum(), sources)


# -- measuring -------------------------------------------------------------------------------------------------------


@contextmanager
def threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def images(n: int) -> tuple[Data, str]:
    """So many training images of MNIST, or noise of that size if its files are not there."""
    if datasets.verify("mnist").ok:
        (x, y), _ = tensors(datasets.load("mnist"))
        return (x[:n], y[:n]), "MNIST"
    stream = torch.Generator().manual_seed(0)
    return (torch.rand(n, *SHAPE, generator=stream), torch.arange(n) % 10), "noise of the size of MNIST"


def epoch_seconds(models: dict[str, nn.Module], data: Data) -> dict[str, list[float]]:
    """Seconds of each training batch of one epoch, the models in turn on each batch."""
    optimisers = {name: torch.optim.Adam(model.parameters(), lr=PUBLISHED.lr) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for x, y in zip(data[0].split(BATCH), data[1].split(BATCH), strict=True):
        for name, model in models.items():
            start = time.perf_counter()
            optimisers[name].zero_grad()
            functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimisers[name].step()
            seconds[name].append(time.perf_counter() - start)
    return seconds


# -- the tables ------------------------------------------------------------------------------------------------------


def whole_epoch(n_images: int) -> Iterator[str]:
    data, what = images(n_images)
    models = {"4x5": network("4x5"), "removed": network("removed")}
    for model in models.values():
        training_step(model, (data[0][:BATCH], data[1][:BATCH]))()
    seconds = epoch_seconds(models, data)
    totals = {name: sum(each) for name, each in seconds.items()}
    yield f"## One epoch on {len(data[0]):,} images, batch {BATCH}\n"
    yield f"{what}; forward, backward, Adam. The two networks take each batch in turn.\n"
    yield "| network | epoch, s | batch, ms |"
    yield "| --- | --- | --- |"
    for name, label in (("4x5", "HQNN-Parallel, 4 circuits of 5 qubits"), ("removed", "quantum layer removed")):
        yield f"| {label} | {totals[name]:.1f} | {milliseconds(seconds[name])} |"
    longer = totals["4x5"] / totals["removed"]
    yield f"\nWith the quantum layer an epoch takes {longer:.2f} times as long (target: 1.3)."


def each_arm(repeats: int) -> Iterator[str]:
    (x, y), _ = images(BATCH)
    yield "\n## An epoch of each arm of the protocol P-full, extrapolated\n"
    yield f"The median of {repeats} training batches times {-(-EPOCH // BATCH)} batches, without evaluation; in s.\n"
    yield "| arm | 1 thread | 2 threads |"
    yield "| --- | --- | --- |"
    cells: dict[str, list[str]] = {arm: [] for arm in ARMS["controls"]}
    for n_threads in (1, 2):
        with threads(n_threads):
            times = interleaved({arm: training_step(network(arm), (x, y)) for arm in cells}, repeats)
        for arm, each in times.items():
            cells[arm].append(f"{statistics.median(each) * -(-EPOCH // BATCH):.0f}")
    for arm, row in cells.items():
        yield f"| {arm} | {' | '.join(row)} |"


def splits(repeats: int) -> Iterator[str]:
    stream = torch.Generator().manual_seed(0)
    features = torch.randn(BATCH, PUBLISHED.n_features, generator=stream)
    steps = {f"{c}x{20 // c}": layer_step(circuits(PUBLISHED, c), features) for c in SPLITS}
    times = interleaved(steps, repeats)
    yield f"\n## Twenty qubits in circuits of different widths, batch {BATCH}\n"
    yield "A forward and backward pass of the layer alone, gradients for inputs and weights.\n"
    yield "| circuits x qubits | ms | against 4x5 |"
    yield "| --- | --- | --- |"
    for name, each in times.items():
        yield f"| {name} | {milliseconds(each)} | {ratio(times, name, '4x5'):.2f} |"


def one_call(repeats: int) -> Iterator[str]:
    stream = torch.Generator().manual_seed(0)
    features = torch.randn(BATCH, PUBLISHED.n_features, generator=stream)
    layer = circuits(PUBLISHED, 4)
    loop = Loop(layer)
    check(layer, loop, features)
    yield f"\n## Four circuits in one call against a loop, batch {BATCH}\n"
    yield "A forward and backward pass of the layer alone.\n"
    yield "| threads | one call, ms | loop, ms | times faster |"
    yield "| --- | --- | --- | --- |"
    for n_threads in (1, 2):
        with threads(n_threads):
            times = interleaved({"call": layer_step(layer, features), "loop": layer_step(loop, features)}, repeats)
        cells = f"{milliseconds(times['call'])} | {milliseconds(times['loop'])}"
        yield f"| {n_threads} | {cells} | {ratio(times, 'loop', 'call'):.2f} |"
    yield "\nThe target was 2."


def pennylane(repeats: int) -> Iterator[str]:
    (x, y), _ = images(BATCH)
    ours = network("4x5")
    theirs = in_pennylane(ours)
    check(ours, theirs, x)
    features = torch.rand(BATCH, PUBLISHED.n_features, generator=torch.Generator().manual_seed(0))
    rows = {
        "a training batch of HQNN-Parallel": {
            "replank": training_step(ours, (x, y)),
            "pennylane": training_step(theirs, (x, y)),
        },
        "of that, the quantum layer alone": {
            "replank": layer_step(quantum_layer(ours), features),
            "pennylane": layer_step(theirs.get_submodule("dense.middle"), features),
        },
    }
    yield "\n## The same network in PennyLane\n"
    yield (
        "A `TorchLayer` for each of the four circuits on `default.qubit`, with backpropagation, which it chooses "
        f"itself; PennyLane {metadata.version('pennylane')}. Batch {BATCH}, {torch.get_num_threads()} threads; both "
        f"give the same outputs. Seconds an epoch are extrapolated from {repeats} batches.\n"
    )
    yield "| what | replank, ms | PennyLane, ms | times faster | epoch in replank, s | in PennyLane, s |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for what, steps in rows.items():
        times = interleaved(steps, repeats)
        epochs = " | ".join(f"{statistics.median(each) * -(-EPOCH // BATCH):.0f}" for each in times.values())
        cells = " | ".join(milliseconds(each) for each in times.values())
        yield f"| {what} | {cells} | {ratio(times, 'pennylane', 'replank'):.1f} | {epochs} |"


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# Benchmarks of parallel-quantum-and-quanvolution\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['core']} kernels"
    yield f"- Python {sys.version.split()[0]}, torch {torch.__version__}, {torch.get_num_threads()} threads, float32"
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/parallel_quantum.py`; times are medians with their range, warm, interleaved\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="timed rounds (default: 15)")
    parser.add_argument("--images", type=int, default=EPOCH, help=f"images of the timed epoch (default: {EPOCH})")
    parser.add_argument("--result", type=Path, default=RESULTS, help="where the table goes")
    options = parser.parse_args()
    torch.manual_seed(0)
    lines = []
    for line in chain(
        surroundings(),
        whole_epoch(options.images),
        each_arm(options.repeats),
        splits(4 * options.repeats),
        one_call(10 * options.repeats),
        pennylane(options.repeats),
    ):
        print(line, flush=True)
        lines.append(line)
    options.result.parent.mkdir(exist_ok=True)
    options.result.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
