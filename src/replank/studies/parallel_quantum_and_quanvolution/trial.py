"""One trial: build the rung of the network that the settings are about, train it, and look at what it has become."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from replank.datasets import Dataset, info
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.shortcut_baseline import shortcut_accuracy
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.measure.timing import Stopwatch
from replank.seeding import torch_stream
from replank.slots import Ladder
from replank.studies.parallel_quantum_and_quanvolution.model import parallel_ladder, quanv_ladder
from replank.studies.parallel_quantum_and_quanvolution.settings import ParallelSettings, QuanvSettings

MOMENTUM = 0.9
N_TIMED = 11
EVERY = 5
"""Epochs of a filter's classifier from one evaluation to the next: with 500 images an epoch is short."""


def run(trial: Trial) -> Measurements:
    """Train one arm; the data order and the initial values outside the slot depend on the seed alone."""
    settings: ParallelSettings | QuanvSettings = trial.settings
    data = trial.dataset.subset(settings.n_train, settings.n_test, seed=trial.seed)
    training, test = (TensorFeed(x, y, batch_size=settings.batch_size) for x, y in tensors(data, trial.device))
    model = ladder(settings, data.card.name).model(trial.arm.name, seed=trial.seed).to(trial.device)
    if isinstance(settings, ParallelSettings):
        adam = partial(torch.optim.Adam, lr=settings.lr)
        budget = Budget(settings.epochs, adam, evaluate_every=settings.evaluate_every)
    else:
        sgd = partial(torch.optim.SGD, lr=settings.lr, momentum=MOMENTUM)
        budget = Budget(settings.epochs, sgd, evaluate_every=EVERY)
    measured = train(model, Classification(), training, test, budget, seed=trial.seed, progress=trial.progress)
    if isinstance(settings, ParallelSettings):
        measured.metrics |= _layer_time(model, settings, trial.device)
        if settings.shortcut_baseline:
            measured.metrics |= _by_shortcuts(data, measured.metrics["test_accuracy"])
        return measured
    measured.metrics["lr"] = settings.lr
    filter = model.get_submodule("classifier.filter")
    measured.metrics["filter_parameters"] = float(sum(each.numel() for each in filter.parameters()))
    return replace(measured, artefacts={"channels": _channels(filter, test.x[:1])})


def ladder(settings: ParallelSettings | QuanvSettings, dataset: str) -> Ladder:
    """The ladder of the settings' experiment for a data set's images."""
    shape = info(dataset).shape
    if isinstance(settings, ParallelSettings):
        return parallel_ladder(settings, shape)
    return quanv_ladder(settings, shape)


def _layer_time(model: nn.Module, settings: ParallelSettings, device: torch.device) -> dict[str, float]:
    """Median time of a forward and backward pass of what fills the slot, for one batch."""
    dense = model.get_submodule("dense")
    middle = dict(dense.named_children()).get("middle")
    if middle is None:  # the classical rival has no such layer
        return {}
    stream = torch_stream(0, "layer time")
    features = torch.rand(settings.batch_size, settings.n_features, generator=stream).to(device).requires_grad_()
    sources = [features, *(each for each in middle.parameters() if each.requires_grad)]
    seconds = []
    for _ in range(N_TIMED):
        with Stopwatch(device) as watch:
            torch.autograd.grad(middle(features).square().sum(), sources)
        seconds.append(watch.wall_s)
    return {"layer_ms": 1e3 * statistics.median(seconds[1:])}


def _by_shortcuts(data: Dataset, accuracy: float) -> dict[str, float]:
    """What a linear reader of brightness and JPEG quality reaches, and how far the network is above it."""
    reached = shortcut_accuracy(data)
    return {"test_shortcut_accuracy": reached, "test_minus_shortcut_accuracy": accuracy - reached}


@torch.no_grad()
def _channels(filter: nn.Module, image: Tensor) -> NDArray[np.float32]:
    """What the trained filter makes of the first test image, shape ``(channels, height, width)``."""
    return filter(image)[0].cpu().numpy()
