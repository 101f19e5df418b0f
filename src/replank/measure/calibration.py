"""Whether a classifier's probabilities mean what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch import Tensor, nn

from replank.measure._predictions import checked_logits


def reliability_table(logits: Tensor, labels: Tensor, n_bins: int = 15) -> pd.DataFrame:
    """How often the classifier is right at each level of confidence: what a reliability diagram draws.

    Confidence is the largest softmax probability. Bins have equal width and are open on the left, ``(low, high]``
    (Guo et al. 2017, arXiv 1706.04599, section 2).

    Args:
        logits: shape ``(n, n_classes)``.
        labels: class numbers, shape ``(n,)``.
        n_bins: number of bins of [0, 1].

    Returns:
        One row for each bin that holds samples, in order: ``low``, ``high``, ``count``, mean ``confidence``,
        ``accuracy``.

    Raises:
        TypeError: logits are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, a label is not a class, or there is no bin.
    """
    logits, labels = checked_logits("reliability_table", logits, labels)
    if n_bins < 1:
        raise ValueError(f"reliability_table: `n_bins` must be at least 1, got n_bins={n_bins}.")
    confidence, predicted = (part.numpy() for part in logits.softmax(dim=1).max(dim=1))
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.searchsorted(edges[1:-1], confidence)
    right = predicted == labels.numpy()
    samples = pd.DataFrame({"low": edges[bins], "high": edges[bins + 1], "confidence": confidence, "right": right})
    return samples.groupby(["low", "high"], as_index=False).agg(
        count=("right", "size"), confidence=("confidence", "mean"), accuracy=("right", "mean")
    )


def expected_calibration_error(logits: Tensor, labels: Tensor, n_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy, ``Σ_b n_b/n |accuracy_b - confidence_b|`` over bins of confidence.

    Top-label, equal-width bins (Guo et al. 2017, arXiv 1706.04599, eq. 3). The estimate depends on ``n_bins`` and is
    biased upwards on small sets: compare arms on the same samples only.

    Args:
        logits: shape ``(n, n_classes)``.
        labels: class numbers, shape ``(n,)``.
        n_bins: number of bins of [0, 1].

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: logits are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, a label is not a class, or there is no bin.
    """
    table = reliability_table(logits, labels, n_bins)
    gaps = (table["accuracy"] - table["confidence"]).abs()
    return float(np.average(gaps, weights=table["count"]))


def brier_score(logits: Tensor, labels: Tensor) -> float:
    """Mean squared distance of the probabilities from the truth, ``Σ_k (p_k - [label = k])²`` (Brier 1950).

    Summed over all classes, as Brier defined it: for two classes this is twice the score that looks at one of them.

    Args:
        logits: shape ``(n, n_classes)``.
        labels: class numbers, shape ``(n,)``.

    Returns:
        A number in [0, 2].

    Raises:
        TypeError: logits are not floating point, or labels are not integers.
        ValueError: shapes do not fit, values are not finite, or a label is not a class.
    """
    logits, labels = checked_logits("brier_score", logits, labels)
    truth = nn.functional.one_hot(labels, logits.shape[1])
    return float((logits.softmax(dim=1) - truth).square().sum(dim=1).mean())
