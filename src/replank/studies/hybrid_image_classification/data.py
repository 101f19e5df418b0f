"""What a trial trains on, chooses an epoch on and is tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from replank.datasets import GENERATED, Dataset
from replank.datasets.augment import random_affine, random_crop, random_flip
from replank.datasets.leakage import check_leakage
from replank.errors import UsageError
from replank.lab.feed import TensorFeed
from replank.seeding import numpy_stream, torch_stream
from replank.studies.hybrid_image_classification.settings import HybridSettings
from replank.studies.hybrid_image_classification.shapes import shapes_and_textures

TRAINING_SHARE = 0.8

Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Pixels:
    """Normalisation of a network's input.

    Args:
        mean: of each channel, for pixels in [0, 1].
        std: of each channel.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalised(self, x: Tensor) -> Tensor:
        """Pixels in [0, 1], shape ``(n, channels, height, width)``, as the network takes them."""
        mean, std = (torch.tensor(values, device=x.device).view(-1, 1, 1) for values in (self.mean, self.std))
        return (x - mean) / std

    @property
    def black(self) -> tuple[float, ...]:
        """A black pixel, normalised."""
        return tuple(-mean / std for mean, std in zip(self.mean, self.std, strict=True))


PIXELS = {
    "mnist": Pixels((0.1307,), (0.3081,)),
    "cifar100": Pixels((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "stl10": Pixels((0.4467, 0.4398, 0.4066), (0.2603, 0.2566, 0.2713)),
}


@dataclass(frozen=True)
class Parts:
    """The sets of one trial.

    Args:
        training: with augmentation.
        validation: an epoch is chosen on these.
        augmented_validation: the same images disturbed like training images, once for the whole trial.
        test: results are reported on these.
        test_pixels: the test images before normalisation, in [0, 1].
        shared: how many validation images are test images.
    """

    training: TensorFeed
    validation: TensorFeed
    augmented_validation: TensorFeed
    test: TensorFeed
    test_pixels: Tensor
    shared: int


def source(data: Dataset, settings: HybridSettings, seed: int) -> Dataset:
    """The images that a trial has: a part of a data set, or drawn by itself."""
    if data.card.name == GENERATED:
        return shapes_and_textures(settings.n_train, settings.n_test, seed)
    return data.subset(settings.n_train, settings.n_test, seed=seed)


def parts(data: Dataset, settings: HybridSettings, seed: int, device: torch.device) -> Parts:
    """Split, normalise, and say how training images are augmented.

    Raises:
        DataError: validation images are test images, and the settings do not allow it.
        UsageError: the last batch would hold a single image.
    """
    order = numpy_stream(seed, "validation split").permutation(data.card.n_train)
    n_training = int(TRAINING_SHARE * len(order))
    _check_last_batch(n_training, settings.batch_size)
    training, held_out = order[:n_training], order[n_training:]
    on_test = settings.validation == "test"
    validation_x = data.test_x if on_test else data.train_x[held_out]
    validation_y = data.test_y if on_test else data.train_y[held_out]
    shared = check_leakage(validation_x, data.test_x, allow_leakage=settings.allow_leakage)

    pixels, augment = PIXELS[settings.network], augmentation(settings.network)

    def tensor(images: np.ndarray) -> Tensor:
        return torch.from_numpy(images).to(device, torch.float32) / data.card.pixel_max

    def feed(x: Tensor, labels: np.ndarray, change: Augment | None = None) -> TensorFeed:
        y = torch.from_numpy(labels).to(device)
        return TensorFeed(pixels.normalised(x), y, batch_size=settings.batch_size, augment=change)

    validation = feed(tensor(validation_x), validation_y)
    disturbed = augment(validation.x, torch_stream(seed, "augmented validation"))
    test_pixels = tensor(data.test_x)
    return Parts(
        training=feed(tensor(data.train_x[training]), data.train_y[training], augment),
        validation=validation,
        augmented_validation=TensorFeed(disturbed, validation.y, batch_size=settings.batch_size),
        test=feed(test_pixels, data.test_y),
        test_pixels=test_pixels,
        shared=shared,
    )


def augmentation(network: str) -> Augment:
    """How normalised training images are disturbed.

    As in the official code digits are turned and moved *after* normalisation, so that what comes in from outside is 0,
    the mean brightness, and not black.
    """
    if network == "mnist":
        return partial(random_affine, degrees=5.0, translate=0.1)
    return partial(_flip_and_crop, padding=4 if network == "cifar100" else 8, fill=PIXELS[network].black)


def _flip_and_crop(x: Tensor, generator: torch.Generator, padding: int, fill: tuple[float, ...]) -> Tensor:
    return random_crop(random_flip(x, generator), generator, padding=padding, fill=fill)


def _check_last_batch(n_training: int, batch_size: int) -> None:
    if n_training % batch_size == 1 or batch_size == 1:
        raise UsageError(
            f"hybrid-image-classification: BatchNorm needs two images in every batch, got batch_size={batch_size} for "
            f"{n_training} training images (four fifths of n_train). Change one of them."
        )
