"""Pictures of this study; the contrast and accuracy against size, every report has anyway."""

from __future__ import annotations

from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import learning_curves, metric_against
from replank.lab.study import Figure
from replank.studies.hamiltonian_embedding.settings import DEPTHS


def losses_with_floor(records: Records) -> MatplotlibFigure:
    """Training losses, with the least loss of probabilities as logits."""
    floor = float(records.table["loss_floor"].mean())
    return learning_curves(records, "train_loss", reference={f"floor of probabilities: {floor:.4f}": floor})


def accuracy_by_layers(records: Records) -> MatplotlibFigure:
    """Test accuracy of the published circuit against the number of its layers."""
    arms = ["embedding", *(f"layers-{n}" for n in DEPTHS)]
    return metric_against(records.table[records.table["arm"].isin(arms)], "layers", "test_accuracy")


FIGURES = (
    Figure(
        "train_loss",
        "Training loss and the floor of probabilities",
        "Each panel shows one arm with its band over seeds. Scores that are probabilities can't bring the loss below "
        "the dotted line, however long they are trained; linear and hidden-layer models can.",
        losses_with_floor,
    ),
    Figure(
        "layers",
        "Accuracy by the number of uploads",
        "The published circuit with more and fewer layers, all trained equally long.",
        accuracy_by_layers,
    ),
)
