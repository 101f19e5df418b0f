"""How often a classifier is right, and how much probability it gives to the truth."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from replank.measure._predictions import checked_logits


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Fraction of samples whose largest logit is that of their class; of equal logits the first counts.

    Args:
        logits: shape ``(n, n_classes)``.
        labels: class numbers, shape ``(n,)``.

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: logits are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, or a label is not a class.
    """
    logits, labels = checked_logits("accuracy", logits, labels)
    # NumPy promises the first of equal values, torch.argmax promises nothing
    return float((logits.numpy().argmax(axis=1) == labels.numpy()).mean())


def negative_log_likelihood(logits: Tensor, labels: Tensor) -> float:
    """Mean cross-entropy ``-ln softmax(logits)[label]``: the loss that a classifier is trained with.

    Args:
        logits: shape ``(n, n_classes)``.
        labels: class numbers, shape ``(n,)``.

    Returns:
        Nats per sample, at least 0.

    Raises:
        TypeError: logits are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, or a label is not a class.
    """
    logits, labels = checked_logits("negative_log_likelihood", logits, labels)
    return float(nn.functional.cross_entropy(logits, labels))


def balanced_accuracy(logits: Tensor, labels: Tensor) -> float:
    """The mean of the accuracies of each class that occurs: what guessing the larger class does not raise.

    Arguments and errors are those of :func:`accuracy`.

    Returns:
        A number in [0, 1].
    """
    logits, labels = checked_logits("balanced_accuracy", logits, labels)
    chosen, truth = logits.numpy().argmax(axis=1), labels.numpy()
    return float(np.mean([(chosen[truth == label] == label).mean() for label in np.unique(truth)]))


def matthews_correlation(logits: Tensor, labels: Tensor) -> float:
    """Matthews' correlation of chosen and true classes, also of more than two; 0 if one of both never changes.

    Arguments and errors are those of :func:`accuracy`.

    Returns:
        A number in [-1, 1].
    """
    logits, labels = checked_logits("matthews_correlation", logits, labels)
    chosen, truth = logits.numpy().argmax(axis=1), labels.numpy()
    n, n_classes = len(truth), logits.shape[1]
    said, are = (np.bincount(each, minlength=n_classes).astype(float) for each in (chosen, truth))
    spread = np.sqrt((n**2 - said @ said) * (n**2 - are @ are))
    return float(((chosen == truth).sum() * n - said @ are) / spread) if spread else 0.0
