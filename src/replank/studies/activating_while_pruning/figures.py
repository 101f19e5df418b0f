"""Pictures of this study."""

from __future__ import annotations

from functools import partial

from replank.lab.report.figures import learning_curves, metric_against
from replank.lab.study import Figure

FIGURES = (
    Figure(
        "accuracy-by-cycle",
        "Accuracy as weights go",
        "Test accuracy after the training of each cycle; every panel compares an arm with its baseline, dashed.",
        partial(learning_curves, name="test_accuracy", x_label="prunings so far"),
    ),
    Figure(
        "dnr-by-cycle",
        "Dynamic dead neuron rate as weights go",
        "How often units that still could be active give zero, after the training of each cycle.",
        partial(learning_curves, name="dynamic_dnr", x_label="prunings so far"),
    ),
    Figure(
        "accuracy-against-dnr",
        "Does a lower rate go with a higher accuracy?",
        "Means over seeds after the last cycle, all arms with the same number of weights.",
        lambda records: metric_against(records.table, "dynamic_dnr", "test_accuracy"),
    ),
)
