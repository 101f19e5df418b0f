"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale

Head = Literal["interleaved", "amplitude", "logistic", "mlp", "mlp-16", "cnn"]
StateHead = Literal["circuit", "logistic", "mlp"]
Training = Literal["standard", "adversarial", "augmented"]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, whatever it classifies.

    Args:
        training: on clean samples; half of each batch attacked; or half of each batch disturbed at random, as strongly.
        eps: how strongly, and the strength at which robustness is judged.
        attack_steps: of the attacks in training.
        lr: step size of Adam.
        forgetful: whether Adam forgets its averages at each step, as in the published code.
        iterations: number of steps.
        batch_size: samples a step.
        test_steps: of the attacks on test samples.
        levels: strengths at which robustness is measured; ``eps`` is one of them.
    """

    training: Training = "standard"
    eps: PositiveFloat = 0.1
    attack_steps: PositiveInt = 3
    lr: PositiveFloat = 0.005
    forgetful: bool = False
    iterations: PositiveInt = 100
    batch_size: PositiveInt = 50
    test_steps: PositiveInt = 10
    levels: tuple[NonNegativeFloat, ...] = (0.0, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class ImageSettings(Recipe):
    """Two classes of images.

    Args:
        head: what classifies the normalised pixels.
        depolarised: whether the circuit's outcomes are mixed with noise, see
            :class:`replank.studies.quantum_adversarial.heads.GlobalDepolarising`.
        classes: the two labels.
        side: of the images after resizing.
        resize: ``"area"`` to make them smaller, ``"bilinear"`` larger.
        pixel_order: whether pixels are read row by row, or column by column as the published arrays are.
        n_qubits: of the interleaved circuit.
        n_blocks: of both circuits.
        scale: factor of the features in the interleaved circuit's angles.
        readout: the qubit that is measured.
        n_train: training images, drawn by the seed and stratified; 0 means all of both classes.
        n_test: test images, likewise; all are attacked.
        shortcut_baseline: whether to measure what a linear reader of brightness and JPEG quality reaches, too.
    """

    head: Head = "logistic"
    depolarised: bool = False
    classes: tuple[NonNegativeInt, NonNegativeInt] = (1, 9)
    side: PositiveInt = 16
    resize: Literal["area", "bilinear"] = "area"
    pixel_order: Literal["rows", "columns"] = "rows"
    n_qubits: PositiveInt = 10
    n_blocks: PositiveInt = 9
    scale: PositiveFloat = 2.0
    readout: NonNegativeInt = 4
    n_train: NonNegativeInt = 500
    n_test: NonNegativeInt = 200
    shortcut_baseline: bool = False


@dataclass(frozen=True)
class TransferSettings(ImageSettings):
    """All heads of one seed, trained on clean images, attacked with each other's examples."""


@dataclass(frozen=True)
class StateSettings(Recipe):
    """States of a chain in a weak or in a strong quasi-periodic field.

    Args:
        head: what classifies them.
        n_qubits: length of the chain.
        n_blocks: of the circuit.
        readout: the qubit that is measured.
        n_train: training states.
        n_test: test states; all are attacked.
    """

    head: StateHead = "circuit"
    n_qubits: PositiveInt = 8
    n_blocks: PositiveInt = 9
    readout: NonNegativeInt = 3
    n_train: PositiveInt = 200
    n_test: PositiveInt = 100


Changes = Mapping[str, Mapping[str, Any]]

# Adam's step sizes. Circuits of images: the published one. All others, and that of the tuned circuit: by the training
# loss after standard and adversarial training on digits and mnist10k, of seeds that are not used here.
LEARNING_RATES: Mapping[Head, float] = {
    "interleaved": 0.005,
    "amplitude": 0.005,
    "logistic": 0.5,
    "mlp": 0.02,
    "mlp-16": 0.1,
    "cnn": 0.01,
}
TUNED = 0.1
STATE_LEARNING_RATES: Mapping[StateHead, float] = {"circuit": 0.1, "logistic": 0.5, "mlp": 0.1}

TRAININGS: Changes = {"*-adversarial": {"training": "adversarial"}, "*-augmented": {"training": "augmented"}}
BY_ARM: Changes = {
    **{f"{head}*": {"head": head, "lr": lr} for head, lr in LEARNING_RATES.items()},
    "interleaved-tuned*": {"lr": TUNED},
    "interleaved-forgetful*": {"forgetful": True},
    "interleaved-depolarised*": {"depolarised": True},
    **TRAININGS,
}
STATES_BY_ARM: Changes = {
    "states*": {"head": "circuit", "lr": STATE_LEARNING_RATES["circuit"]},
    **{f"states-{head}*": {"head": head, "lr": STATE_LEARNING_RATES[head]} for head in ("logistic", "mlp")},
    **TRAININGS,
}
DIGITS_TEST = 72
"""All test images of 3 and 8 that the set has."""
BY_DATASET: Changes = {
    "digits": {"classes": (3, 8), "resize": "bilinear", "n_train": 240, "n_test": DIGITS_TEST},
    "fashion_mnist": {"classes": (0, 9)},
    "medical_mnist": {"classes": (4, 1), "shortcut_baseline": True},
    "brain_tumor_mri": {"classes": (0, 3), "shortcut_baseline": True},
}

