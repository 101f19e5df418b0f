"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale


@dataclass(frozen=True)
class EmbeddingSettings:
    """Sizes and training budget.

    Args:
        n_classes: the classes 0, 1, ... that are told apart.
        split: ``"official"``, or ``"random"``: training and test images together are split anew by each seed.
        n_train: training images; of an official split a stratified draw by the seed, 0 means all.
        n_test: test images, likewise.
        block: trainable unitaries of a layer: SU(4) on a ``"chain"`` of pairs (0, 1), (1, 2), ..., on a ``"brickwall"``
            of them, or one ``"full"`` SU(2^n).
        n_layers: how often the image is uploaded.
        n_read_out: how many qubits are measured, the first ones.
        n_convolutions: layers of the convolutional network.
        lr: step size of Adam.
        schedule: of the step size: ``"constant"``, ``"decay"`` by a hundredth every ``decay_every`` steps, or
            ``"cosine"`` from all of it to 95 %.
        decay_every: steps.
        clip: whether each number of a gradient is cut to [-1, 1].
        batch_size: samples a step, 0 means all.
        epochs: passes over the training set.
        evaluate_every: epochs from one evaluation to the next.
    """

    n_classes: PositiveInt
    split: Literal["official", "random"]
    n_train: NonNegativeInt
    n_test: NonNegativeInt
    block: Literal["chain", "brickwall", "full"]
    n_layers: PositiveInt
    n_read_out: PositiveInt
    n_convolutions: PositiveInt
    lr: PositiveFloat
    schedule: Literal["constant", "decay", "cosine"]
    decay_every: PositiveInt
    clip: bool
    batch_size: NonNegativeInt
    epochs: PositiveInt
    evaluate_every: PositiveInt


DIGITS = EmbeddingSettings(
    n_classes=8,
    split="random",
    n_train=1200,
    n_test=100,
    block="chain",
    n_layers=15,
    n_read_out=3,
    n_convolutions=1,
    lr=0.1,
    schedule="constant",
    decay_every=100,
    clip=False,
    batch_size=0,
    epochs=500,
    evaluate_every=10,
)
IMAGES = EmbeddingSettings(
    n_classes=8,
    split="official",
    n_train=0,
    n_test=0,
    block="full",
    n_layers=10,
    n_read_out=4,
    n_convolutions=2,
    lr=0.01,
    schedule="decay",
    decay_every=100,
    clip=True,
    batch_size=1000,
    epochs=100,
    evaluate_every=5,
)
CT = replace(
    IMAGES,
    n_classes=2,
    split="random",
    n_train=80,
    n_test=20,
    block="brickwall",
    n_layers=2,
    n_read_out=1,
    decay_every=500,
    batch_size=0,
    epochs=500,
    evaluate_every=10,
)

DEPTHS = (2, 5, 10, 20)
DEEPER = {f"layers-{n}": {"n_layers": n} for n in DEPTHS}

# What the published code trains otherwise: the convolutional network.
PUBLISHED_QCNN = {"qcnn": {"lr": 0.1, "schedule": "constant", "clip": False}}
SMALL_QCNN = {"qcnn": {"lr": 0.1, "schedule": "cosine", "clip": False}}
PUBLISHED_QCNN_ON_IMAGES = {"qcnn": {**SMALL_QCNN["qcnn"], "batch_size": 10_000}}

# Circuits keep the published step sizes. Those of classical controls were chosen by training loss, none on test images.
CLASSICAL = {
    "logistic*": {"lr": 0.3},
    "linear-*": {"lr": 0.1},
    "mlp*": {"lr": 0.1},
    "softmax-*": {"lr": 0.3},
}
PLAIN = {"schedule": "constant", "clip": False}
CLASSICAL_ON_IMAGES = {
    "logistic*": {"lr": 0.1, **PLAIN},
    "mlp": {"lr": 0.01, **PLAIN},
    "softmax-*": {"lr": 0.01, **PLAIN},
}

ON_IMAGES = ("qcnn", "embedding", "layers-20", "frozen-blocks", "logistic*", "mlp", "softmax-linear")
ON_CT = ("qcnn", "embedding", "frozen-blocks", "logistic*", "mlp", "softmax-linear")
GREY = ("mnist", "mnist10k", "mnist5k", "fashion_mnist")

SMALL_DIGITS = Protocol(
    replace(DIGITS, n_test=243, epochs=150),
    by_arm={**DEEPER, **PUBLISHED_QCNN, **CLASSICAL},
    about="digits, classes 0 to 7, split anew by each seed into 1,200 and 243; the published circuit, a third of its "
    "epochs",
    datasets=("digits",),
)
SMALL_IMAGES = Protocol(
    replace(IMAGES, n_train=2000, batch_size=100, epochs=30, evaluate_every=10),
    by_arm={**DEEPER, **SMALL_QCNN, **CLASSICAL_ON_IMAGES},
    about="classes 0 to 7, padded to 32x32; 2,000 training images drawn by each seed, all test images; the "
    "published step sizes, batch 100, 30 epochs",
    arms=ON_IMAGES,
    datasets=GREY,
)
FULL_CT = Protocol(
    CT,
    by_arm={**PUBLISHED_QCNN, **CLASSICAL_ON_IMAGES},
    about="100 images, split anew by each seed into 80 and 20",
    arms=ON_CT,
    datasets=("ct_contrast",),
)
SMOKE = Protocol(
    replace(DIGITS, n_train=100, n_test=40, n_layers=2, epochs=2),
    by_arm={**DEEPER, **PUBLISHED_QCNN, **CLASSICAL},
    about="tiny, to see that everything runs",
    datasets=("digits",),
)

# what claims and the contrast are about: with three seeds, the spread of the convolutional network hides its distance
COMPARED = ("qcnn", "embedding*", "layers-*", "logistic*", "linear-*", "mlp*", "softmax-*")

SCALES = {
    "smoke": Scale({"smoke": SMOKE}, datasets=("digits",), seeds=1, minutes=0.2),
    "small": Scale(
        {"digits": SMALL_DIGITS, "images": SMALL_IMAGES, "ct": FULL_CT},
        datasets=("digits", "mnist10k", "ct_contrast"),
        seeds=3,
        minutes=4,
        more_seeds=dict.fromkeys(COMPARED, 5),
        without_files={"mnist10k": "mnist5k", "ct_contrast": None},
    ),
    "paper": Scale(
        {
            "full-digits": Protocol(
                DIGITS,
                by_arm={**DEEPER, **PUBLISHED_QCNN, **CLASSICAL},
                about="as published, with another start for each seed: Adam 0.1, full batch, 500 epochs, 1,200 / 100",
                datasets=("digits",),
            ),
            "full-images": Protocol(
                IMAGES,
                by_arm={**DEEPER, **PUBLISHED_QCNN_ON_IMAGES, **CLASSICAL_ON_IMAGES},
                about="as published, with another start for each seed: Adam 0.01 with decay, batch 1,000, 100 epochs",
                arms=(*ON_IMAGES, "layers-*"),
                datasets=("mnist", "fashion_mnist"),
            ),
            "full-ct": FULL_CT,
        },
        datasets=("digits", "mnist", "fashion_mnist", "ct_contrast"),
        seeds=5,
        minutes=3000,
        without_files={"ct_contrast": None},
    ),
}
