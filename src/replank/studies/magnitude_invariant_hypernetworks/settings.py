"""What a trial of this study needs to know, at each scale: every experiment is a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from replank.lab.study import Protocol, Scale
from replank.parts.hypernetwork import Encoding
from replank.parts.hypernetwork.network import Norm

Problem = Literal["start", "registration", "classifier", "gaussian", "grid"]
Optimiser = Literal["adam", "sgd", "adamw"]
LastLayer = Literal["fan-out", "bias-hyperinit", "hyperfan-in"]
Parameters = Literal["predicted", "gamma-blind", "input-blind", "separate"]


@dataclass(frozen=True)
class HyperSettings:
    """Experiment, hypernetwork, and training.

    Args:
        problem: ``"registration"`` (T1), ``"classifier"`` (T2), ``"gaussian"`` (T3), ``"start"``: looked at before
            training, ``"grid"``: many small hypernetworks, trained for a short time each.
        parameters: how the primary network gets them: from a hypernetwork; from theta_0 alone; from a hypernetwork that
            sees 0.5 always; or by a training of its own for each of three hyper-inputs.
        encoding: of the hyper-input.
        residual: whether theta_0 starts from the primary network's usual values, or from zero.
        norm: in the hypernetwork.
        last_layer: how the hypernetwork's last layer starts.
        activation: in the hypernetwork.
        hidden: widths of the hypernetwork.
        d: entries of the hyper-input.
        channels: of the U-Net, or of the classifier's four convolutions.
        side: images are padded to this side with black; 0 leaves them.
        halve: whether 2x2 pixels are averaged first.
        optimiser: which.
        lrs: step sizes; the one with the least validation loss counts.
        batch_size: samples a step, which share a hyper-input.
        steps: of training.
        every: steps from one evaluation to the next; must divide those of a pass.
        n_train: training pairs, or images.
        n_validation: validation pairs, or images.
        n_test: test pairs, or images.
        grid: activations, depths and sizes of the hyper-input of the cells.
        repeats: timed steps of each kind.
    """

    problem: Problem
    parameters: Parameters = "predicted"
    encoding: Encoding = "none"
    residual: bool = False
    norm: Norm | None = None
    last_layer: LastLayer = "fan-out"
    activation: str = "leaky_relu"
    hidden: tuple[PositiveInt, ...] = (16, 128)
    d: PositiveInt = 1
    channels: tuple[PositiveInt, ...] = (16,)
    side: NonNegativeInt = 32
    halve: bool = False
    optimiser: Optimiser = "adam"
    lrs: tuple[PositiveFloat, ...] = (3e-4,)
    batch_size: PositiveInt = 16
    steps: PositiveInt = 320
    every: PositiveInt = 40
    n_train: PositiveInt = 1920
    n_validation: PositiveInt = 48
    n_test: PositiveInt = 64
    grid: tuple[tuple[str, ...], tuple[PositiveInt, ...], tuple[PositiveInt, ...]] = (
        ("leaky_relu", "relu", "gelu", "silu", "tanh"),
        (1, 2, 3),
        (1, 4, 16),
    )
    repeats: PositiveInt = 40


VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "cos-sin-direct": {"encoding": "cos|sin"},
    "raw-additive": {"residual": True},
    "mip": {"encoding": "cos|sin", "residual": True},
    "centred": {"encoding": "centred"},
    "symmetric": {"encoding": "symmetric"},
    "unit-norm": {"encoding": "unit"},
    "one-minus": {"encoding": "z|1-z"},
    "fourier": {"encoding": "fourier"},
    "layer-norm": {"norm": "layer"},
    "batch-norm": {"norm": "batch"},
    "layer-norm-additive": {"norm": "layer", "residual": True},
    "bias-hyperinit": {"residual": True, "last_layer": "bias-hyperinit"},
    "hyperfan-in": {"last_layer": "hyperfan-in"},
    "gamma-blind": {"parameters": "gamma-blind"},
    "input-blind": {"parameters": "input-blind", "residual": True, "encoding": "cos|sin"},
    "separate": {"parameters": "separate"},
}
"""What each arm changes of the default hypernetwork, whatever the problem."""

TABLE = ("raw-direct", "cos-sin-direct", "raw-additive", "mip")
"""The two-by-two table."""
BASELINES = (
    "centred", "symmetric", "unit-norm", "one-minus", "fourier", "layer-norm", "batch-norm", "layer-norm-additive",
    "bias-hyperinit", "hyperfan-in", "gamma-blind", "input-blind",
)  # fmt: skip
PREDICTED = (*TABLE, *BASELINES[:-2])
"""Arms whose hypernetworks see the hyper-input."""


def _protocol(settings: HyperSettings, about: str, arms: tuple[str, ...], **options: Any) -> Protocol:
    return Protocol(settings, by_arm=VARIANTS, about=about, arms=arms, **options)


def _sgd(settings: HyperSettings, *lrs: float) -> HyperSettings:
    return replace(settings, optimiser="sgd", lrs=lrs or (1e-2,))


_REGISTRATION = HyperSettings("registration")
_CLASSIFIER = HyperSettings(
    "classifier",
    channels=(8, 16, 16, 16),
    side=0,
    halve=True,
    batch_size=32,
    steps=300,
    every=50,
    n_train=4800,
    n_validation=200,
    n_test=300,
)
_GAUSSIAN = replace(_CLASSIFIER, problem="gaussian")
_GRID = replace(
    _CLASSIFIER,
    problem="grid",
    channels=(4, 8, 8, 8),
    steps=30,
    every=10,
    lrs=(1e-3,),
    batch_size=16,
    n_train=480,
    n_validation=100,
    n_test=20,
    grid=(("leaky_relu", "relu", "gelu", "silu", "tanh"), (1, 2), (1, 4)),
)
_START = replace(_REGISTRATION, problem="start", every=1, n_train=32, n_validation=16, n_test=16, repeats=20)

T1 = "T1: 1,920 training pairs of the same digit, 320 steps of 16 pairs that share a gamma"
FEWER = {"mnist5k": {"n_train": 3200}}
"""The embedded digits are fewer."""
MORE = (
    *TABLE, "layer-norm", "batch-norm", "layer-norm-additive", "bias-hyperinit", "hyperfan-in", "gamma-blind",
    "input-blind",
)  # fmt: skip
"""Arms that claims or controls are about."""
SMALL = Scale(
    {
        "registration": _protocol(
            _REGISTRATION, f"{T1}; Adam 3e-4",
            (*TABLE, "gamma-blind", "input-blind", "separate"),
        ),
        "registration-sgd": _protocol(_sgd(_REGISTRATION), f"{T1}; SGD 1e-2, momentum 0.9", TABLE),
        "classifier": _protocol(
            _CLASSIFIER, "T2: the factor by which feature maps are rescaled is gamma; 4,800 digits, 300 steps of 32",
            (*TABLE, "hyperfan-in", "gamma-blind"), by_dataset=FEWER,
        ),
        "gaussian-1": _protocol(
            _GAUSSIAN, "T3: gamma of one entry means nothing; 4,800 digits, 300 steps of 32; Adam 3e-4", TABLE,
            by_dataset=FEWER,
        ),
        "gaussian-4": _protocol(
            replace(_GAUSSIAN, d=4), "T3: gamma of four entries; Adam 3e-4", (*TABLE, *BASELINES), by_dataset=FEWER,
        ),
        "gaussian-4-sgd": _protocol(
            _sgd(replace(_GAUSSIAN, d=4)), "T3: gamma of four entries; SGD 1e-2, momentum 0.9", TABLE,
            by_dataset=FEWER,
        ),
        "grid": _protocol(
            _GRID, "five activations, one and two layers, one and four entries of gamma: 30 steps each, Adam 1e-3",
            ("raw-direct", "mip"), headline_metric="mean_log_validation_loss",
        ),
        "start": _protocol(
            _START, "the hypernetworks of T1 before training, and the time of a step", TABLE,
            headline_metric="initial_cv",
        ),
    },
    datasets=("mnist10k",),
    seeds=2,
    minutes=5,
    more_seeds=dict.fromkeys(MORE, 3),
    without_files={"mnist10k": "mnist5k"},
)  # fmt: skip

_TINY: dict[str, Any] = {
    "steps": 6,
    "every": 2,
    "batch_size": 8,
    "n_train": 48,
    "n_validation": 16,
    "n_test": 16,
    "hidden": (4, 8),
}
_TINY_IMAGES: dict[str, Any] = {"side": 8, "halve": False}
_TINY_T1 = replace(_REGISTRATION, channels=(4,), **_TINY, **_TINY_IMAGES)
_TINY_T2 = replace(_CLASSIFIER, channels=(4, 4, 4, 4), **_TINY, **_TINY_IMAGES)
SMOKE = Scale(
    {
        "registration": _protocol(
            _TINY_T1, "tiny, to see that everything runs", ("raw-direct", "raw-additive", "mip", "separate")
        ),
        "classifier": _protocol(_TINY_T2, "tiny, to see that everything runs", ("mip", "raw-direct")),
        "gaussian-4": _protocol(
            replace(_TINY_T2, problem="gaussian", d=4), "tiny, to see that everything runs", (*TABLE, *BASELINES)
        ),
        "grid": _protocol(
            replace(_TINY_T2, problem="grid", steps=4, grid=(("relu", "tanh"), (1,), (1,))),
            "tiny, to see that everything runs", ("raw-direct", "mip"), headline_metric="mean_log_validation_loss",
        ),
        "start": _protocol(
            replace(_TINY_T1, problem="start", hidden=(16, 128), repeats=2), "tiny, to see that everything runs",
            ("raw-direct", "mip"), headline_metric="initial_cv",
        ),
    },
    datasets=("digits",),
    seeds=1,
    minutes=0.2,
)  # fmt: skip

_LONG: dict[str, Any] = {"steps": 20_000, "every": 250, "hidden": (16, 64, 128)}
_ADAM, _SGD = (1e-4, 3e-4, 1e-3), (1e-3, 1e-2, 1e-1)
_FULL_T1 = replace(
    _REGISTRATION, batch_size=16, n_train=48_000, n_validation=2_000, n_test=5_000, lrs=_ADAM, **_LONG
)  # fmt: skip
_FULL_T2 = replace(
    _CLASSIFIER, channels=(16, 32, 64, 64), halve=False, batch_size=32, n_train=48_000, n_validation=10_000,
    n_test=10_000, lrs=_ADAM, **_LONG,
)  # fmt: skip
_ALL = (*TABLE, *BASELINES)


def _full() -> dict[str, Protocol]:
    """T1 to T3 with three optimisers, and a grid of step sizes for each."""
    problems = {"registration": (_FULL_T1, (*_ALL, "separate")), "classifier": (_FULL_T2, _ALL)} | {
        f"gaussian-{d}": (replace(_FULL_T2, problem="gaussian", d=d), _ALL) for d in (1, 4, 16)
    }
    optimisers: dict[str, dict[str, Any]] = {
        "": {},
        "-sgd": {"optimiser": "sgd", "lrs": _SGD},
        "-adamw": {"optimiser": "adamw"},
    }
    return {
        f"{name}{suffix}": _protocol(
            replace(settings, **options), f"20,000 steps on all of MNIST, {suffix.strip('-') or 'adam'}", arms
        )
        for name, (settings, arms) in problems.items()
        for suffix, options in optimisers.items()
    }


PAPER = Scale(
    {
        **_full(),
        "grid": _protocol(
            replace(_FULL_T2, problem="grid", steps=3_000, lrs=(3e-4,)),
            "five activations, one to three layers, one, four and sixteen entries of gamma: 3,000 steps each",
            ("raw-direct", "mip"), headline_metric="mean_log_validation_loss",
        ),
        "start": _protocol(
            replace(_START, hidden=(16, 64, 128), repeats=400), "before training, and the time of a step", PREDICTED,
            headline_metric="initial_cv",
        ),
    },
    datasets=("mnist",),
    seeds=5,
    minutes=200_000,
)  # fmt: skip

SCALES = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
