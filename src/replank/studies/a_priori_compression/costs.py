"""What single layers cost as they grow, beside a dense one that is measured in turn with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from replank.lab.trial import Measurements, Trial
from replank.measure.kept_bytes import kept_bytes
from replank.measure.macs import conv_macs
from replank.measure.scaling import cost, crossover, log_log_slope
from replank.parts.convolution import DepthwiseSeparableConv2d, SeparableFilterConv2d
from replank.seeding import torch_stream
from replank.studies.a_priori_compression.fitting import PAGE
from replank.studies.a_priori_compression.settings import CompressionSettings, Kind

AXES = ("channels", "kernel", "image")
COLUMNS = ("parameters", "macs", "time", "training_time", "peak", "training_peak", "kept")
"""Numbers; for one batch seconds and bytes, with a backward pass where it says so."""
COUNTED_RANK = 16
COUNTED = ((16, 32, 3), (64, 64, 5))
"""Input and output channels, and side of the window, of the layers whose weights claims are about."""
COMPARED = 64
"""Channels at which layers are compared."""


def run_costs(trial: Trial) -> Measurements:
    """Measure the arm's layer against channels, window and image, each in turn with a dense one."""
    settings: CompressionSettings = trial.settings
    metrics: dict[str, float] = {
        f"weights_of_{n_in}_to_{n_out}": float(
            sum(each.numel() for each in layer(settings.kind, n_in, n_out, side, COUNTED_RANK, bias=False).parameters())
        )
        for n_in, n_out, side in COUNTED
    }
    artefacts: dict[str, np.ndarray] = {}
    known: dict[tuple[Kind, int, int, int], list[float]] = {}
    for number, axis in enumerate(AXES):
        sizes = settings.sizes[number]
        own, dense = _along(axis, sizes, trial, known)
        metrics |= _slopes(axis, sizes, own) | _crossovers(axis, sizes, own, dense)
        if axis == "channels":
            metrics |= _ratios(own[sizes.index(COMPARED)] / dense[sizes.index(COMPARED)])
        artefacts |= {f"{axis}_sizes": np.array(sizes, float), f"{axis}_costs": own, f"{axis}_dense": dense}
        trial.progress(number + 1, len(AXES), {})
    return Measurements(metrics, artefacts=artefacts)


def layer(kind: Kind, n_in: int, n_out: int, side: int, rank: int, *, bias: bool = True) -> nn.Module:
    """A layer of that kind which keeps the size of the image."""
    dense = nn.Conv2d(n_in, n_out, side, padding="same", bias=bias)
    match kind:
        case "dense":
            return dense
        case "depthwise_separable":
            return DepthwiseSeparableConv2d.like(dense)
        case "rank1" | "cp" | "spatial":
            return SeparableFilterConv2d.like(dense, mode=kind, rank=rank if kind == "cp" else None)
        case _:
            raise ValueError(f"costs: a layer must be dense or factorised, got kind={kind!r}.")


def _along(
    axis: str, sizes: Sequence[int], trial: Trial, known: dict[tuple[Kind, int, int, int], list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """The arm's costs and the dense layer's, ``(n_sizes, columns)``; what is known is not measured again."""
    settings: CompressionSettings = trial.settings
    usual = {"channels": settings.channels, "kernel": settings.kernel_size, "image": settings.world.n + 1}
    both: tuple[Kind, Kind] = (settings.kind, "dense")
    found: tuple[list[list[float]], list[list[float]]] = ([], [])
    for size in sizes:
        channels, side, image = ((usual | {axis: size})[name] for name in AXES)
        for kind, costs in zip(both, found, strict=True):
            key = (kind, channels, side, image)
            if key not in known:
                known[key] = _cost(*key, settings, trial)
            costs.append(known[key])
    return np.array(found[0]), np.array(found[1])


def _cost(kind: Kind, channels: int, side: int, image: int, settings: CompressionSettings, trial: Trial) -> list[float]:
    module = layer(kind, channels, channels, side, settings.rank).to(trial.device)
    batch = torch.randn(
        settings.batch_size, channels, image, image, generator=torch_stream(trial.seed, "cost", channels, image)
    ).to(trial.device)
    predicting = cost(module, batch, repeats=settings.repeats)
    batch.requires_grad_()  # as within a network
    training = cost(module, batch, backward=True, repeats=settings.repeats)
    return [
        predicting.parameters,
        conv_macs(module, (image, image)),
        predicting.seconds,
        training.seconds,
        max(predicting.peak_bytes, PAGE),
        max(training.peak_bytes, PAGE),
        kept_bytes(module, batch),
    ]


def _slopes(axis: str, sizes: Sequence[int], costs: np.ndarray) -> dict[str, float]:
    return {
        f"slope_of_{name}_in_{axis}": log_log_slope(sizes, costs[:, column].tolist())
        for column, name in enumerate(COLUMNS)
        if name in ("parameters", "macs", "time", "training_time")
        and not (axis == "image" and name == "parameters")  # they do not grow
    }


def _crossovers(axis: str, sizes: Sequence[int], own: np.ndarray, dense: np.ndarray) -> dict[str, float]:
    """The size from which the layer is faster than a dense one; none if it is not at the largest."""
    found = {
        f"{name}_wins_from_{axis}": crossover(
            sizes, own[:, COLUMNS.index(name)].tolist(), dense[:, COLUMNS.index(name)].tolist()
        )
        for name in ("time", "training_time")
    }
    return {name: size for name, size in found.items() if size is not None}


def _ratios(over_dense: np.ndarray) -> dict[str, float]:
    ratios = {
        f"{name}_over_dense_at_{COMPARED}_channels": float(ratio)
        for name, ratio in zip(COLUMNS, over_dense, strict=True)
    }
    saved = over_dense[COLUMNS.index("macs")]
    return ratios | {
        f"speed_up_by_{name}_per_saved_mac": float(saved / over_dense[COLUMNS.index(name)])
        for name in ("time", "training_time")
    }
