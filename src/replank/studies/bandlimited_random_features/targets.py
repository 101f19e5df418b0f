"""What is approximated: formulas, and two of the sets that scikit-learn carries.

The paper's own two functions were not available: all targets here are ours or from the first author's earlier work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from replank.datasets import Dataset
from replank.datasets.tensors import tensors
from replank.features import Standardiser
from replank.seeding import torch_stream
from replank.studies.bandlimited_random_features.settings import RandomFeatureSettings

F64 = torch.float64
N_TEST = 1000
DIABETES_TEST = 89


@dataclass(frozen=True)
class Problem:
    """Training and test samples of one target.

    Args:
        x: training inputs ``(n, m)``.
        y: training targets ``(n,)`` or ``(n, k)``.
        test_x: held-out inputs.
        test_y: held-out targets, always without noise.
        labels: training and test labels, if targets are one-hot.
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    labels: tuple[Tensor, Tensor] | None = None


def simple(x: Tensor) -> Tensor:
    """``sin(2 pi x)``."""
    return torch.sin(2 * math.pi * x)


def complex_(x: Tensor) -> Tensor:
    """Three bumps, two of them narrow: a benchmark of the first author's earlier work."""
    return (
        0.2 * torch.exp(-((10 * x - 4) ** 2))
        + 0.5 * torch.exp(-((80 * x - 40) ** 2))
        + 0.3 * torch.exp(-((80 * x - 20) ** 2))
    )


CURVES: Mapping[str, Callable[[Tensor], Tensor]] = {"f1": simple, "f2": complex_}


def midpoints(low: float, high: float, n: int) -> Tensor:
    """The middles of ``n`` equal cells of an interval."""
    return low + (high - low) * (torch.arange(n, dtype=F64) + 0.5) / n


def curves(settings: RandomFeatureSettings, seed: int) -> dict[str, Problem]:
    """Both curves on [0, 1]: equispaced training points, tested at the middles of equal cells."""
    x, test_x = torch.linspace(0, 1, settings.n, dtype=F64), midpoints(0, 1, N_TEST)
    stream = torch_stream(seed, "noise")
    noises = {name: settings.noise * torch.randn(settings.n, generator=stream, dtype=F64) for name in CURVES}
    return {
        name: Problem(x[:, None], curve(x) + noises[name], test_x[:, None], curve(test_x))
        for name, curve in CURVES.items()
    }


def plane(points: Tensor) -> Tensor:
    """A slow wave and a narrow bump in two variables."""
    first, second = points.unbind(1)
    bump = torch.exp(-400 * ((first - 0.3).square() + (second - 0.7).square()))
    return torch.sin(2 * math.pi * first) * torch.cos(math.pi * second) + bump


def several(settings: RandomFeatureSettings, data: Dataset, seed: int) -> Problem:
    """A problem of several variables."""
    match settings.problem:
        case "plane":
            return _plane(settings.n, seed)
        case "diabetes":
            return _diabetes(seed)
        case _:
            return _digits(data)


def _plane(n: int, seed: int) -> Problem:
    x = torch.rand(n, 2, generator=torch_stream(seed, "points"), dtype=F64)
    test_x = torch.cartesian_prod(midpoints(0, 1, 50), midpoints(0, 1, 50))
    return Problem(x, plane(x), test_x, plane(test_x))


def _diabetes(seed: int) -> Problem:
    """Ten standardised inputs; which fifth is held out depends on the seed."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    x, y = torch.from_numpy(bunch.data), torch.from_numpy(bunch.target)
    order = torch.randperm(len(x), generator=torch_stream(seed, "split"))
    test, train = order[:DIABETES_TEST], order[DIABETES_TEST:]
    inputs, outputs = Standardiser().fit(x[train]), Standardiser().fit(y[train, None])
    x, y = inputs(x), outputs(y[:, None])[:, 0]
    return Problem(x[train], y[train], x[test], y[test])


def _digits(data: Dataset) -> Problem:
    """Pixels around their training mean, one-hot targets around theirs: read-outs have no bias."""
    (x, label), (test_x, test_label) = tensors(data)
    x, test_x = (each.flatten(1).double() for each in (x, test_x))
    n_classes = len(data.card.classes)
    y, test_y = (torch.nn.functional.one_hot(each, n_classes).double() - 1 / n_classes for each in (label, test_label))
    middle = x.mean(0)
    return Problem(x - middle, y, test_x - middle, test_y, (label, test_label))
