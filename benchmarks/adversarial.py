"""How long does it take to attack a 10-qubit classifier, against the same circuit on PennyLane's TorchLayer?

Run it from the repository's root, with PennyLane installed (``make oracle``)::

    python benchmarks/adversarial.py

The classifier is that of the study quantum-adversarial: 256 pixels, divided by their norm, on 270 angles of 10 qubits
in 9 blocks, one qubit measured. The peer is written as PennyLane's documentation has it: a ``TorchLayer`` on
``default.qubit`` with backpropagation, the batch as one broadcast input. Both sides have the same weights and must
agree in the gradients to all pixels before they are timed, in turn in this one process, on one thread, in single
precision. Times are CPU times, so that other work on the machine counts little. An attack is ``replank.measure.pgd``
with 20 steps on 200 images for both; the peer's is timed for fewer steps, which all cost the same, and multiplied. The
table goes to ``benchmarks/results/adversarial.md``.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pennylane as qml
import torch
from quantum_creep import milliseconds, ratio
from torch import Tensor, nn
from torch.nn import functional

from replank.features import UnitNorm
from replank.lab.environment import environment
from replank.measure import pgd
from replank.parts.linear import InterleavedQuantumLinear
from replank.seeding import isolated, torch_stream

N_PIXELS, N_QUBITS, N_BLOCKS, SCALE, READOUT = 256, 10, 9, 2.0, 4
N_IMAGES, N_STEPS, EPS = 200, 20, 0.1
BATCHES = (1, 25, 200)
RESULTS = Path(__file__).parent / "results" / "adversarial.md"
TARGET = 60
"""Seconds within which 200 images should be attacked."""


class LogProbabilities(nn.Module):
    """Logarithms of what a circuit gives."""

    def forward(self, p: Tensor) -> Tensor:
        """Take them."""
        return p.log()


def torch_layer(weights: Tensor) -> nn.Module:
    """The circuit, ``(B, 256) -> (B, 2)``, with given weights ``(270,)``."""

    @qml.qnode(qml.device("default.qubit", wires=N_QUBITS), interface="torch", diff_method="backprop")
    def circuit(inputs, weights):
        angles = weights + SCALE * functional.pad(inputs, (0, len(weights) - N_PIXELS))
        position = 0
        for _ in range(N_BLOCKS):
            for gate in (qml.RX, qml.RZ, qml.RX):
                for wire in range(N_QUBITS):
                    gate(angles[..., position], wires=wire)
                    position += 1
            for first in (0, 1):
                for wire in range(first, N_QUBITS - 1, 2):
                    qml.CNOT(wires=[wire, wire + 1])
        return qml.probs(wires=READOUT)

    return qml.qnn.TorchLayer(circuit, {"weights": tuple(weights.shape)}, init_method={"weights": weights.clone()})


def classifier(*head: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), norm=UnitNorm(), head=nn.Sequential(*head)))


def classifiers() -> dict[str, nn.Module]:
    """The same on both sides."""
    with isolated(0, "part"):
        part = InterleavedQuantumLinear(N_PIXELS, 2, bias=False, n_qubits=N_QUBITS, n_blocks=N_BLOCKS, scale=SCALE,
                                        readout=READOUT)  # fmt: skip
    peer = torch_layer(part.layer.theta.detach())
    return {"replank": classifier(part), "TorchLayer": classifier(peer, LogProbabilities())}


def samples(n: int) -> tuple[Tensor, Tensor]:
    x = torch.rand(n, 1, 16, 16, generator=torch_stream(0, "pixels"))
    return x, torch.arange(n) % 2


def gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """What each step of an attack computes."""
    inputs = x.detach().requires_grad_()
    return torch.autograd.grad(functional.cross_entropy(model(inputs), y, reduction="sum"), inputs)[0]


def check(models: dict[str, nn.Module]) -> None:
    """Refuse to compare what does not compute the same."""
    ours, theirs = (gradient(model, *samples(8)) for model in models.values())
    if not torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5):
        raise ValueError(f"adversarial: gradients must agree, got a difference of {(ours - theirs).abs().max():.3g}.")


def in_turn(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each, after a warm run that does not count."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for round in range(rounds + 1):
        for name, work in works.items():
            start = time.process_time()
            work()
            if round:
                times[name].append(time.process_time() - start)
    return times


def steps(models: dict[str, nn.Module], rounds: int) -> Iterator[str]:
    yield "## Gradients to all pixels, ms of CPU time: median (range)\n"
    yield "| images | replank | TorchLayer | times faster |"
    yield "| --- | --- | --- | --- |"
    for n in BATCHES:
        times = in_turn({name: partial(gradient, model, *samples(n)) for name, model in models.items()}, rounds)
        cells = f"{milliseconds(times['replank'])} | {milliseconds(times['TorchLayer'])}"
        yield f"| {n} | {cells} | {ratio(times, 'TorchLayer', 'replank'):.0f} |"


def attacks(models: dict[str, nn.Module], rounds: int, peer_steps: int) -> Iterator[str]:
    yield f"\n## PGD of {N_STEPS} steps over {N_IMAGES} images, s of CPU time: median\n"
    x, y = samples(N_IMAGES)
    seconds = {}
    for name, model in models.items():
        n_steps = N_STEPS if name == "replank" else peer_steps
        attack = partial(pgd, model, x, y, eps=EPS, alpha=EPS / 8, steps=n_steps)
        times = in_turn({name: attack}, rounds if name == "replank" else 1)[name]
        seconds[name] = statistics.median(times) * N_STEPS / n_steps
    yield "| | seconds |"
    yield "| --- | --- |"
    yield f"| replank | {seconds['replank']:.3g} |"
    yield f"| TorchLayer, {N_STEPS}/{peer_steps} times {peer_steps} steps | {seconds['TorchLayer']:.3g} |"
    yield (
        f"\nWanted: an attack within {TARGET} s; it takes {seconds['replank']:.2g} s, "
        f"{seconds['TorchLayer'] / seconds['replank']:.0f} times less than on TorchLayer."
    )


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# Attacking a 10-qubit classifier, against PennyLane\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['core']} kernels"
    yield (
        f"- Python {sys.version.split()[0]}, torch {torch.__version__}, PennyLane {qml.version()}, "
        f"{torch.get_num_threads()} thread, float32"
    )
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/adversarial.py`; in turn, after equal gradients were checked\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each (default: 5)")
    parser.add_argument("--peer-steps", type=int, default=2, help="steps of the peer's attack (default: 2)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models = classifiers()
    check(models)
    lines = []
    for line in itertools.chain(
        surroundings(), steps(models, options.rounds), attacks(models, options.rounds, options.peer_steps)
    ):
        print(line, flush=True)
        lines.append(line)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
