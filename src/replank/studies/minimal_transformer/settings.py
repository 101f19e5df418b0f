"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.parts.patch_classifier import Norm, Pool
from replank.studies.minimal_transformer.arms import COSTED, FULL, FULL_MLP, MINIMUM, NARROW


@dataclass(frozen=True)
class MinimalSettings:
    """Sizes and training budget.

    Args:
        problem: whether a classifier is trained, or single encoders are timed.
        patch_size: side of a patch.
        width: features of a token, N.
        depth: number of encoders, S.
        heads: of each attention.
        mlp_ratio: hidden features of the network behind the attention, for each feature of a token.
        norm: behind the sums, or ahead.
        pixel_scale: what pixels in [0, 1] are multiplied by: large ones drown the positions, which are drawn small.
        pool: what is read out.
        lr: step size of Adam.
        batch_size: samples a step.
        epochs: passes over the training set.
        evaluate_every: epochs from one evaluation to the next.
        n_train: training images, drawn by the seed and stratified; 0 means all.
        n_test: test images, likewise.
        widths: features at which encoders are timed, with ``tokens[0]`` tokens.
        tokens: numbers of tokens at which encoders are timed, with ``widths[0]`` features.
        repeats: timed passes at each size.
    """

    problem: Literal["train", "cost"] = "train"
    patch_size: PositiveInt = 4
    width: PositiveInt = 64
    depth: PositiveInt = 6
    heads: PositiveInt = 1
    mlp_ratio: PositiveFloat = 4
    norm: Norm = "pre"
    pixel_scale: PositiveFloat = 0.1
    pool: Pool = "class"
    lr: PositiveFloat = 1e-3
    batch_size: PositiveInt = 512
    epochs: PositiveInt = 500
    evaluate_every: PositiveInt = 1
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0
    widths: tuple[PositiveInt, ...] = (32, 64, 128, 256)
    tokens: tuple[PositiveInt, ...] = (16, 64, 256, 512)
    repeats: PositiveInt = 5


PUBLISHED = MinimalSettings(evaluate_every=10)
SMALL = MinimalSettings(patch_size=7, width=32, depth=3, batch_size=128, epochs=6, evaluate_every=3)
SMOKE = replace(SMALL, patch_size=4, width=16, depth=1, batch_size=50, epochs=1, n_train=100, n_test=50)
MEDIUM_ARMS = (FULL_MLP, FULL, "wqk", "symmetric", "symmetric-tri", MINIMUM, NARROW)
IMAGES = ("mnist*", "fashion_mnist", "digits")
DRAWN = ("generated",)


def _deep(settings: MinimalSettings) -> dict[str, dict[str, int]]:
    return {"full-mlp-deep": {"depth": 2 * settings.depth}}


def _cost(settings: MinimalSettings, about: str, arms: tuple[str, ...] = COSTED) -> Protocol:
    return Protocol(
        replace(settings, problem="cost"),
        about=about,
        arms=arms,
        datasets=DRAWN,
        baseline=FULL,
        headline_metric="training_ms_at_widest",
    )


SCALES = {
    "smoke": Scale(
        {
            "smoke": Protocol(SMOKE, by_arm=_deep(SMOKE), about="tiny, to see that everything runs", datasets=IMAGES),
            "cost": _cost(
                replace(SMOKE, widths=(8, 16), tokens=(4, 8), repeats=1), "tiny, to see that it runs", (FULL, MINIMUM)
            ),
        },
        datasets=("digits",),
        seeds=1,
        minutes=0.2,
    ),
    "small": Scale(
        {
            "small": Protocol(
                SMALL,
                by_arm=_deep(SMALL),
                about="10,000 training and 10,000 test images, 3 encoders of width 32 on 16 patches, 6 epochs of "
                "batches of 128, Adam 1e-3",
                datasets=IMAGES,
            ),
            "pictures": Protocol(
                replace(SMALL, patch_size=8, n_train=5000, n_test=2000, epochs=6),
                about="5,000 training and 2,000 test images of CIFAR-10, 16 patches",
                arms=(FULL_MLP, FULL, MINIMUM, NARROW),
                datasets=("cifar10",),
            ),
            "cost": _cost(SMALL, "single encoders, a training step and a prediction, against width and tokens"),
        },
        datasets=("mnist10k", "cifar10"),
        seeds=3,
        minutes=5,
        without_files={"mnist10k": "mnist5k", "cifar10": None},
    ),
    "medium": Scale(
        {
            "medium": Protocol(
                replace(PUBLISHED, patch_size=7, batch_size=128, epochs=10, evaluate_every=2),
                about="all of MNIST, 6 encoders of width 64 on 16 patches, 10 epochs of batches of 128, Adam 1e-3",
                arms=MEDIUM_ARMS,
            )
        },
        datasets=("mnist",),
        seeds=2,
        minutes=25,
    ),
    "paper": Scale(
        {
            "published": Protocol(
                PUBLISHED,
                by_arm=_deep(PUBLISHED),
                about="500 epochs of Adam, 6 encoders (full-mlp-deep: 12), one head; width, patches, batches and step "
                "size are ours",
                datasets=("mnist", "cifar10"),
            ),
            "cost": _cost(
                replace(PUBLISHED, widths=(64, 128, 256, 512, 1024), tokens=(16, 64, 256, 1024), repeats=11),
                "single encoders, a training step and a prediction, against width and tokens",
            ),
        },
        datasets=("mnist", "cifar10"),
        seeds=3,
        minutes=60_000,
        without_files={"cifar10": None},
    ),
}
