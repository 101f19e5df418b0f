"""Layers made of Hankel matrices in a network of your own, by `swap` and `compare` alone: the system of Lorenz.

The host reads a window of 16 states and tells how the state will change next. Run it with
``python examples/structured_hankel_network.py``.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from replank import Swap, compare, part
from replank.dynamics.delay import delay_embed
from replank.dynamics.lorenz import Lorenz63
from replank.dynamics.simulate import simulate
from replank.parts.linear import StructuredLinear

Q, P, DT, N_TRAIN, N_TEST = 16, 4, 0.01, 6, 2


def windows() -> tuple[torch.Tensor, torch.Tensor]:
    """Windows, component by component, ``(n, 3 Q)``, and increments ``(n, 3)``, of a trajectory after the other."""
    rng = np.random.default_rng(0)
    times = DT * np.arange(400)
    paths = [simulate(Lorenz63(), rng.uniform(-15, 15, 3), times) for _ in range(N_TRAIN + N_TEST)]
    both = np.stack([delay_embed(path, Q + 1) for path in paths])
    x, y = both[:, :, :-1], both[:, :, -1] - both[:, :, -2]
    known, steps = x[:N_TRAIN], y[:N_TRAIN]  # scales are those of the training trajectories
    scaled = (x - known.mean((0, 1, 2))) / known.std((0, 1, 2))
    inputs, targets = scaled.swapaxes(2, 3).reshape(-1, 3 * Q), (y / steps.std((0, 1))).reshape(-1, 3)
    return torch.from_numpy(inputs).float(), torch.from_numpy(targets).float()


def host() -> nn.Module:
    n = 3 * Q
    return nn.Sequential(
        OrderedDict(
            expand=nn.Linear(n, P * n),
            first=nn.LeakyReLU(),
            reduce=nn.Linear(P * n, n),
            second=nn.LeakyReLU(),
            readout=nn.Linear(n, 3),
        )
    )


def structured(mode: str) -> list[Swap]:
    """Both hidden layers; outputs or inputs are shared out among the sub-matrices."""
    return [Swap(slot, part(StructuredLinear, p=P, mode=mode, layout=slot)) for slot in ("expand", "reduce")]


x, y = windows()
n_train = len(x) * N_TRAIN // (N_TRAIN + N_TEST)
result = compare(
    host,
    {"dense": None, "structured": structured("scaled"), "hankel": structured("hankel")},
    data=((x[:n_train], y[:n_train]), (x[n_train:], y[n_train:])),
    controls=("same-size",),
    epochs=4,
    batch_size=64,
    lr=3e-3,
    seeds=2,
)
print(result)
