"""What a trial of this study needs to know, in both of its networks and at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale

ParallelExperiment = Literal["controls", "compared", "alone", "grid", "variants", "wide"]
QuanvExperiment = Literal["filters", "lr"]

LEARNING_RATES = (0.0025, 0.003, 0.0035)
SWEEP = {f"quanv-b-lr-{lr:g}": lr for lr in LEARNING_RATES}
"""The arms of the sweep: circuit B at the step sizes between which the students saw accuracy swing."""

_CONTROLS = ("removed", "4x5", "4x5-post-bn", "linear-tanh", "frozen", "unentangled", "classical-372k")

ARMS: Mapping[str, tuple[str, ...]] = {
    "controls": _CONTROLS,
    "compared": (*_CONTROLS, "2x10", "20x1"),
    "alone": ("4x5",),
    "grid": ("4x5", "2x10", "5x4", "10x2", "20x1"),
    "variants": (
        "4x5",
        "depth-0",
        "depth-1",
        "depth-6",
        "observable-x",
        "observable-z",
        "tanh-angles",
        "sigmoid-angles",
        "student",
    ),
    "wide": ("removed", "4x5", "linear-tanh", "1x20"),
    "filters": (
        "cnn-4",
        "cnn-1",
        "quanv-a",
        "quanv-b",
        "quanv-a-frozen",
        "quanv-b-frozen",
        "quanv-random",
        "flipped",
        "conv",
        "conv-tanh",
        "random-features",
    ),
    "lr": tuple(SWEEP),
}
"""The arms of each experiment, in the order of the study's."""


@dataclass(frozen=True)
class ParallelSettings:
    """HQNN-Parallel.

    Args:
        experiment: which arms are compared.
        blocks: channels of the convolutions before each pooling.
        kernel_size: their odd window; the padding keeps the size.
        n_features: numbers that go through the circuits, which share them out evenly.
        n_classes: of the data.
        depth: layers of each circuit, unless the arm says otherwise.
        lr: step size of Adam.
        batch_size: samples a step.
        epochs: passes over the training set.
        n_train: training images, drawn by the seed and stratified; 0 means all.
        n_test: test images, likewise.
        evaluate_every: epochs from one evaluation to the next.
        shortcut_baseline: whether to measure what a linear reader of brightness and JPEG quality reaches, too.
    """

    experiment: ParallelExperiment
    blocks: tuple[tuple[PositiveInt, ...], ...] = ((16,), (32,))
    kernel_size: PositiveInt = 5
    n_features: PositiveInt = 20
    n_classes: PositiveInt = 10
    depth: PositiveInt = 3
    lr: PositiveFloat = 1e-3
    batch_size: PositiveInt = 64
    epochs: PositiveInt = 20
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0
    evaluate_every: PositiveInt = 1
    shortcut_baseline: bool = False


@dataclass(frozen=True)
class QuanvSettings:
    """HQNN-Quanv and its rivals.

    Args:
        experiment: which arms are compared.
        depth: layers of circuit A.
        relu_logits: whether logits pass through a ReLU, as in one re-implementation, which kills those below 0.
        lr: step size of stochastic gradient descent with momentum 0.9.
        batch_size: samples a step.
        epochs: passes over the training set.
        n_train: training images, drawn by the seed and stratified.
        n_test: test images, likewise.
    """

    experiment: QuanvExperiment
    depth: PositiveInt = 1
    relu_logits: bool = False
    lr: PositiveFloat = 3e-3
    batch_size: PositiveInt = 4
    epochs: PositiveInt = 40
    n_train: PositiveInt = 500
    n_test: PositiveInt = 100


GREY_SETS = ("mnist*", "fashion_mnist", "digits")

# What was published of the networks for other sets is not known to us: deeper ones of ours.
OTHER_SETS: Mapping[str, Mapping[str, Any]] = {
    "cifar10": {"blocks": ((32, 32), (64, 64), (128, 128)), "kernel_size": 3},
    "medical_mnist": {
        "blocks": ((16,), (32,), (64,)),
        "kernel_size": 3,
        "n_classes": 6,
        "shortcut_baseline": True,
    },
}


def _parallel(settings: ParallelSettings, about: str, **options: Any) -> Protocol:
    by_dataset = {**OTHER_SETS, "mnist5k": {"n_test": min(settings.n_test, 1000)}}
    arms = ARMS[settings.experiment]
    return Protocol(settings, by_dataset=by_dataset, about=about, arms=arms, baseline=arms[0], **options)


def _quanv(settings: QuanvSettings, about: str) -> Protocol:
    by_arm = {arm: {"lr": lr} for arm, lr in SWEEP.items()}
    arms = ARMS[settings.experiment]
    return Protocol(settings, by_arm=by_arm, about=about, arms=arms, datasets=GREY_SETS, baseline=arms[0])


