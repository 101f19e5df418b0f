"""One trial: frame the images, build the rung, train it, and look at what it has learned."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from replank.datasets import info
from replank.datasets.tensors import tensors
from replank.lab.feed import TensorFeed
from replank.lab.task import Classification
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.measure.loss_floor import bounded_logit_floor
from replank.parts.convolution.flipped_quanvolution import FlippedQuanv2d
from replank.parts.convolution.mean_conv import MeanConv2d
from replank.parts.convolution.symmetric_psd import SymmetricPSDConv2d
from replank.parts.linear.hamiltonian_reupload import HamiltonianReuploadLinear
from replank.slots import Ladder
from replank.studies.quantum_creep.model import CONVOLUTIONS, creep_ladder
from replank.studies.quantum_creep.settings import CreepSettings

N_KERNELS_KEPT = 10
PADDED_SIZE = 32


def run(trial: Trial) -> Measurements:
    """Train one arm; the data order and the initial values outside the slots depend on the seed alone."""
    settings: CreepSettings = trial.settings
    data = trial.dataset.subset(settings.n_train, settings.n_test, seed=trial.seed)
    training, test = (
        TensorFeed(framed(x, settings.frame), y, batch_size=settings.batch_size) for x, y in tensors(data, trial.device)
    )
    model = ladder(settings, data.card.name).model(trial.arm.name, seed=trial.seed).to(trial.device)
    budget = Budget(settings.epochs, functools.partial(torch.optim.Adam, lr=settings.lr))
    measured = train(model, Classification(), training, test, budget, seed=trial.seed, progress=trial.progress)
    measured.metrics |= _above_floor(measured.metrics["least_train_loss"], data.train_y) | _unitarity(model)
    return replace(measured, artefacts={"kernels": strongest_kernels(model)})


def ladder(settings: CreepSettings, dataset: str) -> Ladder:
    """The ladder of the network that fits a data set's images."""
    return creep_ladder(settings, framed_shape(info(dataset).shape, settings.frame))


def framed(x: Tensor, frame: str) -> Tensor:
    """Images as the network sees them: framed, then scaled to [-1, 1].

    Padding comes before scaling, as in the official code, so that the frame is black (-1) and not grey (0).

    Args:
        x: images ``(n, channels, height, width)``, values from 0 to 1.
        frame: ``"pad"``, ``"halve"`` or ``"keep"``.
    """
    if frame == "halve":
        x = functional.avg_pool2d(x, 2)
    elif frame == "pad":
        x = functional.pad(x, [(PADDED_SIZE - x.shape[-1]) // 2] * 4)
    return (x - 0.5) / 0.5


def framed_shape(shape: tuple[int, int, int], frame: str) -> tuple[int, int, int]:
    """The (channels, height, width) that :func:`framed` gives to images of that shape."""
    channels, height, width = shape
    if frame == "halve":
        return channels, height // 2, width // 2
    return (channels, PADDED_SIZE, PADDED_SIZE) if frame == "pad" else shape


def _above_floor(least_train_loss: float, labels: np.ndarray) -> dict[str, float]:
    """How far the training loss stayed above what a unitary read-out can reach at best on these labels."""
    floor = bounded_logit_floor(np.bincount(labels) / len(labels))
    return {"loss_floor": floor, "train_loss_above_floor": least_train_loss - floor}


@torch.no_grad()
def _unitarity(model: nn.Module) -> dict[str, float]:
    """Greatest Frobenius norm of ``U^dagger U - 1`` over the trained unitaries of the head, if it has any."""
    heads = [module for module in model.modules() if isinstance(module, HamiltonianReuploadLinear)]
    defects = [
        float((u.mH @ u - torch.eye(u.shape[-1], device=u.device)).norm(dim=(-2, -1)).max())
        for u in (head.unitaries() for head in heads)
    ]
    return {"unitarity_defect": max(defects)} if defects else {}


@torch.no_grad()
def strongest_kernels(model: nn.Module) -> np.ndarray:
    """The ten kernels of largest norm among all of both convolutions, strongest first, shape ``(10, 3, 3)``."""
    kernels = torch.cat([_kernel(model.get_submodule(name)).flatten(0, 1) for name in CONVOLUTIONS])
    strongest = kernels.flatten(1).norm(dim=1).argsort(descending=True, stable=True)[:N_KERNELS_KEPT]
    return kernels[strongest].cpu().numpy()


def _kernel(layer: nn.Module) -> Tensor:
    """What the layer multiplies patches with, shape ``(out, in, 3, 3)``."""
    if isinstance(layer, FlippedQuanv2d | SymmetricPSDConv2d):
        return layer.effective_kernel()
    assert isinstance(layer, nn.Conv2d | MeanConv2d)
    return layer.weight
