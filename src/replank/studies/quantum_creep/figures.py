"""Pictures of this study; accuracy against size and time, and accuracy curves, every report has anyway."""

from __future__ import annotations

from matplotlib.figure import Figure as MatplotlibFigure

from replank.lab.records import Records
from replank.lab.report.figures import image_grid, learning_curves
from replank.lab.study import Figure

WITH_KERNELS = ("level-0", "level-1", "level-1-complex", "1a-symmetric-psd")


def losses_with_floor(records: Records) -> MatplotlibFigure:
    """Training losses, with the least loss that a probability read-out can reach."""
    floor = float(records.table["loss_floor"].mean())
    return learning_curves(records, "train_loss", reference={f"floor of a unitary read-out: {floor:.4f}": floor})


def kernels(records: Records) -> MatplotlibFigure:
    """The ten strongest kernels of some arms, of the first seed that all of them have."""
    done = records.table[records.table["status"] == "done"]
    seeds = {arm: set(done.loc[done["arm"] == arm, "seed"]) for arm in WITH_KERNELS}
    shown = [arm for arm in WITH_KERNELS if seeds[arm]]
    if not shown:
        raise ValueError(f"kernels: one of {', '.join(WITH_KERNELS)} must have been run, got none.")
    seed = min(set.intersection(*(seeds[arm] for arm in shown)))
    return image_grid({arm: list(records.artefact("kernels", arm, seed=seed)) for arm in shown})


FIGURES = (
    Figure(
        "train_loss",
        "Training loss and the floor of a unitary read-out",
        "Each panel shows one arm with its band over seeds. Whoever ends below the dotted line has logits that are no "
        "probabilities: arms with classical heads or a factor may, unitary ones can't, and the published complex one "
        "does.",
        losses_with_floor,
    ),
    Figure(
        "kernels",
        "The ten strongest kernels of the convolutions",
        "A flipped quanvolution with real angles can only learn symmetric, positive semidefinite kernels of rank at "
        "most two; Conv2d learns any. Orange and purple are the two signs.",
        kernels,
    ),
)