PUBLISHED = ParallelSettings("controls")
QUANV = QuanvSettings("filters")

_SMALL = replace(PUBLISHED, experiment="compared", epochs=3, n_train=4000, n_test=2000)
_SMALL_QUANV = replace(QUANV, epochs=20)
_SMOKE = replace(PUBLISHED, epochs=1, n_train=60, n_test=30, batch_size=30, shortcut_baseline=True)
_SMOKE_QUANV = replace(QUANV, epochs=1, n_train=40, n_test=20)
_FEW = "4,000 training and 2,000 test images drawn by each seed, 3 epochs of Adam 1e-3, batch 64"
_STUDENTS = "500 training and 100 test images drawn by each seed, SGD with momentum 0.9, batch 4"
_WHOLE = "all images, Adam 1e-3, batch 64"

SCALES = {
    "smoke": Scale(
        {
            "P-smoke": _parallel(_SMOKE, "tiny, to see that everything runs"),
            "grid-smoke": _parallel(replace(_SMOKE, experiment="grid"), "likewise"),
            "variants-smoke": _parallel(replace(_SMOKE, experiment="variants"), "likewise"),
            "wide-smoke": _parallel(
                replace(_SMOKE, experiment="wide", n_train=10, n_test=10, batch_size=2), "likewise"
            ),
            "Q-smoke": _quanv(_SMOKE_QUANV, "likewise"),
            "lr-smoke": _quanv(replace(_SMOKE_QUANV, experiment="lr"), "likewise"),
        },
        datasets=("digits",),
        seeds=1,
        minutes=0.4,
    ),
    "small": Scale(
        {
            "P": _parallel(_SMALL, f"HQNN-Parallel, its controls and two other widths: {_FEW}"),
            "10k": _parallel(
                replace(PUBLISHED, experiment="alone", epochs=3, evaluate_every=3),
                "HQNN-Parallel on all images, 3 epochs of Adam 1e-3, batch 64",
                datasets=("mnist10k", "mnist5k"),
            ),
            "Q": _quanv(
                _SMALL_QUANV, f"HQNN-Quanv, circuits A and B, and its rivals: {_STUDENTS}, lr 0.003, 20 epochs"
            ),
            "lr": _quanv(
                replace(_SMALL_QUANV, experiment="lr"), f"HQNN-Quanv, circuit B: {_STUDENTS}, lr by arm, 20 epochs"
            ),
        },
        datasets=("mnist10k",),
        seeds=3,
        minutes=5,
        more_seeds={
            **dict.fromkeys(("removed", "4x5", "linear-tanh"), 5),  # what the report leads with
            **dict.fromkeys(ARMS["filters"], 5),  # seconds each, and 100 test images say little
            **dict.fromkeys(("cnn-?", "quanv-a", "quanv-b"), 10),
        },
        without_files={"mnist10k": "mnist5k"},
    ),
    "medium": Scale(
        {"P-full": _parallel(replace(PUBLISHED, epochs=5), f"HQNN-Parallel and its controls: {_WHOLE}, 5 epochs")},
        datasets=("mnist",),
        seeds=2,
        minutes=20,
    ),
    "wide": Scale(
        {
            "P-wide": _parallel(
                replace(PUBLISHED, experiment="wide", epochs=2, n_train=640, n_test=200),
                "one circuit of 20 qubits, which no other scale simulates: 640 training and 200 test images, 2 epochs",
            )
        },
        datasets=("mnist10k",),
        seeds=2,
        minutes=3,
        without_files={"mnist10k": "mnist5k"},
    ),
    "paper": Scale(
        {
            "P-paper": _parallel(PUBLISHED, f"HQNN-Parallel and its controls: {_WHOLE}, 20 epochs"),
            "grid-paper": _parallel(
                replace(PUBLISHED, experiment="grid"), f"circuits x qubits: {_WHOLE}, 20 epochs", datasets=GREY_SETS
            ),
            "variants-paper": _parallel(
                replace(PUBLISHED, experiment="variants"),
                f"depths, observables, angles, the students' circuit: {_WHOLE}, 20 epochs",
                datasets=GREY_SETS,
            ),
            "Q-paper": _quanv(QUANV, f"HQNN-Quanv and its rivals: {_STUDENTS}, lr 0.003, 40 epochs"),
            "lr-paper": _quanv(
                replace(QUANV, experiment="lr"), f"HQNN-Quanv, circuit B: {_STUDENTS}, lr by arm, 40 epochs"
            ),
        },
        datasets=("mnist", "cifar10", "medical_mnist"),
        seeds=5,
        minutes=1_600,
        more_seeds=dict.fromkeys(ARMS["filters"], 10),
    ),
}
