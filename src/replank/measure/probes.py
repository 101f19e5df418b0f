"""What simple, well understood readers find in features: how much of the labels is there, and how easy to reach."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Samples = tuple[Tensor, Tensor]
"""Features ``(n, n_features)`` and class numbers ``(n,)``."""


class LinearProbe(NamedTuple):
    """What multinomial logistic regression reaches on test samples.

    Args:
        accuracy: fraction that it has right.
        loss: its mean cross-entropy, in nats.
        information: entropy of the test labels minus that loss, in nats. In expectation no more than the mutual
            information of features and labels, which it stands for: as far as a linear reader sees it.
    """

    accuracy: float
    loss: float
    information: float


def linear_probe(training: Samples, test: Samples, *, strength: float = 1.0) -> LinearProbe:
    """Fit multinomial logistic regression on training features, and judge it on test ones.

    The problem is strictly convex: neither the order of the samples nor that of the features matters.

    Args:
        training: features, of variance about 1 for the penalty to mean the same to each, and labels.
        test: the same of held-out samples; all their classes must be among the training labels.
        strength: weight of the penalty ``|w|^2 / 2`` against the summed cross-entropy.

    Raises:
        TypeError: features are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, there are fewer than two classes, a test label is not a
            training label, or ``strength`` is not positive.
    """
    # slow to import, and only probes need it
    from sklearn.linear_model import LogisticRegression

    if not strength > 0:
        raise ValueError(f"linear_probe: `strength` must be positive, got strength={strength}.")
    (train_x, train_y), (test_x, test_y) = _checked("linear_probe", training, test)
    reader = LogisticRegression(C=1 / strength, max_iter=5000, tol=1e-6).fit(train_x, train_y)
    column = np.searchsorted(reader.classes_, test_y)
    log_p = reader.predict_log_proba(test_x)
    loss = -float(log_p[np.arange(len(test_y)), column].mean())
    share = np.bincount(column) / len(column)
    entropy = -float((share[share > 0] * np.log(share[share > 0])).sum())
    return LinearProbe(float((log_p.argmax(axis=1) == column).mean()), loss, entropy - loss)


def knn_accuracy(training: Samples, test: Samples, *, n_neighbours: int = 5) -> float:
    """Fraction of test samples of whose nearest training samples, by Euclidean distance, most are of their class.

    Args:
        training: features and labels of the neighbours.
        test: the same of held-out samples.
        n_neighbours: how many vote; of classes with equally many votes the smallest counts.

    Raises:
        TypeError: features are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, there are fewer than two classes, a test label is not a
            training label, or there are not as many training samples as neighbours.
    """
    from sklearn.neighbors import KNeighborsClassifier

    (train_x, train_y), (test_x, test_y) = _checked("knn_accuracy", training, test)
    if not 1 <= n_neighbours <= len(train_x):
        raise ValueError(
            f"knn_accuracy: `n_neighbours` must be in 1..{len(train_x)}, the training samples, got "
            f"n_neighbours={n_neighbours}."
        )
    reader = KNeighborsClassifier(n_neighbours, algorithm="brute").fit(train_x, train_y)
    return float(reader.score(test_x, test_y))


def effective_rank(features: Tensor) -> float:
    """How many directions the features fill: the exponential of the entropy of their singular values.

    Singular values are those of the centred features, divided by their sum. ``r`` equally strong directions give ``r``,
    weak ones count little; features that are all alike give 0. Neither a rotation nor a common scale matters.

    Source: Roy, Vetterli (2007), The effective rank: a measure of effective dimensionality.

    Args:
        features: shape ``(n, n_features)``.

    Raises:
        TypeError: features are not floating point.
        ValueError: they are no matrix, there are no samples, or values are not finite.
    """
    x = torch.from_numpy(_matrix("effective_rank", "features", features))
    values = torch.linalg.svdvals(x - x.mean(dim=0))
    total = values.sum()
    if total <= 1e-12 * x.abs().max() * len(x):  # what rounding leaves of equal samples
        return 0.0
    return float(torch.special.entr(values / total).sum().exp())


def probe_features(training: Samples, test: Samples, *, n_neighbours: int = 5) -> dict[str, float]:
    """All of these at once, by name: ``linear_probe_accuracy``, ``linear_probe_information`` and so on.

    Arguments and errors are those of :func:`linear_probe` and :func:`knn_accuracy`.
    """
    linear = linear_probe(training, test)
    return {
        "n_features": float(training[0].shape[1]),
        "linear_probe_accuracy": linear.accuracy,
        "linear_probe_information": linear.information,
        "knn_accuracy": knn_accuracy(training, test, n_neighbours=n_neighbours),
        "effective_rank": effective_rank(training[0]),
    }


_Checked = tuple[np.ndarray, np.ndarray]


def _checked(caller: str, training: Samples, test: Samples) -> tuple[_Checked, _Checked]:
    """Training and test samples that fit each other, features in float64."""
    train, held_out = _checked_pair(caller, "training", training), _checked_pair(caller, "test", test)
    if train[0].shape[1] != held_out[0].shape[1]:
        raise ValueError(
            f"{caller}: training and test samples must have the same features, got {train[0].shape[1]} and "
            f"{held_out[0].shape[1]}."
        )
    known = np.unique(train[1])
    if len(known) < 2:
        raise ValueError(f"{caller}: training labels must be of two classes at least, got {known.tolist()}.")
    strange = np.setdiff1d(held_out[1], known)
    if len(strange):
        raise ValueError(
            f"{caller}: test labels must be among the training labels {known.tolist()}, got {strange.tolist()}."
        )
    return train, held_out


def _checked_pair(caller: str, name: str, samples: Samples) -> _Checked:
    x, y = samples
    features = _matrix(caller, f"{name} features", x)
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"{caller}: {name} labels must be class numbers, got dtype={y.dtype}. Pass integers.")
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"{caller}: {name} labels must have shape {tuple(x.shape[:1])}, one for each sample, got shape="
            f"{tuple(y.shape)}."
        )
    return features, y.detach().cpu().numpy()


def _matrix(caller: str, name: str, features: Tensor) -> np.ndarray:
    if not features.is_floating_point():
        raise TypeError(f"{caller}: {name} must be floating point, got dtype={features.dtype}.")
    if features.ndim != 2 or not features.numel():
        raise ValueError(
            f"{caller}: {name} must have shape (n_samples >= 1, n_features >= 1), got shape={tuple(features.shape)}."
        )
    if not features.isfinite().all():
        raise ValueError(
            f"{caller}: {name} must be finite, got {int((~features.isfinite()).sum())} values that are not."
        )
    return features.detach().cpu().double().numpy()
