"""How often a classifier is right, and how much probability it gives to the truth."""

from __future__ import annotations

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
