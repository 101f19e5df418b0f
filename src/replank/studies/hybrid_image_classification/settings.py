"""What a trial of this study needs to know, at each scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.studies.hybrid_image_classification.factors import (
    BOTTLENECKS,
    BY_ARM,
    BY_BOTTLENECK,
    Bottleneck,
    Recipe,
    Trunk,
)


@dataclass(frozen=True)
class HybridSettings:
    """Place in the grid, sizes and training budget.

    Args:
        bottleneck: the first factor.
        trunk: the second.
        recipe: the third.
        network: the data set whose published sizes, normalisation and augmentation are used.
        batch_size: samples a step.
        epochs: passes over the training set.
        n_train: training and validation images together, drawn by the seed and stratified; 0 means all.
        n_test: test images, likewise.
        validation: a fifth of the training images, or the test images, as published for STL-10.
        augment_validation: whether epochs are chosen on disturbed validation images, as published.
        allow_leakage: whether to go on although validation images are test images.
        evaluate_every: epochs from one evaluation to the next.
        n_attacked: how many test images are attacked; 0 means none.
        attack_steps: steps of the attack.
        compare_flushing: how often the time of an epoch is measured with and without subnormal numbers.
    """

    network: Literal["mnist", "cifar100", "stl10"]
    batch_size: PositiveInt
    epochs: PositiveInt
    bottleneck: Bottleneck = "quantum"
    trunk: Trunk = "slim"
    recipe: Recipe = "onecycle"
    n_train: NonNegativeInt = 0
    n_test: NonNegativeInt = 0
    validation: Literal["split", "test"] = "split"
    augment_validation: bool = False
    allow_leakage: bool = False
    evaluate_every: PositiveInt = 1
    n_attacked: NonNegativeInt = 200
    attack_steps: PositiveInt = 10
    compare_flushing: NonNegativeInt = 0


PUBLISHED = HybridSettings(
    network="mnist", batch_size=64, epochs=50, augment_validation=True, n_attacked=2000, compare_flushing=3
)
BY_DATASET = {name: {"network": name} for name in ("cifar100", "stl10")}
# exact copies stand in both halves of CIFAR-100, and some of them may be drawn for validation
STAMPED = BY_DATASET | {"cifar100": BY_DATASET["cifar100"] | {"allow_leakage": True}}
CHOSEN_ON_TEST = STAMPED | {"stl10": BY_DATASET["stl10"] | {"validation": "test", "allow_leakage": True}}

SMALL = replace(PUBLISHED, epochs=5, n_train=2000, n_test=1000, augment_validation=False, n_attacked=200,
                compare_flushing=0)  # fmt: skip
# a weight without gradient takes some 800 steps until Adam's memory of it is subnormal: small batches, many steps
TIMED = replace(
    SMALL, batch_size=8, epochs=110, n_train=100, n_test=100, evaluate_every=110, n_attacked=0,
    compare_flushing=3,
)  # fmt: skip
SMOKE = replace(SMALL, epochs=1, batch_size=32, n_train=100, n_test=50, n_attacked=20, attack_steps=2)

LEADING = ("quantum", "linear-tanh", "linear", "classical-onecycle", "classical")
TIMED_ARMS = ("quantum", "quantum-restarts", "classical")


def _grid() -> dict[str, Protocol]:
    """The rest of the grid: every trunk and recipe but the hybrid's own, in which all bottlenecks are compared."""
    places: list[tuple[Trunk, Recipe]] = [
        (trunk, recipe)
        for trunk in ("slim", "wide")
        for recipe in ("onecycle", "restarts", "undecayed", "epochwise")
        if (trunk, recipe) != ("slim", "onecycle")
    ]
    return {
        f"grid-{trunk}-{recipe}": Protocol(
            replace(PUBLISHED, augment_validation=False, trunk=trunk, recipe=recipe, compare_flushing=0),
            by_arm=BY_BOTTLENECK,
            by_dataset=STAMPED,
            about=f"all bottlenecks on the {trunk} trunk under the recipe {recipe}; clean validation images, a fifth "
            "of the training set",
            arms=tuple(BOTTLENECKS),
        )
        for trunk, recipe in places
    }


SCALES = {
    "smoke": Scale(
        {
            "smoke": Protocol(SMOKE, by_arm=BY_ARM, about="tiny, to see that everything runs"),
            "drawn": Protocol(
                replace(SMOKE, network="cifar100", n_train=75, n_test=20),
                by_arm=BY_ARM,
                about="the networks for CIFAR-100 on drawn pictures, which are no stand-in for it",
                arms=("quantum", "classical"),
                datasets=("generated",),
            ),
        },
        datasets=("digits",),
        seeds=1,
        minutes=0.3,
    ),
    "small": Scale(
        {
            "small": Protocol(
                SMALL,
                by_arm=BY_ARM,
                about="1,600 training, 400 validation and 1,000 test images, drawn by each seed; 5 epochs of batches "
                "of 64; clean validation images",
            ),
            "timing": Protocol(
                TIMED,
                by_arm=BY_ARM,
                about="80 training images, 1,100 batches of 8: does an epoch take longer and longer, and are subnormal "
                "numbers why? Times only: the accuracies are those of 80 images",
                arms=TIMED_ARMS,
            ),
        },
        datasets=("mnist10k",),
        seeds=3,
        minutes=4.5,
        more_seeds=dict.fromkeys(LEADING, 5),
        without_files={"mnist10k": "mnist5k"},
    ),
    "paper": Scale(
        {
            "published": Protocol(
                PUBLISHED,
                by_arm=BY_ARM,
                by_dataset=CHOSEN_ON_TEST,
                about="as published: 50 epochs, epochs chosen on augmented validation images. STL-10: chosen ON THE "
                "TEST IMAGES (allow_leakage)",
            ),
            "proper": Protocol(
                replace(PUBLISHED, augment_validation=False, compare_flushing=0),
                by_arm=BY_ARM,
                by_dataset=STAMPED,
                about="the same with clean validation images, for STL-10 too a fifth of the training set",
            ),
            **_grid(),
        },
        datasets=("mnist", "cifar100", "stl10"),
        seeds=5,
        minutes=500_000,
        without_files={"cifar100": None, "stl10": None},
    ),
}
