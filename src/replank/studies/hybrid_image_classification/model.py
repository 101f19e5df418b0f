"""The published networks, cut where they differ: trunk, neck, bottleneck, head.

::

    hybrid     image -> slim trunk -> [ neck to 16, softmax -> ( bottleneck 16 to 4 -> head ) ]
    classical  image -> wide trunk -> [ head of its own                                       ]

The round brackets are the slot ``classifier.readout``, the square ones ``classifier``.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.controls import frozen
from replank.parts.linear.quantum import QuantumLinear
from replank.parts.replacement import named
from replank.slots import Ladder, Swap
from replank.studies.hybrid_image_classification.factors import Bottleneck, Cell, Trunk

N_FEATURES, N_OUTPUTS = 16, 4
HEAD_WIDTH, HEAD_DROPOUT = 128, 0.3


@dataclass(frozen=True)
class Sizes:
    """What a network of one data set consists of.

    Args:
        trunk: channels of the convolutions of each trunk.
        pooled: side of the feature map that each trunk ends with.
        last_pool: whether the last convolution is followed by max pooling before that.
        neck: width between the trunk and the 16 features.
        direct: width and dropout of the classical network's head.
    """

    trunk: dict[Trunk, tuple[int, ...]]
    pooled: dict[Trunk, int]
    last_pool: bool
    neck: int
    direct: tuple[int, float]


SIZES: dict[str, Sizes] = {
    "mnist": Sizes({"slim": (16, 32), "wide": (32, 64)}, {"slim": 4, "wide": 4}, True, 256, (128, 0.3)),
    "cifar100": Sizes(
        {"slim": (32, 64, 128), "wide": (64, 128, 256, 512)}, {"slim": 4, "wide": 1}, False, 512, (256, 0.3)
    ),
    "stl10": Sizes(
        {"slim": (32, 64, 128, 256), "wide": (64, 128, 256, 512)}, {"slim": 4, "wide": 1}, False, 1024, (256, 0.4)
    ),
}
"""The published networks, by the name of their data set."""


class Network(nn.Sequential):
    """A sequence of ``trunk`` and ``classifier`` that says why it can't be trained on a single image."""

    def forward(self, input: Tensor) -> Tensor:
        """Logits, shape ``(n, n_classes)``.

        Raises:
            ValueError: a batch of one in training mode.
        """
        if self.training and len(input) == 1:
            raise ValueError(
                "Network: BatchNorm needs at least two images in training mode, got a batch of one. Choose a batch "
                "size that leaves no remainder of one, or call eval()."
            )
        logits: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        return logits


class OrthogonalSquares(nn.Module):
    """Squares of a fixed random rotation of the normalised features: amplitudes without a circuit that is trained."""

    rotation: Tensor

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        rotation = torch.empty(out_features, in_features)
        nn.init.orthogonal_(rotation)
        self.register_buffer("rotation", rotation)

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(*, in_features)`` to ``(*, out_features)``, each in [0, 1]."""
        return functional.linear(functional.normalize(input, dim=-1), self.rotation).square()


class FirstFeatures(nn.Module):
    """The first features as they are."""

    def __init__(self, n: int):
        super().__init__()
        self.n = n

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(*, in_features)`` to ``(*, n)``."""
        return input[..., : self.n]


def quantum_layer(in_features: int = N_FEATURES, out_features: int = N_OUTPUTS) -> QuantumLinear:
    """The published quantum layer: amplitudes of four qubits, two layers of RX and a CNOT ring, <Z> of each.

    The published code takes absolute values and divides by the norm of the whole batch first. After a softmax the one
    does nothing, and the encoding divides each sample by its own norm anyway.
    """
    return QuantumLinear(
        in_features, out_features, bias=False, encoding="amplitude", ansatz="basic-entangler", n_layers=2,
        output_scaling=1.0,
    )  # fmt: skip


def angle_layer() -> nn.Sequential:
    """Two features as RY angles within [-pi, pi] of two qubits, <Z> of each.

    The published code divides the features by the largest of the *batch*, so that an image's class depends on which
    others are in the batch. Here the hyperbolic tangent bounds each by itself.
    """
    circuit = QuantumLinear(
        2, 2, bias=False, encoding="angle", rotation="RY", ansatz="basic-entangler", n_layers=2,
        input_scaling=math.pi, output_scaling=1.0,
    )  # fmt: skip
    return nn.Sequential(nn.Linear(N_FEATURES, 2), nn.Tanh(), circuit)


