"""Classification with the metrics that medical papers report."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from torch import Tensor

from replank.lab.task import Classification


class Diagnosis(Classification):
    """As :class:`replank.lab.task.Classification`, with precision, recall, F1 and AUC, means over classes.

    A class that is never predicted has precision 0. The AUC is the mean of each class against the rest.
    """

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Those of the classification and four more; no AUC if a class has no sample."""
        labels, chances = target.cpu().numpy(), output.softmax(-1).double().cpu().numpy()
        classes = np.arange(chances.shape[1])
        precision, recall, f1, _ = precision_recall_fscore_support(
            labels, chances.argmax(1), labels=classes, average="macro", zero_division=0.0
        )
        found = super().metrics(output, target) | {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
        }
        return found | _auc(labels, chances, classes)


def _auc(labels: np.ndarray, chances: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    present = [bool((labels == each).any()) for each in classes]
    if not all(present):
        return {}
    each = [roc_auc_score(labels == number, chances[:, number]) for number in classes]
    return {"auc": float(np.mean(each))}
