"""The classifier, and what stands in its middle on each arm.

::

    image -> trunk -> [ Linear to 8, pi tanh ] -> ( middle, 8 to 8 ) -> Linear to the classes

The round brackets are the slot ``middle``; whatever fills it takes eight angles and gives eight numbers.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.parts.linear.cut_qcnn import CutQCNNLayer
from replank.parts.linear.qcnn import QCNNLayer
from replank.parts.replacement import named
from replank.slots import Ladder, Swap
from replank.studies.distributed_qcnn.mobilenet import N_FEATURES, mobilenet_features
from replank.studies.distributed_qcnn.settings import DistributedSettings

N_QUBITS = 8
MAX_WIDTH = 5
SMALL_CHANNELS = (8, 16)


class Frame(nn.Module):
    """Images from [0, 1] to [-1, 1], resized unless ``side`` is 0: to a smaller size by averaging."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(n, channels, h, w)`` to ``(n, channels, side, side)``."""
        if self.side and input.shape[-1] > self.side:
            input = functional.interpolate(input, (self.side, self.side), mode="area")
        elif self.side and input.shape[-1] < self.side:
            input = functional.interpolate(input, (self.side, self.side), mode="bilinear")
        return 2 * input - 1


class Angles(nn.Linear):
    """A linear map to angles in (-pi, pi): the range is ours, for the paper's is not known."""

    def forward(self, input: Tensor) -> Tensor:
        """``pi tanh(W x + b)``."""
        return math.pi * super().forward(input).tanh()


class DiagonalTanh(nn.Module):
    """A factor, an offset and a tanh for each number by itself: 16 parameters, nearly the circuit's 14."""

    def __init__(self, n: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(n)), nn.Parameter(torch.empty(n))
        bound = n**-0.5  # as in nn.Linear(n, n)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Shape ``(*, n) -> (*, n)``."""
        return torch.addcmul(self.bias, self.weight, input).tanh()


_CUT: dict[str, dict[str, Any]] = {
    "qcnn-cut-exact": {"max_width": MAX_WIDTH},
    "qcnn-cut-eigen": {"max_width": MAX_WIDTH, "basis": "eigen"},
    "qcnn-cut-real": {"max_width": MAX_WIDTH, "skip_zero_y": True},
    "qcnn-cut-twice": {"max_width": MAX_WIDTH, "n_fragments": 3},
    "qcnn-cut-pool": {"max_width": MAX_WIDTH},
}


def quantum_layer(arm: str, n_qubits: int = N_QUBITS) -> QCNNLayer:
    """The quantum layer of an arm, with its initial angles: the same for all arms that start from one random stream."""
    if arm in _CUT:
        return CutQCNNLayer(n_qubits, n_qubits, bias=False, **_CUT[arm])
    layer = QCNNLayer(n_qubits, n_qubits, bias=False, shared=arm == "qcnn-shared", frozen=arm == "qcnn-frozen")
    return layer.without_entanglement() if arm == "qcnn-unentangled" else layer


def network(settings: DistributedSettings, channels: int, n_classes: int) -> nn.Sequential:
    """The host, with ``Linear(8, 8)`` and a tanh in the middle."""
    trunk, n_features = _trunk(settings.trunk, channels)
    return nn.Sequential(
        OrderedDict(
            frame=Frame(settings.side),
            trunk=trunk,
            angles=Angles(n_features, N_QUBITS),
            middle=nn.Sequential(nn.Linear(N_QUBITS, N_QUBITS), nn.Tanh()),
            head=nn.Linear(N_QUBITS, n_classes),
        )
    )


def ladder(settings: DistributedSettings, shape: tuple[int, int, int], n_classes: int) -> Ladder:
    """All arms; outside the middle they start bit-identical, and the quantum layers start with the same angles.

    Args:
        settings: which trunk, and the images' size.
        shape: (channels, height, width) of an image.
        n_classes: number of logits.
    """

    def middle(words: str, make: Callable[[], nn.Module]) -> Swap:
        return Swap("middle", named(lambda old: make(), words))

    def quantum(arm: str) -> Swap:
        return middle(arm, lambda: quantum_layer(arm))

    others = ("qcnn-shared", "qcnn-frozen", "qcnn-unentangled")
    return Ladder(
        lambda: network(settings, shape[0], n_classes),
        {
            **{arm: quantum(arm) for arm in ("qcnn", *_CUT, *others)},
            "linear-tanh": None,
            "diagonal-tanh": middle("DiagonalTanh", lambda: DiagonalTanh(N_QUBITS)),
            "identity": middle("nothing", nn.Identity),
        },
        example=torch.zeros(2, *shape),
    )


def _trunk(name: str, channels: int) -> tuple[nn.Sequential, int]:
    """Convolutions up to one number a channel, and how many these are."""
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if name == "mobilenet":
        return nn.Sequential(mobilenet_features(channels), *pool), N_FEATURES
    first, second = SMALL_CHANNELS
    convolutions = (
        nn.Conv2d(channels, first, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
    )
    return nn.Sequential(*convolutions, *pool), second
