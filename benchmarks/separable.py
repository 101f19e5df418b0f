"""What do factorised convolutions cost beside dense ones, and from which size on are they faster?

Run it from the repository's root::

    python benchmarks/separable.py

Each layer keeps the size of its images and is measured in turn with the dense one of its size, on one thread: wall time
of a forward pass, and of a forward and backward pass; resident memory at the peak of the latter; bytes that autograd
keeps. Channels, window and image grow in turn. The table goes to ``benchmarks/results/separable.md``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from replank.lab.environment import environment
from replank.measure import conv_macs, cost, crossover, kept_bytes, log_log_slope
from replank.parts.convolution import DepthwiseSeparableConv2d, SeparableFilterConv2d
from replank.seeding import torch_stream

RESULTS = Path(__file__).parent / "results" / "separable.md"
MIB = 2**20
USUAL = {"channels": 32, "window": 5, "image": 33}
SIZES = {"channels": (4, 8, 16, 32, 64, 128, 256), "window": (3, 5, 7, 9, 11, 15), "image": (9, 17, 33, 65, 129)}
BATCH = 8
GROWING = ("MACs", "forward, ms", "and backward, ms")

Layer = Callable[[nn.Conv2d], nn.Module]
LAYERS: Mapping[str, Layer] = {
    "dense": lambda dense: dense,
    "one-way filters": lambda dense: SeparableFilterConv2d.like(dense, mode="rank1"),
    "rank 16": lambda dense: SeparableFilterConv2d.like(dense, mode="cp", rank=16),
    "axes apart": lambda dense: SeparableFilterConv2d.like(dense, mode="spatial"),
    "depthwise separable": DepthwiseSeparableConv2d.like,
}


def measured(layer: nn.Module, batch: Tensor, repeats: int) -> dict[str, float]:
    """Costs of a layer on a batch."""
    predicting = cost(layer, batch, repeats=repeats)
    training = cost(layer, batch, backward=True, repeats=repeats)
    return {
        "parameters": float(predicting.parameters),
        "MACs": float(conv_macs(layer, batch.shape[2:])),
        "forward, ms": 1e3 * predicting.seconds,
        "and backward, ms": 1e3 * training.seconds,
        "peak, MiB": training.peak_bytes / MIB,
        "kept, MiB": kept_bytes(layer, batch) / MIB,
    }


def rows(repeats: int) -> Iterator[tuple[str, int, str, dict[str, float]]]:
    """Axis, size, layer and its costs; all layers of a size one after the other."""
    for axis, sizes in SIZES.items():
        for size in sizes:
            channels, window, image = (USUAL | {axis: size}).values()
            batch = torch.randn(BATCH, channels, image, image, generator=torch_stream(0, "input", size))
            batch.requires_grad_()  # as within a network
            for name, make in LAYERS.items():
                layer = make(nn.Conv2d(channels, channels, window, padding="same"))
                yield axis, size, name, measured(layer, batch, repeats)


def page(found: list[tuple[str, int, str, dict[str, float]]], load: float) -> str:
    """The results in Markdown."""
    cpu = environment()["cpu"]
    lines = [
        "# Factorised convolutions beside dense ones",
        "",
        f"- {cpu['model']}, {cpu['logical_cores']} cores",
        f"- torch {torch.__version__}, 1 thread, float32, batches of {BATCH}",
        f"- {datetime.now(UTC):%Y-%m-%d}, load average at the start {load:.2f}",
        "- `python benchmarks/separable.py`; what does not grow is "
        + ", ".join(f"{name} {size}" for name, size in USUAL.items()),
        "",
        "Bold: slower than dense, or hungrier.",
    ]
    for axis in SIZES:
        lines += ["", f"## Against {axis}", "", *_table(axis, found), "", *_sums(axis, found)]
    return "\n".join(lines) + "\n"


def _table(axis: str, found: list[tuple[str, int, str, dict[str, float]]]) -> Iterator[str]:
    names = list(found[0][3])
    yield f"| {axis} | layer | {' | '.join(names)} |"
    yield f"| ---: | --- | {' | '.join(['---:'] * len(names))} |"
    dense: dict[str, float] = {}
    for of, size, layer, costs in found:
        if of == axis:
            dense = costs if layer == "dense" else dense
            cells = [f"**{costs[n]:.4g}**" if costs[n] > dense[n] else f"{costs[n]:.4g}" for n in names]
            yield f"| {size} | {layer} | {' | '.join(cells)} |"


def _sums(axis: str, found: list[tuple[str, int, str, dict[str, float]]]) -> Iterator[str]:
    """Slopes, and the sizes from which each layer is faster."""
    sizes = SIZES[axis]

    def series(layer: str, name: str) -> list[float]:
        return [costs[name] for of, _, which, costs in found if of == axis and which == layer]

    for layer in LAYERS:
        slopes = ", ".join(f"{name} {log_log_slope(sizes, series(layer, name)):.2f}" for name in GROWING)
        wins = {name: crossover(sizes, series(layer, name), series("dense", name)) for name in GROWING[1:]}
        since = "; ".join(
            f"{name}: " + ("not as far as measured" if size is None else f"from {size:.3g} on")
            for name, size in wins.items()
        )
        faster = "" if layer == "dense" else f" Faster than dense: {since}."
        yield f"- {layer}: grows with the power (log-log slope) {slopes}.{faster}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    options.output.write_text(page(list(rows(options.repeats)), load), encoding="utf-8")
    print(options.output)


if __name__ == "__main__":
    main()
