"""One trial: encode the images, map the latent features, train the classifier on them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import torch
from torch import Tensor

from replank.datasets import Dataset
from replank.datasets.tensors import tensors
from replank.features.autoencoder import DenseAutoencoder
from replank.lab.feature_maps import FeatureMapComparison
from replank.lab.feed import TensorFeed
from replank.lab.task import Regression
from replank.lab.training import Budget, train
from replank.lab.trial import Measurements, Trial
from replank.seeding import isolated
from replank.studies.quantum_transfer_mnist.model import Pipeline, classifier, closed_form_gap
from replank.studies.quantum_transfer_mnist.settings import TransferSettings


@dataclass(frozen=True)
class Encoding:
    """What the encoder's training depends on, and the images it is for; the arm is none of it.

    Args:
        data_sha256: fingerprint of the images.
        settings: the trial's.
        seed: of the encoder's initial values and data order.
        threads: compute threads; they change the order of floating-point sums.
        device: where to compute.
        data: the images with this fingerprint.
    """

    data_sha256: str
    settings: TransferSettings
    seed: int
    threads: int
    device: torch.device
    data: Dataset = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Latents:
    """Latent features of training and test images, ``(n, n_latents)``, and the encoder's error.

    Args:
        train: of training images.
        test: of test images.
        metrics: mean squared error of the reconstruction, of training and test images.
    """

    train: Tensor
    test: Tensor
    metrics: dict[str, float]


def run(trial: Trial) -> Measurements:
    """Train one arm's classifier; encoder, components, angles, data order and dropout are the same for all arms."""
    settings: TransferSettings = trial.settings
    data = trial.dataset.subset(settings.n_train, settings.n_test, seed=trial.seed)
    latents = encoded(Encoding(data.card.sha256, settings, trial.seed, trial.key.threads, trial.device, data))
    train_y, test_y = (torch.from_numpy(y).to(trial.device) for y in (data.train_y, data.test_y))
    pipeline = Pipeline(latents.train, n_components=settings.n_components, n_trained_layers=settings.n_trained_layers)
    comparison = FeatureMapComparison(
        head=functools.partial(classifier, n_classes=len(data.card.classes), dropout=settings.dropout),
        budget=Budget(settings.epochs, functools.partial(torch.optim.Adam, lr=settings.lr)),
        batch_size=settings.batch_size,
    )
    measured = comparison.measure(
        pipeline.maps[trial.arm.name],
        (latents.train, train_y),
        (latents.test, test_y),
        seed=trial.seed,
        progress=trial.progress,
    )
    measured.metrics |= latents.metrics | _about(trial.arm.name, pipeline, latents)
    return measured


@functools.lru_cache(maxsize=2)
def encoded(encoding: Encoding) -> Latents:
    """The latent features of one seed, which all arms share; trained again, they are the same to the last bit."""
    settings, data = encoding.settings, encoding.data
    train_x, test_x = (x.flatten(1) for x, _ in tensors(data, encoding.device))
    if settings.encoder == "pixels":
        varying = train_x.amin(dim=0) < train_x.amax(dim=0)  # one that never changes has no range for an angle
        return Latents(train_x[:, varying], test_x[:, varying], {})
    with isolated(encoding.seed, "encoder"):
        autoencoder = DenseAutoencoder((train_x.shape[1], *settings.hidden), settings.n_latents)
    autoencoder.to(encoding.device)
    budget = Budget(
        settings.encoder_epochs,
        functools.partial(torch.optim.Adam, lr=settings.encoder_lr),
        evaluate_every=settings.encoder_epochs,
    )
    training, test = (TensorFeed(x, x, batch_size=settings.encoder_batch_size) for x in (train_x, test_x))
    measured = train(autoencoder, Regression(), training, test, budget, seed=encoding.seed, progress=lambda *_: None)
    with torch.no_grad():
        train_z, test_z = autoencoder.encode(train_x), autoencoder.encode(test_x)
    errors = {f"{part}_reconstruction_mse": measured.metrics[f"{part}_loss"] for part in ("train", "test")}
    return Latents(train_z, test_z, errors)


def _about(arm: str, pipeline: Pipeline, latents: Latents) -> dict[str, float]:
    """How much the components keep, how far the circuit is from its closed form, and the number of shots."""
    kept = {"explained_variance_ratio": float(pipeline.pca.explained_variance_ratio.sum())}
    shots = {"shots": float(arm.removeprefix("shots-"))} if arm.startswith("shots-") else {}
    return kept | shots | closed_form_gap(arm, pipeline.angles(latents.test))