HANDWRITING, SCANS = ("digits", "mnist*"), ("medical_mnist", "brain_tumor_mri")
COMPARED = ("interleaved", "logistic", "mlp")
IMAGE_ARMS = (
    *(
        f"{head}{suffix}"
        for head in LEARNING_RATES
        for suffix in ("", "-adversarial", "-augmented")
        if suffix != "-augmented" or head in COMPARED
    ),
    "interleaved-tuned",
    "interleaved-tuned-adversarial",
    "interleaved-forgetful",
    "interleaved-forgetful-adversarial",
    "interleaved-depolarised",
    "interleaved-depolarised-adversarial",
)
SCAN_ARMS = (
    *(f"{head}{suffix}" for head in COMPARED for suffix in ("", "-adversarial", "-augmented")),
    "interleaved-tuned",
    "interleaved-tuned-adversarial",
)
STATE_ARMS = (
    "states",
    "states-adversarial",
    "states-augmented",
    "states-logistic",
    "states-logistic-adversarial",
    "states-mlp",
    "states-mlp-adversarial",
)

IMAGES = ImageSettings()
# the largest of these strengths that leaves training states of eight qubits a mean fidelity above 0.8
STATES = StateSettings(eps=0.14, levels=(0.0, 0.05, 0.1, 0.14, 0.2))


def _protocols(images: ImageSettings, states: StateSettings) -> dict[str, Protocol]:
    """All experiments at one size."""

    def of_images(settings: ImageSettings, about: str, **options: Any) -> Protocol:
        # no set has more images than the settings ask for, some have fewer
        sizes = {"n_train": settings.n_train, "n_test": settings.n_test}
        by_dataset = {
            name: {**change, **{which: min(change.get(which, n), n) for which, n in sizes.items()}}
            for name, change in BY_DATASET.items()
        }
        return Protocol(settings, by_arm=BY_ARM, by_dataset=by_dataset, about=about, **options)

    size = f"batches of {images.batch_size}, {images.iterations} steps; PGD of {images.test_steps} steps"
    transfer = TransferSettings(**vars(images))
    n_log = min(images.n_train, 500)
    return {
        "images": of_images(images, f"handwriting, 16x16: {size}", arms=IMAGE_ARMS, datasets=HANDWRITING),
        "images-scans": of_images(images, f"scans, 16x16: {size}", arms=SCAN_ARMS, datasets=SCANS),
        "transfer": of_images(
            transfer,
            "every head attacked with the examples of every other",
            arms=("transfer",),
            datasets=(*HANDWRITING, *SCANS),
            baseline="transfer",
        ),
        "log": of_images(
            replace(images, iterations=min(images.iterations, 100), n_train=n_log, pixel_order="columns"),
            "the published example: 500 images, step size 0.005, 100 steps of 50",
            arms=("interleaved", "interleaved-forgetful"),
            datasets=("fashion_mnist",),
            baseline="interleaved",
        ),
        "states": Protocol(
            states,
            by_arm=STATES_BY_ARM,
            about=f"states of a chain of {states.n_qubits} qubits, {states.n_train} and {states.n_test} of them",
            arms=STATE_ARMS,
            datasets=("generated",),
            baseline="states-logistic",
        ),
    }


def _scales_of_features(images: ImageSettings) -> dict[str, Protocol]:
    """The factor of the features in the angles, which is 2 elsewhere."""
    return {
        f"scale-{scale:g}": Protocol(
            replace(images, scale=scale),
            by_arm=BY_ARM,
            by_dataset=BY_DATASET,
            about=f"features are multiplied by {scale:g} before they are added to the angles",
            arms=("interleaved", "interleaved-adversarial"),
            datasets=(*HANDWRITING, *SCANS),
            baseline="interleaved",
        )
        for scale in (0.5, 1.0, 4.0)
    }


LEADING = (
    *(f"{head}{suffix}" for head in COMPARED for suffix in ("", "-adversarial")),
    "interleaved-augmented",
    "interleaved-tuned*",
    "interleaved-forgetful",
)
"""The arms that claims ask about: three seeds would leave most of them open."""

_TINY_IMAGES = replace(
    IMAGES, side=4, n_qubits=3, n_blocks=2, readout=1, iterations=2, batch_size=20, n_train=40, n_test=20, test_steps=2,
    levels=(0.0, 0.1),
)  # fmt: skip
_TINY_STATES = replace(
    STATES, n_qubits=4, n_blocks=2, readout=1, iterations=2, n_train=20, n_test=10, test_steps=2, levels=(0.0, 0.14)
)
_PAPER_IMAGES = replace(IMAGES, iterations=300, n_train=1000, test_steps=20)
_PAPER_STATES = replace(STATES, n_qubits=10, readout=4, iterations=300, n_train=500, n_test=200, test_steps=20)

SCALES = {
    "smoke": Scale(_protocols(_TINY_IMAGES, _TINY_STATES), datasets=("digits",), seeds=1, minutes=0.2),
    "small": Scale(
        _protocols(IMAGES, STATES),
        datasets=("mnist10k", "digits", "fashion_mnist", *SCANS),
        seeds=3,
        minutes=4.5,
        more_seeds={**dict.fromkeys(LEADING, 5), "states*": 5, "transfer": 4},
        without_files={"mnist10k": "mnist5k", "fashion_mnist": None, "medical_mnist": None, "brain_tumor_mri": None},
    ),
    "paper": Scale(
        _protocols(_PAPER_IMAGES, _PAPER_STATES) | _scales_of_features(_PAPER_IMAGES),
        datasets=("mnist", "digits", "fashion_mnist", *SCANS),
        seeds=5,
        minutes=120,
        without_files={"fashion_mnist": None, "medical_mnist": None, "brain_tumor_mri": None},
    ),
}
