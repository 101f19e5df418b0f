"""The two hosts, a classifier with a bottleneck and one with a single filter, and the ladders of what fills them."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.circuits import Circuit, theta
from replank.circuits.templates import random_layers
from replank.errors import UsageError
from replank.features import RandomFourierFeatures
from replank.parts.convolution.flipped_quanvolution import FlippedQuanv2d
from replank.parts.convolution.quanvolution import Quanvolution2d
from replank.parts.linear.parallel_quantum import ParallelQuantumLinear
from replank.parts.replacement import Builder, named
from replank.slots import Ladder, Swap
from replank.studies.parallel_quantum_and_quanvolution.settings import ARMS, SWEEP, ParallelSettings, QuanvSettings

Shape = tuple[int, int, int]
"""(channels, height, width) of an image."""

CLASSICAL_HIDDEN = (216, 88)
"""Widths of the classical rival's dense layers: they give the recalled total of about 372,000, as others would."""

N_CHANNELS = 4
PATCH = 2

# -- HQNN-Parallel -----------------------------------------------------------------------------------------------------


def bottleneck_classifier(settings: ParallelSettings, shape: Shape) -> nn.Sequential:
    """Convolutions, then features so few that small circuits take them, then the classes.

    What the circuits replace is ``dense.middle``, here the hyperbolic tangent: as bounded as expectation values.

    Raises:
        UsageError: the image is too small for so many poolings.
    """
    channels, height, width = shape
    side = min(height, width) // 2 ** len(settings.blocks)
    if side < 1 or settings.kernel_size % 2 == 0:
        raise UsageError(
            f"bottleneck_classifier: the kernel must be odd and the image hold {len(settings.blocks)} poolings by 2, "
            f"got kernel_size={settings.kernel_size}, shape={shape}. Take fewer blocks."
        )
    layers: list[nn.Module] = []
    for block in settings.blocks:
        for before, after in pairwise((channels, *block)):
            convolution = nn.Conv2d(before, after, settings.kernel_size, padding=settings.kernel_size // 2)
            layers += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        channels = block[-1]
    n, shrink = settings.n_features, 2 ** len(settings.blocks)
    dense = OrderedDict(
        squeeze=nn.Linear(channels * (height // shrink) * (width // shrink), n),
        norm=nn.BatchNorm1d(n),
        relu=nn.ReLU(),
        middle=nn.Tanh(),
        head=nn.Linear(n, settings.n_classes),
    )
    return nn.Sequential(
        OrderedDict(convolutions=nn.Sequential(*layers, nn.Flatten()), dense=nn.Sequential(dense)),
    )


def circuits(settings: ParallelSettings, n_circuits: int, **options: Any) -> ParallelQuantumLinear:
    """The quantum layer: each circuit has as many qubits as it is given features, and Y is measured on each.

    Args:
        settings: features and depth.
        n_circuits: how many.
        options: of :class:`~replank.parts.linear.ParallelQuantumLinear` that differ from the published ones.

    Raises:
        UsageError: the circuits can't share out the features evenly.
    """
    n = settings.n_features
    if n % n_circuits:
        raise UsageError(
            f"circuits: the features must be shared out evenly, got n_features={n} for n_circuits={n_circuits}. "
            f"Take a multiple of {n_circuits}."
        )
    published: dict[str, Any] = {
        "encoding": "angle",
        "n_layers": settings.depth,
        "observable": "Y",
        "output_scaling": 1.0,
    }
    return ParallelQuantumLinear(n, n, bias=False, n_circuits=n_circuits, **(published | options))


def parallel_ladder(settings: ParallelSettings, shape: Shape) -> Ladder:
    """All rungs of the settings' experiment.

    Args:
        settings: sizes and experiment.
        shape: of an image.
    """
    n = settings.n_features

    def quantum(n_circuits: int = 4, **options: Any) -> Callable[[], nn.Module]:
        return lambda: circuits(settings, n_circuits, **options)

    def behind(angles: nn.Module, scale: float) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(angles, circuits(settings, 4, input_scaling=scale))

    rungs = {
        "4x5": _middle("4 circuits of 5 qubits", quantum()),
        "4x5-post-bn": _middle(
            "4 circuits of 5 qubits, batch norm", lambda: nn.Sequential(circuits(settings, 4), nn.BatchNorm1d(n))
        ),
        "linear-tanh": _middle("4 parallel linear layers, tanh", lambda: parallel_linear(n, 4)),
        "frozen": _middle("4 circuits of 5 qubits, frozen", quantum(frozen=True)),
        "unentangled": _middle("4 circuits of 5 qubits, unentangled", quantum(unentangled=True)),
        "classical-372k": named(_classical_head, "216, 88, all classical"),
        **{f"{c}x{20 // c}": _middle(f"{c} circuits of {n // c} qubits", quantum(c)) for c in (2, 5, 10, 20, 1)},
        "depth-0": _middle("4 circuits of 5 qubits, no layer", quantum(ansatz=Circuit(n // 4), n_layers=1)),
        **{f"depth-{d}": _middle(f"4 circuits of 5 qubits, {d} layers", quantum(n_layers=d)) for d in (1, 6)},
        **{
            f"observable-{o}": _middle(f"4 circuits, {o.upper()} measured", quantum(observable=o.upper())) for o in "xz"
        },
        "tanh-angles": _middle("4 circuits of pi/2 tanh", behind(nn.Tanh(), math.pi / 2)),
        "sigmoid-angles": _middle("4 circuits of pi sigmoid", behind(nn.Sigmoid(), math.pi)),
        "student": _middle("4 circuits, basic entangler, Z", quantum(ansatz="basic-entangler", observable="Z")),
    }
    return Ladder(
        lambda: bottleneck_classifier(settings, shape),
        {arm: Swap("dense", rungs[arm]) if arm in rungs else None for arm in ARMS[settings.experiment]},
        example=torch.zeros(2, *shape),
    )


def parallel_linear(n_features: int, n_groups: int) -> nn.Sequential:
    """Linear layers side by side, each on its share of the features, and the hyperbolic tangent."""
    return nn.Sequential(
        nn.Unflatten(-1, (n_features, 1)),
        nn.Conv1d(n_features, n_features, 1, groups=n_groups),
        nn.Flatten(),
        nn.Tanh(),
    )


def _middle(name: str, make: Callable[[], nn.Module]) -> Builder:
    """The dense part with something else in its middle; all around it stays as it was drawn."""

    def build(old: nn.Module) -> nn.Module:
        new = copy.deepcopy(old)
        new.set_submodule("middle", make())
        return new

    return named(build, name)


def _classical_head(old: nn.Module) -> nn.Module:
    first, last = old.get_submodule("squeeze"), old.get_submodule("head")
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    widths = (first.in_features, *CLASSICAL_HIDDEN, last.out_features)
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


# -- HQNN-Quanv --------------------------------------------------------------------------------------------------------


class OnPatches(nn.Module):
    """A map of the values of each patch to channels: ``(B, 1, H, W) -> (B, n_channels, H / side, W / side)``.

    Args:
        map: from ``(*, side^2)`` to ``(*, n_channels)``.
        side: of the square patches, which do not overlap.
    """

    def __init__(self, map: nn.Module, side: int):
        super().__init__()
        self.map, self.side = map, side

    def forward(self, input: Tensor) -> Tensor:
        """Cut, map, put together."""
        patches = functional.pixel_unshuffle(input, self.side)
        return self.map(patches.movedim(-3, -1)).movedim(-1, -3)


def filter_classifier(settings: QuanvSettings, shape: Shape) -> nn.Sequential:
    """CNN4: one convolution with a window of 4x4 on the whole image, and a linear layer.

    Raises:
        UsageError: the image is not grey, or its sides are not multiples of 4: a quanvolution sees it halved, in
            patches of 2x2.
    """
    channels, height, width = shape
    side = 2 * PATCH
    if channels != 1 or height % side or width % side:
        raise UsageError(
            f"filter_classifier: images must be grey with sides that are multiples of {side}, got shape={shape}. "
            "Pad or crop them."
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        filter=nn.Conv2d(1, N_CHANNELS, side, stride=side),
        flatten=nn.Flatten(),
        head=nn.Linear(N_CHANNELS * (height // side) * (width // side), 10),
    )
    if settings.relu_logits:
        layers["relu"] = nn.ReLU()
    return nn.Sequential(OrderedDict(classifier=nn.Sequential(layers)))


def circuit_a() -> Circuit:
    """One layer of circuit A, as one re-implementation reads the published figure."""
    layer = Circuit(4).rx(theta[0], 0).rx(theta[1], 1).cnot(2, 3).cnot(0, 2).cnot(0, 3)
    return layer.ry(theta[2], 0).ry(theta[3], 3)


def quanvolution(**options: Any) -> Quanvolution2d:
    """A channel for each qubit, pixels in [0, 1] as angles up to pi, nothing around the circuit."""
    return Quanvolution2d(
        1, N_CHANNELS, PATCH, PATCH, bias=False, encoding="angle", input_scaling=math.pi, output_scaling=1.0, **options
    )


def quanv_a(settings: QuanvSettings, **options: Any) -> Quanvolution2d:
    """Pixels by RY, then circuit A: 4 angles for each layer."""
    return quanvolution(**({"rotation": "RY", "ansatz": circuit_a(), "n_layers": settings.depth} | options))


def quanv_b(**options: Any) -> Quanvolution2d:
    """Circuit B, the students': pixels by RX, then four layers of RX and a ring of CNOTs, 16 angles."""
    return quanvolution(rotation="RX", ansatz="basic-entangler", n_layers=4, **options)


def quanv_random() -> Quanvolution2d:
    """A random circuit that is never trained: gates, qubits and angles are drawn."""
    seed = int(torch.randint(2**31, ()))  # from the stream of the part, as the angles are
    return quanvolution(rotation="RY", ansatz=random_layers(4, 1, 8, seed=seed), n_layers=1, frozen=True)


def quanv_ladder(settings: QuanvSettings, shape: Shape) -> Ladder:
    """All rungs of the settings' experiment.

    Args:
        settings: sizes and experiment.
        shape: of an image, before it is halved.
    """

    def convolution() -> nn.Module:
        return nn.Conv2d(1, N_CHANNELS, PATCH, PATCH)

    on_halves: dict[str, tuple[str, Callable[[], nn.Module]]] = {
        "quanv-a": ("Quanvolution2d, circuit A", lambda: quanv_a(settings)),
        "quanv-b": ("Quanvolution2d, circuit B", quanv_b),
        "quanv-a-frozen": ("Quanvolution2d, circuit A, frozen", lambda: quanv_a(settings, frozen=True)),
        "quanv-b-frozen": ("Quanvolution2d, circuit B, frozen", lambda: quanv_b(frozen=True)),
        "quanv-random": ("Quanvolution2d, random and frozen", quanv_random),
        "flipped": ("FlippedQuanv2d", lambda: FlippedQuanv2d(1, N_CHANNELS, PATCH, PATCH)),
        "conv": ("Conv2d, 2x2", convolution),
        "conv-tanh": ("Conv2d, 2x2, tanh", lambda: nn.Sequential(convolution(), nn.Tanh())),
        "random-features": (
            "random Fourier features",
            lambda: OnPatches(RandomFourierFeatures(PATCH**2, N_CHANNELS), PATCH),
        ),
        **dict.fromkeys(SWEEP, ("Quanvolution2d, circuit B", quanv_b)),
    }
    rungs = {name: _on_halves(label, make) for name, (label, make) in on_halves.items()}
    rungs["cnn-1"] = named(_one_channel, "Conv2d, 4x4, one channel")
    return Ladder(
        lambda: filter_classifier(settings, shape),
        {arm: Swap("classifier", rungs[arm]) if arm in rungs else None for arm in ARMS[settings.experiment]},
        example=torch.zeros(2, *shape),
    )


def _on_halves(name: str, make: Callable[[], nn.Module]) -> Builder:
    """The classifier with another filter, which sees the image halved in size; the head stays as it was drawn."""

    def build(old: nn.Module) -> nn.Module:
        new = copy.deepcopy(old)
        new.set_submodule("filter", nn.Sequential(OrderedDict(halve=nn.AvgPool2d(2), filter=make())))
        return new

    return named(build, name)


def _one_channel(old: nn.Module) -> nn.Module:
    """CNN1: the same with a single channel."""
    new, head = copy.deepcopy(old), old.get_submodule("head")
    assert isinstance(head, nn.Linear)
    new.set_submodule("filter", nn.Conv2d(1, 1, 2 * PATCH, stride=2 * PATCH))
    new.set_submodule("head", nn.Linear(head.in_features // N_CHANNELS, head.out_features))
    return new
