"""What a reader of an image's brightness, border and compression reaches, without looking at what it shows."""

from __future__ import annotations

import torch

from replank.datasets import Dataset
from replank.datasets.medical_mnist import shortcuts
from replank.features import Standardiser
from replank.measure.probes import linear_probe


def shortcut_accuracy(data: Dataset) -> float:
    """Test accuracy of a linear reader of :func:`replank.datasets.medical_mnist.shortcuts`, fitted on training images.

    Args:
        data: images whose sides are multiples of 8, before they are resized.
    """
    features = [torch.from_numpy(shortcuts(x)) for x in (data.train_x, data.test_x)]
    scale = Standardiser().fit(features[0])
    training, test = (
        (scale(x), torch.from_numpy(y)) for x, y in zip(features, (data.train_y, data.test_y), strict=True)
    )
    return linear_probe(training, test).accuracy
