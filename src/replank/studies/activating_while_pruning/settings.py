"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.studies.activating_while_pruning.model import Network


@dataclass(frozen=True)
class PruningSettings:
    """Network, pruning and training of a cycle.

    Args:
        network: what is pruned.
        batch_norm: whether LeNet300 and Conv4 normalise before each rectifier.
        p: share of the weights that are left which goes in a cycle.
        q: of these, the share that is the add-on's.
        cycles: how often is pruned; the dense network comes before.
        apply: whether the add-on works in every cycle or only in the last.
        reset: surviving weights go back to their first values, or are drawn anew.
        schedule: half an epoch of warm-up, then cosine; or the published steps.
        lr: largest step size.
        weight_decay: of SGD with momentum 0.9.
        batch_size: samples a step.
        epochs: of each cycle.
        augment: crops and flips of training images.
        published_start: initial values of the official script.
        official_quirks: every parameter whose name contains "weight" is pruned, normalisation scales among them; the
            add-on removes a weight too many; test images are augmented, the last partial batch counts as wrong, and
            the best epoch on test images is kept as ``test_accuracy_as_published``.
        n_train: training images, drawn by the seed; 0 means all.
        n_test: test images, likewise.
        n_probed: training images on which dead neurons are counted and gradients taken.
    """

    network: Network = "lenet300"
    batch_norm: bool = False
    p: PositiveFloat = 0.4
    q: NonNegativeFloat = 0.04
    cycles: PositiveInt = 7
    apply: Literal["every", "last"] = "every"
    reset: Literal["rewind", "reinit"] = "rewind"
    schedule: Literal["cosine", "published"] = "cosine"
    lr: PositiveFloat = 0.1
    weight_decay: NonNegativeFloat = 0.0
    batch_size: PositiveInt = 128
    epochs: PositiveInt = 4
    augment: bool = False
    published_start: bool = False
    official_quirks: bool = False
    n_train: NonNegativeInt = 6000
    n_test: NonNegativeInt = 0
    n_probed: PositiveInt = 1000


SMALL = PruningSettings()
SMOKE = replace(SMALL, cycles=2, epochs=1, n_train=200, n_test=100, n_probed=100)
PUBLISHED = PruningSettings(
    network="resnet20", p=0.2, q=0.02, cycles=24, schedule="published", weight_decay=5e-4, batch_size=64, epochs=50,
    augment=True, published_start=True, n_train=0,
)  # fmt: skip
ALL = {"digits": {"n_train": 0, "n_test": 0}}
MAIN = ("magnitude", "magnitude-ap")

SCALES = {
    "smoke": Scale({"smoke": Protocol(SMOKE, about="tiny, to see that everything runs")}, ("digits",), 1, 0.3),
    "small": Scale(
        {
            "small": Protocol(
                SMALL,
                by_dataset=ALL,
                about="LeNet300, 6,000 training and 10,000 test images; 7 cycles of 4 epochs, 2.8 % of the weights",
            ),
            "normalised": Protocol(
                replace(SMALL, batch_norm=True),
                by_dataset=ALL,
                about="the same with BatchNorm before each ReLU, which centres what the add-on has shifted",
                arms=MAIN,
            ),
        },
        datasets=("fashion_mnist",),
        seeds=3,
        minutes=4.5,
        more_seeds=dict.fromkeys(MAIN, 5),
        without_files={"fashion_mnist": "digits"},
    ),
    "paper": Scale(
        {
            "published": Protocol(
                PUBLISHED, about="ResNet-20: 24 prunings of 20 %, 50 epochs each; in every cycle, rewinding",
                datasets=("cifar10",),
            ),
            "lite": Protocol(
                replace(PUBLISHED, apply="last"), about="the add-on in the last cycle only", arms=MAIN,
                datasets=("cifar10",),
            ),
            "quirks": Protocol(
                replace(PUBLISHED, official_quirks=True, reset="reinit"), about="with the official script's quirks",
                arms=MAIN, datasets=("cifar10",),
            ),
            "conv4": Protocol(
                replace(SMALL, network="conv4", p=0.2, q=0.02, cycles=17, epochs=10, n_train=0, weight_decay=5e-4),
                about="Conv4, a day on a CPU",
                datasets=("fashion_mnist",),
            ),
        },
        datasets=("cifar10", "fashion_mnist"),
        seeds=10,
        minutes=500_000,
        without_files={"cifar10": None, "fashion_mnist": None},
    ),
}  # fmt: skip
