"""What a trial of this study needs to know, at each scale: every experiment is a protocol. All sizes are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale

Problem = Literal["one-shot", "step", "space-time", "cost"]
Kind = Literal[
    "dense", "rank1", "cp", "spatial", "depthwise_separable", "low-rank", "thin", "posthoc", "zero", "frame-mean"
]


@dataclass(frozen=True)
class World:
    """Simulated waves: drawn from one fixed seed, the same for all trials.

    Args:
        n: elements along a side.
        dt: length of a step of the solver.
        n_steps: number of steps.
        every: steps from one frame to the next.
        n_train: training simulations.
        n_validation: validation simulations.
        n_test: test simulations.
        seed: of the draw.
    """

    n: PositiveInt = 24
    dt: PositiveFloat = 0.0125
    n_steps: PositiveInt = 80
    every: PositiveInt = 5
    n_train: PositiveInt = 48
    n_validation: PositiveInt = 12
    n_test: PositiveInt = 12
    seed: NonNegativeInt = 0

    @property
    def n_frames(self) -> int:
        """Frames after the first one."""
        return self.n_steps // self.every


@dataclass(frozen=True)
class CompressionSettings:
    """Waves, network and training.

    Args:
        problem: ``"one-shot"``: all frames from the first; ``"step"``: the next frame from two; ``"space-time"``: all
            frames, by convolutions in time as well; ``"cost"``: single layers are measured, none is trained.
        world: the simulations.
        kind: what the convolutions of the residual blocks are.
        channels: of the blocks.
        n_blocks: residual blocks of two convolutions each.
        kernel_size: side of the windows.
        rank: terms of the canonical decompositions.
        n_train: how many of the training simulations are used, the first of them; 0 for all.
        epochs: passes over them.
        tuning_epochs: further passes after the decomposition of trained kernels.
        lr: step size of Adam at the beginning; it ends at ``last_lr``, along a cosine.
        tuning_lr: the same of the further passes.
        last_lr: at the end.
        batch_size: samples a step.
        evaluate_every: epochs from one evaluation to the next.
        gap_level: training error at which the gaps of all arms are compared.
        sizes: channels, window sides and image sides at which layers are measured, each while the others stay at
            ``channels``, ``kernel_size`` and the world's.
        repeats: timed passes for each.
    """

    problem: Problem
    world: World = World()
    kind: Kind = "dense"
    channels: PositiveInt = 16
    n_blocks: PositiveInt = 3
    kernel_size: PositiveInt = 5
    rank: PositiveInt = 16
    n_train: NonNegativeInt = 0
    epochs: PositiveInt = 50
    tuning_epochs: NonNegativeInt = 0
    lr: PositiveFloat = 1e-3
    tuning_lr: PositiveFloat = 3e-4
    last_lr: PositiveFloat = 1e-5
    batch_size: PositiveInt = 8
    evaluate_every: PositiveInt = 2
    gap_level: PositiveFloat = 0.72
    sizes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] = (
        (8, 16, 32, 64),
        (3, 5, 9),
        (12, 25, 50),
    )
    repeats: PositiveInt = 3


KINDS: Mapping[str, Mapping[str, Any]] = {
    "rank1": {"kind": "rank1"},
    "cp": {"kind": "cp"},
    "spatial": {"kind": "spatial"},
    "depthwise-separable": {"kind": "depthwise_separable"},
    "low-rank": {"kind": "low-rank"},
    "dense-thin": {"kind": "thin"},
    "posthoc-cp": {"kind": "posthoc"},
    "posthoc-cp-tuned": {"kind": "posthoc"},
    "zero": {"kind": "zero"},
    "frame-mean": {"kind": "frame-mean"},
}
"""What each arm is, whatever the problem."""

GENERATED = ("generated",)
FACTORISED = ("rank1", "cp", "spatial", "depthwise-separable")
TRIVIAL = ("zero", "frame-mean")
ONE_SHOT = ("dense", *FACTORISED, "low-rank", "dense-thin", "posthoc-cp", "posthoc-cp-tuned", *TRIVIAL)


def _protocol(
    settings: CompressionSettings, about: str, *arms: str, tuning: int = 0, headline_metric: str | None = None
) -> Protocol:
    by_arm = {**KINDS, "posthoc-cp-tuned": {"kind": "posthoc", "tuning_epochs": tuning}}
    return Protocol(
        settings, by_arm=by_arm, about=about, arms=arms, datasets=GENERATED, headline_metric=headline_metric
    )


STEP_ERROR = "rollout_l2_error"
COST_METRIC = "time_over_dense_at_64_channels"

_SMALL = CompressionSettings("one-shot")
SMALL = Scale(
    {
        "one-shot": _protocol(
            _SMALL,
            "16 frames at once from the first and the speeds; 48 training and 12 test simulations on 24x24 elements, 3 "
            "blocks of 16 channels, 50 epochs",
            *ONE_SHOT,
            tuning=25,
        ),
        "few": _protocol(
            replace(_SMALL, n_train=12, epochs=120, evaluate_every=4, gap_level=0.75),
            "the same with 12 training simulations and 120 epochs",
            "dense",
            *FACTORISED,
            "dense-thin",
            *TRIVIAL,
        ),
        "step": _protocol(
            replace(_SMALL, problem="step", n_train=16, epochs=12, evaluate_every=12, lr=2e-3),
            "the next frame from the last two, 16 training simulations; evaluated by a rollout of 14 steps",
            "dense",
            *FACTORISED,
            *TRIVIAL,
            headline_metric=STEP_ERROR,
        ),
        "space-time": _protocol(
            replace(
                _SMALL, problem="space-time", world=World(n=12, dt=0.025, n_steps=40), channels=8, kernel_size=3,
                epochs=20, rank=8, lr=3e-3,
            ),
            "8 frames at once by three-dimensional convolutions; 48 training and 12 test simulations on 12x12 "
            "elements, 3 blocks of 8 channels, 20 epochs",
            "dense",
            *FACTORISED,
            *TRIVIAL,
        ),
        "cost": _protocol(
            replace(_SMALL, problem="cost", channels=32, batch_size=4),
            "single layers, with and without a backward pass, against channels, window and image",
            "dense",
            *FACTORISED,
            headline_metric=COST_METRIC,
        ),
    },
    datasets=GENERATED,
    seeds=3,
    minutes=4.5,
)  # fmt: skip

_TINY = replace(
    _SMALL,
    world=World(n=8, dt=0.05, n_steps=20, every=5, n_train=6, n_validation=2, n_test=2),
    channels=8,
    n_blocks=1,
    kernel_size=3,
    rank=4,
    epochs=2,
    evaluate_every=1,
)
SMOKE = Scale(
    {
        "one-shot": _protocol(_TINY, "tiny, to see that everything runs", *ONE_SHOT, tuning=1),
        "step": _protocol(
            replace(_TINY, problem="step"),
            "tiny, to see that everything runs",
            "dense",
            "rank1",
            "frame-mean",
            headline_metric=STEP_ERROR,
        ),
        "space-time": _protocol(
            replace(_TINY, problem="space-time"), "tiny, to see that everything runs", "dense", "rank1"
        ),
        "cost": _protocol(
            replace(_TINY, problem="cost", sizes=((8, 64), (3, 5), (8, 9)), repeats=1),
            "tiny, to see that everything runs",
            "dense",
            "rank1",
            headline_metric=COST_METRIC,
        ),
    },
    datasets=GENERATED,
    seeds=1,
    minutes=0.1,
)

_PAPER = replace(
    _SMALL,
    world=World(n=64, dt=0.005, n_steps=200, every=10, n_train=1000, n_validation=200, n_test=200),
    channels=32,
    n_blocks=6,
    epochs=300,
    evaluate_every=10,
)
_MIDDLE = replace(_PAPER, world=World(n=32, dt=0.01, n_steps=100, n_train=160, n_validation=40, n_test=40))
PAPER = Scale(
    {
        "one-shot": _protocol(
            _PAPER,
            "20 frames at once; 1,000 training and 200 test simulations on 64x64 elements, 6 blocks of 32 channels, "
            "300 epochs",
            *ONE_SHOT,
            tuning=150,
        ),
        "one-shot-32": _protocol(
            replace(_MIDDLE, epochs=30, evaluate_every=2),
            "160 training and 40 test simulations on 32x32 elements, 30 epochs",
            *ONE_SHOT,
            tuning=15,
        ),
        "few": _protocol(
            replace(_MIDDLE, n_train=20), "32x32 elements, 20 training simulations, 300 epochs",
            "dense", *FACTORISED, "dense-thin", *TRIVIAL,
        ),
        "step": _protocol(
            replace(_MIDDLE, problem="step", epochs=100),
            "the next frame from the last two; evaluated by a rollout of 18 steps",
            "dense",
            *FACTORISED,
            *TRIVIAL,
            headline_metric=STEP_ERROR,
        ),
        "space-time": _protocol(
            replace(_MIDDLE, problem="space-time", kernel_size=3, epochs=100),
            "all frames by three-dimensional convolutions",
            "dense",
            *FACTORISED,
            *TRIVIAL,
        ),
        "cost": _protocol(
            replace(
                _PAPER,
                problem="cost",
                sizes=((8, 16, 32, 64, 128, 256), (3, 5, 7, 9, 11, 15), (16, 33, 65, 128, 256)),
                repeats=11,
            ),
            "single layers, with and without a backward pass, against channels, window and image",
            "dense",
            *FACTORISED,
            headline_metric=COST_METRIC,
        ),
    },
    datasets=GENERATED,
    seeds=5,
    minutes=60_000,
)  # fmt: skip

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