def network(name: str, trunk: Trunk, channels: int, n_classes: int) -> Network:
    """The hybrid's network of a data set on either trunk, with ``Linear(16, 4)`` in the bottleneck.

    Args:
        name: of the data set whose published sizes it has.
        trunk: whose convolutions.
        channels: of the images.
        n_classes: number of logits.
    """
    sizes = SIZES[name]
    convolutions, features = _trunk(sizes, trunk, channels)
    neck = nn.Sequential(
        nn.Linear(features, sizes.neck), nn.ReLU(), nn.Linear(sizes.neck, N_FEATURES), nn.Softmax(dim=-1)
    )
    readout = nn.Sequential(OrderedDict(bottleneck=nn.Linear(N_FEATURES, N_OUTPUTS), head=head(N_OUTPUTS, n_classes)))
    return Network(OrderedDict(trunk=convolutions, classifier=nn.Sequential(OrderedDict(neck=neck, readout=readout))))


def head(n_inputs: int, n_classes: int, width: int = HEAD_WIDTH, dropout: float = HEAD_DROPOUT) -> nn.Sequential:
    """From features to logits."""
    return nn.Sequential(
        nn.Linear(n_inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, n_classes)
    )


def bottlenecks(name: str, trunk: Trunk, shape: tuple[int, int, int], n_classes: int) -> Ladder:
    """All bottlenecks on one trunk; whatever they leave in place starts bit-identical.

    Args:
        name: of the data set whose published sizes the networks have.
        trunk: whose convolutions.
        shape: (channels, height, width) of an image.
        n_classes: number of logits.
    """
    sizes = SIZES[name]
    width, dropout = sizes.direct
    features = sizes.trunk[trunk][-1] * sizes.pooled[trunk] ** 2
    rungs: dict[Bottleneck, Swap | None] = {
        "quantum": _slot("bottleneck", "quantum layer", quantum_layer),
        "linear-tanh": _slot(
            "bottleneck", "Linear, Tanh", lambda: nn.Sequential(nn.Linear(N_FEATURES, N_OUTPUTS), nn.Tanh())
        ),
        "linear": None,
        "frozen": Swap("classifier.readout.bottleneck", frozen(named(lambda old: quantum_layer(), "quantum layer"))),
        "orthogonal-squares": _slot(
            "bottleneck", "OrthogonalSquares", lambda: OrthogonalSquares(N_FEATURES, N_OUTPUTS)
        ),
        "identity": _slot("bottleneck", "first 4 features", lambda: FirstFeatures(N_OUTPUTS)),
        "none": _slot("", "head on 16 features", lambda: head(N_FEATURES, n_classes)),
        "angle": _slot("", "2 qubits, head", lambda: nn.Sequential(angle_layer(), head(2, n_classes))),
        "direct": Swap(
            "classifier", named(lambda old: head(features, n_classes, width, dropout), "the classical network's head")
        ),
    }
    return Ladder(
        lambda: network(name, trunk, shape[0], n_classes),
        {str(level): swap for level, swap in rungs.items()},
        example=torch.zeros(2, *shape),
    )


def build(cell: Cell, name: str, shape: tuple[int, int, int], n_classes: int, *, seed: int) -> nn.Module:
    """The network at one place of the grid."""
    return bottlenecks(name, cell.trunk, shape, n_classes).model(cell.bottleneck, seed=seed)


def _slot(inner: str, words: str, make: Callable[[], nn.Module]) -> Swap:
    """A module in the bottleneck, or in the place of bottleneck and head."""
    name = ".".join(filter(None, ("classifier.readout", inner)))
    return Swap(name, named(lambda old: make(), words))


def _trunk(sizes: Sizes, trunk: Trunk, channels: int) -> tuple[nn.Sequential, int]:
    """The convolutions, and how many features they give."""
    layers: list[nn.Module] = []
    widths = sizes.trunk[trunk]
    for number, width in enumerate(widths):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        if sizes.last_pool or number < len(widths) - 1:
            layers.append(nn.MaxPool2d(2))
        channels = width
    side = sizes.pooled[trunk]
    layers += [nn.AdaptiveAvgPool2d((side, side)), nn.Flatten()]
    return nn.Sequential(*layers), channels * side**2
