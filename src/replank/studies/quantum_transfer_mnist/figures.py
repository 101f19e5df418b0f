"""Pictures of this study; the leading comparison, accuracy against size, and curves, every report has anyway."""

from __future__ import annotations

from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import metric_against
from replank.lab.study import Figure


def accuracy_by_rank(records: Records) -> MatplotlibFigure:
    """Accuracy of the classifier against the effective rank of the features."""
    return metric_against(records.table, "effective_rank", "test_accuracy")


def accuracy_by_probe(records: Records) -> MatplotlibFigure:
    """Accuracy of the classifier against what nearest neighbours find in the same features."""
    return metric_against(records.table, "knn_accuracy", "test_accuracy")


def accuracy_by_shots(records: Records) -> MatplotlibFigure:
    """Accuracy against the number of shots."""
    return metric_against(records.table, "shots", "test_accuracy")


FIGURES = (
    Figure(
        "probe",
        "What nearest neighbours find in the same features",
        "The classifier adds little to what is in the features. All maps of the five principal components lie at or "
        "below the components themselves; each Hadamard folds one of them.",
        accuracy_by_probe,
    ),
    Figure(
        "rank",
        "How many directions the features fill",
        "The circuit turns five numbers into 32, but these are functions of five numbers: more directions, no more "
        "information.",
        accuracy_by_rank,
    ),
    Figure(
        "shots",
        "How many shots it takes",
        "Frequencies in place of probabilities, with one Hadamard as in the default circuit.",
        accuracy_by_shots,
    ),
)
