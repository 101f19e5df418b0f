"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale

Problem = Literal["images", "equality", "overhead"]

TRAINED = ("qcnn", "qcnn-cut-exact", "qcnn-shared", "qcnn-frozen", "qcnn-unentangled", "linear-tanh", "diagonal-tanh",
           "identity")  # fmt: skip
CUT = ("qcnn-cut-exact", "qcnn-cut-eigen", "qcnn-cut-real", "qcnn-cut-twice", "qcnn-cut-pool")
SAMPLED = ("qcnn", "qcnn-cut-exact", "qcnn-cut-real", "qcnn-cut-twice")


@dataclass(frozen=True)
class DistributedSettings:
    """Sizes and training budget.

    Args:
        problem: what is measured: ``"images"``: a classifier is trained on them; ``"equality"``: the cut layer is
            compared with the uncut one, on random inputs and in training; ``"overhead"``: the variance of estimates.
        trunk: the convolutions: ``"small"``, two of them, or ``"mobilenet"``, MobileNetV2.
        side: what images are resized to; 0 keeps them.
        classes: labels of the classes that are told apart; none for all.
        against_rest: the label that is told from all others; -1 if every class is one of its own.
        n_train: training images, drawn by the seed and stratified; 0 means all. Lesions are drawn as many.
        n_test: test images, likewise.
        lr: step size of Adam.
        batch_size: samples a step.
        epochs: passes over the training set.
        shots: numbers of shots with which the trained circuit is tested.
        draws: random inputs and angles on which values are compared.
        workers: processes of the pool.
        repeats: estimates whose variance is measured.
    """

    problem: Problem = "images"
    trunk: Literal["small", "mobilenet"] = "small"
    side: NonNegativeInt = 0
    classes: tuple[int, ...] = ()
    against_rest: int = -1
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0
    lr: PositiveFloat = 3e-3
    batch_size: PositiveInt = 32
    epochs: PositiveInt = 8
    shots: tuple[int, ...] = (256, 1024, 4096)
    draws: PositiveInt = 200
    workers: PositiveInt = 2
    repeats: PositiveInt = 1000


IMAGES = DistributedSettings()
EQUALITY = DistributedSettings("equality", classes=(3, 8), epochs=3)
OVERHEAD = DistributedSettings("overhead")
SHORTCUT = (
    "Medical MNIST. NO MEDICAL TASK: JPEG quality and background differ between the classes, and three numbers an "
    "image that see no anatomy are tested beside the networks"
)


def _images(settings: DistributedSettings, about: str, *sets: str, **changes: Any) -> Protocol:
    return Protocol(replace(settings, **changes), about=about, arms=TRAINED, datasets=sets)


def _lesions(settings: DistributedSettings, n_train: int, n_test: int) -> Protocol:
    return _images(
        settings,
        f"SYNTHETIC: {n_train} / {n_test} drawn lesions of two classes, no photographs; no accuracy on them says "
        "anything about skin",
        "generated",
        n_train=n_train,
        n_test=n_test,
    )


def _equality(settings: DistributedSettings) -> Protocol:
    return Protocol(
        settings,
        about=f"double precision: values and gradients on {settings.draws} random inputs and angles, and "
        f"{settings.epochs} epochs on digits 3 and 8 beside the uncut layer",
        arms=("qcnn", *CUT),
        datasets=("digits",),
    )


def _overhead(settings: DistributedSettings) -> Protocol:
    return Protocol(
        settings,
        about="no training: the variance of estimates from finitely many shots, with one cut, one without Y, and two",
        arms=SAMPLED,
        datasets=("generated",),
    )


SMALL = Scale(
    {
        "images-3-8": _images(IMAGES, "digits, 3 against 8", "digits", classes=(3, 8)),
        "images-10": _images(IMAGES, "digits, ten classes", "digits"),
        "images-pneumonia": _images(
            IMAGES, "1,200 training and all 624 test radiographs, drawn by each seed", "pneumoniamnist", n_train=1200
        ),
        "images-shortcut": _images(IMAGES, SHORTCUT, "medical_mnist", n_train=600, n_test=600, side=32),
        "images-synthetic-lesions": _lesions(IMAGES, 600, 200),
        "equality": _equality(EQUALITY),
        "overhead": _overhead(OVERHEAD),
    },
    datasets=("digits", "pneumoniamnist", "medical_mnist"),
    seeds=5,
    minutes=4,
    without_files={"pneumoniamnist": None, "medical_mnist": None},
)

_TINY: Mapping[str, Any] = {"n_train": 96, "n_test": 40, "epochs": 1, "shots": (64,)}
SMOKE = Scale(
    {
        "images-3-8": _images(IMAGES, "tiny, to see that everything runs", "digits", classes=(3, 8), **_TINY),
        "images-synthetic-lesions": _lesions(replace(IMAGES, epochs=1, shots=(64,)), 64, 30),
        "equality": _equality(replace(EQUALITY, n_train=64, n_test=20, epochs=1, draws=5)),
        "overhead": _overhead(replace(OVERHEAD, repeats=50)),
    },
    datasets=("digits",),
    seeds=1,
    minutes=0.3,
)

_PAPER = replace(IMAGES, trunk="mobilenet", side=224, lr=1e-3, epochs=30)
PAPER = Scale(
    {
        "images-skin": _images(_PAPER, "MobileNetV2 on 224x224, all classes", "ham10000", "isic2017"),
        "images-melanoma": _images(_PAPER, "melanoma against the rest", "isic2017", against_rest=0),
        "images-medmnist": _images(_PAPER, "28x28 enlarged to 224x224", "pneumoniamnist", "breastmnist", "dermamnist"),
        "images-shortcut": _images(_PAPER, SHORTCUT, "medical_mnist"),
        "images-synthetic-lesions": _lesions(_PAPER, 6000, 2000),
        "equality": _equality(replace(EQUALITY, draws=2000, epochs=30)),
        "overhead": _overhead(replace(OVERHEAD, repeats=10_000)),
    },
    datasets=("ham10000", "isic2017", "pneumoniamnist", "breastmnist", "dermamnist", "medical_mnist", "digits"),
    seeds=5,
    minutes=30_000,
    without_files=dict.fromkeys(
        ("ham10000", "isic2017", "pneumoniamnist", "breastmnist", "dermamnist", "medical_mnist")
    ),
)

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
