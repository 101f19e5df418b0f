"""One-way filters in the place of dense kernels, by `swap` and `compare` alone: a surrogate of waves in a square.

Needs the extra ``waves`` (scikit-fem). Run it with ``python examples/a_priori_compression.py``.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from replank import Swap, compare, part
from replank.dynamics.wave_fe import WaveFE2D
from replank.parts.convolution import DepthwiseSeparableConv2d, SeparableFilterConv2d

N_ELEMENTS, N_WAVES, N_TRAIN = 10, 60, 48


def waves() -> tuple[torch.Tensor, torch.Tensor]:
    """Starts with speeds ``(n, 2, height, width)``, and the fields some time later, all inside the boundary."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(*[np.linspace(0, 1, N_ELEMENTS + 1)] * 2)
    inputs, targets = [], []
    for _ in range(N_WAVES):
        speed = rng.uniform(0.6, 1.4)
        start = 16 * x * (1 - x) * y * (1 - y)
        start = start * np.exp(-30 * ((x - rng.uniform(0.3, 0.7)) ** 2 + (y - rng.uniform(0.3, 0.7)) ** 2))
        motion = WaveFE2D(N_ELEMENTS, speed).newmark(start, np.zeros_like(start), dt=0.03, steps=15)
        inputs.append(np.stack((start, np.full_like(start, speed))))
        targets.append(motion.displacement[-1:])
    arrays = (np.stack(each)[..., 1:-1, 1:-1] for each in (inputs, targets))
    inputs, targets = (torch.from_numpy(each).float() for each in arrays)
    return inputs, targets / targets.std()


def surrogate() -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            first=nn.Conv2d(2, 16, 5, padding="same"),
            relu1=nn.ReLU(),
            conv1=nn.Conv2d(16, 16, 5, padding="same"),
            relu2=nn.ReLU(),
            conv2=nn.Conv2d(16, 16, 5, padding="same"),
            relu3=nn.ReLU(),
            last=nn.Conv2d(16, 1, 1),
        )
    )


x, y = waves()
result = compare(
    surrogate,
    {
        "dense": None,
        "one-way filters": Swap("conv*", part(SeparableFilterConv2d, mode="rank1")),
        "depthwise": Swap("conv*", DepthwiseSeparableConv2d),
    },
    data=((x[:N_TRAIN], y[:N_TRAIN]), (x[N_TRAIN:], y[N_TRAIN:])),
    epochs=30,
    batch_size=8,
    lr=3e-3,
)
print(result)
