"""What is it worth to decompose each image once and keep its eigenvectors?

Run it on an idle machine, from the repository's root::

    python benchmarks/hamiltonian_embedding.py

An epoch of training is timed, interleaved in this one process after a warm-up. All ways give the same numbers to the
last bit, which is checked. The table goes to ``benchmarks/results/hamiltonian_embedding.md``.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import torch
from quantum_creep import Step, interleaved, milliseconds, ratio
from torch import Tensor, nn

from replank.circuits import BrickwallSU4, FullSU, ReuploadingClassifier, UnitaryBlock
from replank.lab.environment import environment

RESULTS = Path(__file__).parent / "results" / "hamiltonian_embedding.md"


@dataclass(frozen=True)
class Case:
    """One size of the study."""

    name: str
    n_images: int
    batch: int
    readout: tuple[int, ...]
    block: Callable[[], UnitaryBlock]

    def classifier(self) -> ReuploadingClassifier:
        """A model of that size."""
        return ReuploadingClassifier(8, self.block(), readout=self.readout)


CASES = (
    Case(
        "digits: 8x8, 15 layers of tied SU(4), full batch",
        1200,
        1200,
        (0, 1, 2),
        lambda: BrickwallSU4(3, 15, [(0, 1), (1, 2)], tied=True),
    ),
    Case("32x32, 10 layers of SU(32), batch 1,000", 1000, 1000, (0, 1, 2, 3), lambda: FullSU(5, 10)),
    Case("32x32, 20 layers of SU(32), batch 1,000", 1000, 1000, (0, 1, 2, 3), lambda: FullSU(5, 20)),
)


# -- what is compared --------------------------------------------------------------------------------------------------


class EachLayer(nn.Module):
    """Nothing is kept: each layer decomposes the images of the batch."""

    def __init__(self, classifier: ReuploadingClassifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Scores."""
        for _ in range(self.classifier.block.n_layers):
            packed = self.classifier.precompute(images)
        return self.classifier.scores(packed)


def epoch(model: nn.Module, inputs: Tensor, batch: int) -> Step:
    """One pass: forward, backward and a step of Adam for each batch."""
    labels = torch.arange(len(inputs)) % 8
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        for x, y in zip(torch.split(inputs, batch), torch.split(labels, batch), strict=True):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return step


def ways(case: Case) -> dict[str, tuple[nn.Module, Step]]:
    """Each way to run an epoch, all from the same parameters."""
    start = case.classifier()
    side = 2**start.block.n_qubits
    images = torch.rand(case.n_images, side, side)
    kept, step_wise, layer_wise = (copy.deepcopy(start) for _ in range(3))
    models: dict[str, tuple[nn.Module, Tensor]] = {
        "kept": (kept.on_spectra(), kept.precompute(images)),
        "each step": (step_wise, images),
        "each layer": (EachLayer(layer_wise), images),
    }
    return {name: (model, epoch(model, inputs, case.batch)) for name, (model, inputs) in models.items()}


def same_bits(models: dict[str, nn.Module]) -> bool:
    """Whether all models have the same parameters after all epochs."""
    first, *others = (list(model.parameters()) for model in models.values())
    return all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


# -- the table ---------------------------------------------------------------------------------------------------------


def epochs(repeats: int) -> Iterator[str]:
    yield "An epoch of training, ms: median and range. `kept`: the spectra of all images are computed once, before."
    yield "`each step`: in each step, for all its layers. `each layer`: again in each layer.\n"
    yield "| size | kept | each step | each layer | each step / kept | each layer / kept | same bits |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for case in CASES:
        found = ways(case)
        times = interleaved({name: step for name, (_, step) in found.items()}, repeats)
        cells = " | ".join(milliseconds(times[name]) for name in found)
        ratios = " | ".join(f"{ratio(times, name, 'kept'):.1f}" for name in ("each step", "each layer"))
        exact = same_bits({name: model for name, (model, _) in found.items()})
        yield f"| {case.name} | {cells} | {ratios} | {'yes' if exact else 'NO'} |"


def once(repeats: int) -> Iterator[str]:
    yield "\nWhat is computed once for each data set, ms:\n"
    yield "| images | decomposed |"
    yield "| --- | --- |"
    for case in CASES[:2]:
        model = case.classifier()
        side = 2**model.block.n_qubits
        images = torch.rand(case.n_images, side, side)
        times = interleaved({"once": lambda model=model, images=images: model.precompute(images)}, repeats)
        yield f"| {case.n_images:,} of {side}x{side} | {milliseconds(times['once'])} |"


def surroundings() -> Iterator[str]:
    found = environment()
    yield "# Benchmark of hamiltonian-embedding\n"
    yield f"- {found['cpu']['model']}, {found['cpu']['logical_cores']} cores, {found['cpu']['capability']}"
    yield f"- Python {sys.version.split()[0]}, torch {torch.__version__}, {torch.get_num_threads()} threads, float32"
    yield f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {os.getloadavg()[0]:.2f}"
    yield "- `python benchmarks/hamiltonian_embedding.py`; interleaved, after a warm-up\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="timed rounds (default: 5)")
    options = parser.parse_args()
    torch.manual_seed(0)
    lines = []
    for line in chain(surroundings(), epochs(options.repeats), once(options.repeats)):
        print(line, flush=True)
        lines.append(line)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
