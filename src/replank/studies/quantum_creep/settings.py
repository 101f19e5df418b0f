"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale


@dataclass(frozen=True)
class CreepSettings:
    """Sizes and training budget.

    Args:
        frame: what is done to the images: ``"pad"`` 28x28 to 32x32 with black (CIFAR-10 has that size already),
            ``"halve"`` by averaging 2x2 pixels, or ``"keep"``.
        channels: output channels of the two convolutions.
        n_reps: how often the features are uploaded at level 2.
        lr: step size of Adam.
        batch_size: samples a step.
        epochs: passes over the training set.
        n_train: training images, drawn by the seed and stratified; 0 means all.
        n_test: test images, likewise.
    """

    frame: Literal["pad", "halve", "keep"]
    channels: tuple[PositiveInt, PositiveInt]
    n_reps: PositiveInt
    lr: PositiveFloat
    batch_size: PositiveInt
    epochs: PositiveInt
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0


PUBLISHED = CreepSettings(frame="pad", channels=(32, 16), n_reps=10, lr=5e-4, batch_size=200, epochs=50)

# The quantum read-out needs a larger step than the classical layers, the published complex parametrisation diverges at
# it, and a softmax saturates at the classical one. All were chosen by training loss, none on test images.
QUANTUM_LR = {"lr": 2e-2}
SMALL_STEP = {"lr": 1e-3}
SMALL = Protocol(
    CreepSettings(
        frame="halve", channels=(8, 8), n_reps=4, lr=5e-3, batch_size=100, epochs=12, n_train=2000, n_test=1000
    ),
    by_arm={
        "level-2*": QUANTUM_LR,
        "2[acde]*": QUANTUM_LR,
        "2b*": SMALL_STEP,
        "*-complex": {**SMALL_STEP, "epochs": 20},
    },
    about="2,000 training and 1,000 test images, drawn by each seed and halved in size",
)
SMOKE = Protocol(
    replace(SMALL.settings, frame="keep", channels=(4, 4), n_reps=2, batch_size=50, epochs=2, n_train=300, n_test=100),
    by_arm={**SMALL.by_arm, "*-complex": SMALL_STEP},
    about="tiny, to see that everything runs",
)

SCALES = {
    "smoke": Scale({"smoke": SMOKE}, datasets=("digits",), seeds=1, minutes=0.3),
    "small": Scale(
        {"small": SMALL},
        datasets=("mnist5k",),
        seeds=3,
        minutes=3.5,
        more_seeds={"level-[01]": 10},  # a few seconds each, and the claims about them ask for a point or two
    ),
    "paper": Scale(
        {
            "T": Protocol(PUBLISHED, about="the published PyTorch scripts: Adam 5e-4, batch 200, 50 epochs"),
            "J": Protocol(
                replace(PUBLISHED, lr=5e-3, batch_size=1000, epochs=100),
                by_dataset={"cifar10": {"batch_size": 500}},
                about="the published JAX notebooks: Adam 5e-3, batch 1000 (CIFAR-10: 500), 100 epochs",
            ),
        },
        datasets=("mnist", "fashion_mnist", "cifar10"),
        seeds=5,
        minutes=40_000,
    ),
}
